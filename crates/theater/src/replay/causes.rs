//! Whether a run is causally consistent: every message that was received was sent before, with the same bytes.
//!
//! The events of all chains are read in the order of the journal, once. What was sent and has not arrived yet is kept as
//! a hash; at the end of a closed run nothing is left of it, because what did not arrive is a dead letter.

use std::collections::BTreeMap;
use std::fmt;

use pack_abi::Value;
use theater_chain::{
    Cause, ChainIndex, Event, FunctionEntry, Genesis, Hash, Kind, Outcome, ReadError, Run, RunStatus,
};

use super::progress::{Counted, Progress};
use crate::messaging::{DeadLetter, DeadReason, MessageKind};
use crate::record::cause_of;
use crate::render::{self, Shown};

/// Most faults that are told; a run has none.
const FAULTS_MAX: usize = 20;

/// What became of the messages of a run, by its events alone.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    /// Messages and replies that arrived as they were sent.
    pub arrived: u64,
    /// Messages that are dead letters.
    pub dead: u64,
    /// Messages that were on their way when the recording stopped.
    pub under_way: u64,
    /// Messages whose payload was removed from the run.
    pub unreadable: u64,
    /// What is wrong, at most the first twenty of them.
    pub faults: Vec<CauseFault>,
}

/// A message that cannot have come from where its receiver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseFault {
    /// Path and incarnation of whose chain has it, and the event in it.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

impl Causes {
    /// Returns whether nothing is wrong.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages arrived as they were sent, {} are dead letters", self.arrived, self.dead)?;
        if self.under_way > 0 {
            write!(f, ", {} were under way", self.under_way)?;
        }
        if self.unreadable > 0 {
            write!(f, ", {} cannot be compared: their payload was removed", self.unreadable)?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, "\n{}: {}", fault.at, fault.what))
    }
}

/// What a function has to do with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It sends what is in this place of its arguments, once it is answered well.
    Sends(MessageKind),
    /// It sends before it is answered.
    Asks(MessageKind),
    /// The host calls it with a message.
    Takes(MessageKind),
}

fn role(function: &FunctionEntry) -> Option<Role> {
    let host = "theater:simple/message-server-host";
    Some(match (function.interface.as_str(), function.name.as_str()) {
        (interface, "send" | "send-wait") if interface == host => Role::Sends(MessageKind::Send),
        (interface, "send-on-channel") if interface == host => Role::Sends(MessageKind::ChannelMessage),
        (interface, "respond-to-request") if interface == host => Role::Sends(MessageKind::Reply),
        (interface, "request" | "request-timeout") if interface == host => Role::Asks(MessageKind::Request),
        (interface, "open-channel") if interface == host => Role::Asks(MessageKind::ChannelOpen),
        ("theater:simple/message-server-client" | "theater:simple/handle-send", "handle-send") => {
            Role::Takes(MessageKind::Send)
        }
        ("theater:simple/message-server-client" | "theater:simple/handle-request", "handle-request") => {
            Role::Takes(MessageKind::Request)
        }
        (
            "theater:simple/message-server-client" | "theater:simple/handle-channel-open",
            "handle-channel-open",
        ) => Role::Takes(MessageKind::ChannelOpen),
        (
            "theater:simple/message-server-client" | "theater:simple/handle-channel-message",
            "handle-channel-message",
        ) => Role::Takes(MessageKind::ChannelMessage),
        _ => return None,
    })
}

/// One chain, as far as it was read.
#[derive(Default)]
struct Chain {
    label: String,
    roles: Vec<Option<Role>>,
    next_seq: u64,
    /// The event that the running call follows from.
    running: Option<Cause>,
    /// A message that waits for room: it is sent if the response is good.
    waiting: Option<(u64, MessageKind, Hash)>,
    /// The role of the request that has no response yet.
    asked: Option<Role>,
}

