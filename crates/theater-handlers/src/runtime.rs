//! `runtime`: what an actor may always ask of its host: its log, its id, its own end, its own chain.

use pack_abi::Encode;
use pack_abi::types::Interface;
use theater::handler::{
    ActorContext, Answer, Call, ChainAccess, ConfigError, Effect, Entry, Handler, HandlerFactory,
    HandlerFuture, HostFault,
};

mod host {
    //! The interface, from its text.
    #![allow(
        missing_docs,
        clippy::allow_attributes,
        reason = "generated; the docs are in the interface text"
    )]

    pack_macros::host! { path: "../../wit/theater-simple", interface: "theater:simple/runtime" }
}

/// The functions whose answers hold parts of the chain.
const CHAIN_READS: [&str; 2] = ["theater:simple/runtime.get-chain", "theater:simple/runtime.get-event"];

/// Makes `runtime` handlers.
pub struct RuntimeFactory;

impl HandlerFactory for RuntimeFactory {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![host::interface()]
    }

    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        if let Some(key) = config.keys().next() {
            let message = format!("unknown key `{key}`; it has no settings");
            return Err(ConfigError { kind: self.kind().to_owned(), message });
        }
        Ok(Box::new(Runtime { actor: actor.clone() }))
    }
}

struct Runtime {
    actor: ActorContext,
}

impl From<&Entry> for host::ChainEntry {
    fn from(entry: &Entry) -> Self {
        let [a, b, c, d] = pack_abi::hash::TypeHash(entry.hash.0).words();
        Self {
            seq: entry.seq,
            kind: entry.kind.number(),
            function: entry.function,
            input_len: entry.input_len,
            output_len: entry.output_len,
            hash: (a, b, c, d),
        }
    }
}

impl Handler for Runtime {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        let asked = match host::Call::read(call.function, call.input) {
            Ok(asked) => asked,
            Err(error) => return Answer::Refused(error.to_string()),
        };
        let chain = || self.actor.chain.clone();
        match asked {
            host::Call::Log { msg } => {
                let answer = Answer::ReplyWith(Effect::Log(msg.into()));
                replied::<host::results::Log>(&(), reply, answer)
            }
            host::Call::Self_ => {
                replied::<host::results::Self_>(&self.actor.path.to_string(), reply, Answer::Reply)
            }
            host::Call::Shutdown { data } => {
                let answer = Answer::ReplyWith(Effect::Shutdown(data.map(Into::into)));
                replied::<host::results::Shutdown>(&Ok(()), reply, answer)
            }
            host::Call::GetChain { start } => Answer::Request(read_chain(chain(), start, call.seq)),
            host::Call::GetEvent { seq } => Answer::Request(read_event(chain(), seq, call.seq)),
        }
    }
}

fn read_chain(chain: ChainAccess, start: u64, before: u64) -> HandlerFuture {
    Box::pin(async move {
        let entries = chain.entries(start, before).await.map_err(fault)?;
        let entries = entries.iter().map(host::ChainEntry::from).collect();
        encoded::<host::results::GetChain>(&Ok(entries))
    })
}

fn read_event(chain: ChainAccess, seq: u64, before: u64) -> HandlerFuture {
    Box::pin(async move {
        let entry = chain.entries(seq, before.min(seq.saturating_add(1))).await.map_err(fault)?;
        let Some(entry) = entry.first() else {
            return encoded::<host::results::GetEvent>(&Err(format!(
                "not-found: there is no event {seq} before this call"
            )));
        };
        let is_chain_read =
            chain.function_name(entry.function).is_some_and(|name| CHAIN_READS.contains(&name));
        if is_chain_read {
            return encoded::<host::results::GetEvent>(&Err(format!(
                "denied: event {seq} is itself a chain read"
            )));
        }
        match chain.payload(seq).await.map_err(fault)? {
            Some(payload) => encoded::<host::results::GetEvent>(&Ok(payload)),
            None => encoded::<host::results::GetEvent>(&Err(format!("not-found: there is no event {seq}"))),
        }
    })
}

fn fault(error: impl std::fmt::Display) -> HostFault {
    HostFault(error.to_string())
}

/// Encodes a result into the reply.
fn replied<T: Encode + ?Sized>(value: &T, reply: &mut Vec<u8>, answer: Answer) -> Answer {
    match pack_abi::encode_into(value, reply) {
        Ok(()) => answer,
        Err(error) => Answer::Refused(format!("the result cannot be encoded: {error}")),
    }
}

fn encoded<T: Encode>(value: &T) -> Result<Vec<u8>, HostFault> {
    pack_abi::encode(value).map_err(fault)
}