/// Where a message is on its way: the event that sent it, and what it is. One event may send a reply and a message.
type Offer = (ChainIndex, u64, &'static str);

#[derive(Default)]
struct Check {
    chains: BTreeMap<ChainIndex, Chain>,
    offers: BTreeMap<Offer, Hash>,
    causes: Causes,
}

/// Checks the causes of all events of a run; `progress` is told of every so many of them.
///
/// # Errors
/// Fails if the run cannot be read.
pub fn check_causes(run: &Run, progress: Option<Progress>) -> Result<Causes, ReadError> {
    let mut check = Check::default();
    for event in Counted::new(run.all_events(), progress) {
        check.event(&event?);
    }
    check.end(matches!(run.status(), RunStatus::Closed));
    Ok(check.causes)
}

impl Check {
    fn event(&mut self, event: &Event) {
        let is_known = self.chains.contains_key(&event.chain);
        if !is_known {
            let chain = begun(event);
            self.chains.insert(event.chain, chain);
        }
        let cause = cause_of(event);
        if let Some(cause) = cause {
            self.precedes(event, cause);
        }
        if event.payload.input().is_none() {
            self.unreadable(event);
        } else if event.chain == ChainIndex(0) {
            self.runtime(event);
        } else {
            self.actor(event, cause);
        }
        if let Some(chain) = self.chains.get_mut(&event.chain) {
            chain.next_seq = event.header.seq + 1;
        }
    }

    fn fault(&mut self, event: &Event, what: impl Into<String>) {
        let label = self.chains.get(&event.chain).map_or("?", |chain| chain.label.as_str());
        self.fault_at(format!("{label} event {}", event.header.seq), what.into());
    }

    fn fault_at(&mut self, at: String, what: String) {
        if self.causes.faults.len() < FAULTS_MAX {
            self.causes.faults.push(CauseFault { at, what });
        }
    }

    /// No cause lies in the future, or in the chain itself.
    fn precedes(&mut self, event: &Event, cause: Cause) {
        let is_before = self.chains.get(&cause.chain).is_some_and(|chain| cause.seq < chain.next_seq);
        if !is_before {
            let what = format!(
                "it follows from event {} of chain {}, which is not before it",
                cause.seq, cause.chain
            );
            self.fault(event, what);
        }
    }

    /// A payload that was removed may have been a message.
    fn unreadable(&mut self, event: &Event) {
        if self.role(event).is_some() {
            self.causes.unreadable += 1;
        }
    }

    fn role(&self, event: &Event) -> Option<Role> {
        *self.chains.get(&event.chain)?.roles.get(event.header.function as usize)?
    }

    fn offer(&mut self, cause: (ChainIndex, u64), kind: MessageKind, message: Hash) {
        self.offers.insert((cause.0, cause.1, kind.as_str()), message);
    }

    /// The runtime's own chain: messages from outside, and dead letters.
    fn runtime(&mut self, event: &Event) {
        let Shown::Value(decision) = render::output(event) else { return };
        if let Some(letter) = DeadLetter::read(&decision) {
            self.causes.dead += 1;
            self.bury(event, &letter);
            return;
        }
        let Value::Record(record) = &decision else { return };
        let (Some(Value::Bytes(data)), Some(Value::String(kind)), "command") =
            (decision.field("data"), decision.field("kind"), record.name())
        else {
            return;
        };
        let kind = match &**kind {
            "send" => MessageKind::Send,
            "request" => MessageKind::Request,
            _ => return,
        };
        self.offer((event.chain, event.header.seq), kind, Hash::of_blob(data));
    }

    /// A dead letter must have been sent. A reply without a result, such as "has ended", was not.
    fn bury(&mut self, event: &Event, letter: &DeadLetter) {
        let Some(cause) = letter.cause else { return };
        let kinds = [
            MessageKind::Send,
            MessageKind::Request,
            MessageKind::Reply,
            MessageKind::ChannelOpen,
            MessageKind::ChannelMessage,
        ];
        let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == letter.kind) else { return };
        let found = self.offers.remove(&(cause.chain, cause.seq, kind.as_str()));
        if found.is_none() && kind != MessageKind::Reply && letter.reason != DeadReason::Late {
            self.fault(event, format!("a dead letter that was never sent: {} to {}", letter.kind, letter.to));
        }
    }

    fn actor(&mut self, event: &Event, cause: Option<Cause>) {
        match event.header.kind {
            Kind::Call => self.called(event, cause),
            Kind::Exchange => {
                self.called(event, cause);
                self.returned(event);
            }
            Kind::Return => self.returned(event),
            Kind::HostCall => self.host_called(event),
            Kind::HostRequest => self.host_requested(event),
            Kind::HostResponse => self.host_responded(event, cause),
            Kind::Genesis | Kind::Decision | Kind::Trap | Kind::Snapshot | Kind::Exit => {}
        }
    }

    /// A message arrives.
    fn called(&mut self, event: &Event, cause: Option<Cause>) {
        if let Some(chain) = self.chains.get_mut(&event.chain) {
            chain.running = cause;
        }
        let (Some(Role::Takes(kind)), Some(cause)) = (self.role(event), cause) else { return };
        match arrived(event) {
            Some(data) => self.arrives(event, cause, (kind, Hash::of_blob(&data))),
            None => self.fault(event, format!("the {kind} cannot be read")),
        }
    }

    fn arrives(&mut self, event: &Event, cause: Cause, (kind, message): (MessageKind, Hash)) {
        match self.offers.remove(&(cause.chain, cause.seq, kind.as_str())) {
            Some(sent) if sent == message => self.causes.arrived += 1,
            Some(_) => self.fault(
                event,
                format!("the {kind} has other bytes than event {} of chain {} sent", cause.seq, cause.chain),
            ),
            None => self.fault(
                event,
                format!(
                    "event {} of chain {} sent no such {kind}, or it arrived before",
                    cause.seq, cause.chain
                ),
            ),
        }
    }

    /// A function that takes a message may answer with a reply or a first message.
    fn returned(&mut self, event: &Event) {
        let running = self.chains.get_mut(&event.chain).and_then(|chain| chain.running.take());
        let Some(Role::Takes(kind)) = self.role(event) else { return };
        if event.header.outcome != Outcome::Ok {
            return;
        }
        let place = (event.chain, event.header.seq);
        let is_from_outside = running.is_none_or(|cause| cause.chain == ChainIndex(0));
        match (kind, answered(event)) {
            (MessageKind::Request, Some(Value::Option(reply))) if !is_from_outside => {
                if let Some(Value::Bytes(data)) = reply.value() {
                    self.offer(place, MessageKind::Reply, Hash::of_blob(data));
                }
            }
            (MessageKind::ChannelOpen, Some(accept)) => {
                let is_accepted = matches!(accept.field("accepted"), Some(Value::Bool(true)));
                if let Some(Value::Option(message)) = accept.field("message").filter(|_| is_accepted)
                    && let Some(Value::Bytes(data)) = message.value()
                {
                    self.offer(place, MessageKind::ChannelMessage, Hash::of_blob(data));
                }
            }
            _ => {}
        }
    }

    fn host_called(&mut self, event: &Event) {
        let Some(Role::Sends(kind)) = self.role(event) else { return };
        let Some((to, message)) = sent(event).filter(|_| went_well(event)) else { return };
        // Nobody inside hears the answer to who is outside.
        if kind != MessageKind::Reply || !to.starts_with("/#") {
            self.offer((event.chain, event.header.seq), kind, message);
        }
    }

    fn host_requested(&mut self, event: &Event) {
        let (role, seq) = (self.role(event), event.header.seq);
        let message = sent(event).map(|(_, message)| message);
        if let (Some(Role::Asks(kind)), Some(message)) = (role, message) {
            self.offer((event.chain, seq), kind, message);
        }
        let Some(chain) = self.chains.get_mut(&event.chain) else { return };
        chain.asked = role;
        chain.waiting = match (role, message) {
            (Some(Role::Sends(kind)), Some(message)) => Some((seq, kind, message)),
            _ => None,
        };
    }

    fn host_responded(&mut self, event: &Event, cause: Option<Cause>) {
        let Some(chain) = self.chains.get_mut(&event.chain) else { return };
        let (asked, waiting) = (chain.asked.take(), chain.waiting.take());
        if let (Some((seq, kind, message)), true) = (waiting, went_well(event)) {
            self.offer((event.chain, seq), kind, message);
        }
        if asked != Some(Role::Asks(MessageKind::Request)) {
            return;
        }
        let Some(data) = replied(event) else { return };
        match cause {
            Some(cause) => self.arrives(event, cause, (MessageKind::Reply, Hash::of_blob(&data))),
            None => self.fault(event, "a reply that nobody gave"),
        }
    }

    /// What was sent has arrived, or is a dead letter, unless the recording stopped before.
    fn end(&mut self, is_closed: bool) {
        let left = std::mem::take(&mut self.offers);
        if !is_closed || self.causes.unreadable > 0 {
            self.causes.under_way = left.len() as u64;
            return;
        }
        for (chain, seq, kind) in left.into_keys() {
            let label = self.chains.get(&chain).map_or("?", |chain| chain.label.as_str());
            let what = format!("the {kind} that it sent did not arrive, and is no dead letter");
            self.fault_at(format!("{label} event {seq}"), what);
        }
    }
}

/// Reads what is needed of a genesis.
fn begun(event: &Event) -> Chain {
    if event.chain == ChainIndex(0) {
        return Chain { label: "/".to_owned(), ..Chain::default() };
    }
    match event.payload.input().map(Genesis::decode) {
        Some(Ok(genesis)) => Chain {
            label: format!("{}#{}", genesis.path, genesis.incarnation),
            roles: genesis.setting.functions.iter().map(role).collect(),
            ..Chain::default()
        },
        Some(Err(_)) | None => Chain { label: format!("chain {}", event.chain), ..Chain::default() },
    }
}

/// Returns what went into a call beside the state, and is a message: the last of the parameters.
fn arrived(event: &Event) -> Option<Vec<u8>> {
    let Shown::Value(Value::Tuple(arguments)) = render::input(event) else { return None };
    let [_, Value::Tuple(params)] = arguments.as_ref() else { return None };
    match params.last()? {
        Value::Bytes(data) => Some(data.to_vec()),
        _ => None,
    }
}

/// Returns what a function returned beside the state.
fn answered(event: &Event) -> Option<Value> {
    let Shown::Value(Value::Result(result)) = render::output(event) else { return None };
    let Ok(Value::Tuple(items)) = result.value() else { return None };
    let [_, Value::Tuple(rest)] = items.as_ref() else { return None };
    rest.first().cloned()
}

/// Returns the first two arguments of a host call: to whom, and a hash of what.
fn sent(event: &Event) -> Option<(String, Hash)> {
    let Shown::Value(Value::Tuple(arguments)) = render::input(event) else { return None };
    match arguments.as_ref() {
        [Value::String(to), Value::Bytes(data), ..] => Some(((**to).to_owned(), Hash::of_blob(data))),
        _ => None,
    }
}

/// Returns whether a host call was answered with `ok`.
fn went_well(event: &Event) -> bool {
    match render::output(event) {
        Shown::Value(Value::Result(result)) => result.value().is_ok(),
        _ => false,
    }
}

/// Returns the bytes of a reply.
fn replied(event: &Event) -> Option<Vec<u8>> {
    let Shown::Value(Value::Result(result)) = render::output(event) else { return None };
    match result.value() {
        Ok(Value::Bytes(data)) => Some(data.to_vec()),
        _ => None,
    }
}
