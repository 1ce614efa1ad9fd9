//! The replaying side of the boundary: the next event must match, and answers.
//!
//! There is no handler here and no field that could hold one. Texts are made only where a replay ends.

use std::sync::Arc;

use pack::{
    Boundary, CallEnd, ExportCall, ExportIndex, ImportCall, ImportStep, Package, Stop, Trap, TrapKind,
    Waiting,
};
use theater_chain::{Event, Hash, Header, Kind, NO_FUNCTION, Outcome, ReadError, RunHasher};

use super::divergence::{Divergence, Pair};
use super::script::Script;
use crate::actor::{Returned, State, TrapRecord};
use crate::record::{CAUSE_BYTES, Payload, Spliced, split_cause};
use crate::render::{self, Shown};

/// The import by which an actor of `theater:simple` asks for its end.
const SHUTDOWN: &str = "theater:simple/runtime.shutdown";
/// Characters of a text in a report.
const TEXT_CHARS: usize = 2000;

/// How the functions of the running package are numbered in the recording.
pub(crate) struct Numbers {
    /// The running package.
    pub(crate) package: Package,
    /// By import of the running package; `None` if the recording knows no such function.
    pub(crate) imports: Vec<Option<u32>>,
    /// By export of the running package.
    pub(crate) exports: Vec<Option<u32>>,
    /// Names of the running package's imports.
    pub(crate) import_names: Vec<String>,
    /// Whether fuel and backtraces must match too: the package is the recorded one.
    pub(crate) same_package: bool,
}

/// What ended a replayed call early.
pub(crate) enum Halt {
    /// The replay did something else than the recording.
    Diverged(Box<Divergence>),
    /// The recording ends here: a dropped call, a host fault, or no more events.
    Reached(String),
    /// The run cannot be read.
    Read(ReadError),
    /// What is needed at this event was removed from the run.
    Redacted(u64),
}

/// Replays one incarnation of one actor.
pub(crate) struct Replayer {
    script: Script,
    state: State,
    /// None for a run whose secret was dropped: the hashes of its states are taken as recorded.
    hasher: Option<RunHasher>,
    numbers: Numbers,
    /// The recorded number of the running call.
    running: u32,
    /// The request whose response the guest will be resumed with.
    in_flight: Option<Arc<Event>>,
    /// The exchange that the running call must turn out to be.
    exchange: Option<Arc<Event>>,
    halt: Option<Halt>,
    returned: Option<Returned>,
    trap: Option<TrapRecord>,
    /// What the actor asked to end with.
    shutdown: Option<Option<Vec<u8>>>,
}

/// Passes through the guest when the replay halts; the reason stays with the replayer.
#[derive(Debug, thiserror::Error)]
#[error("the replay halted")]
struct Halted;

impl Replayer {
    pub(crate) fn new(script: Script, state: State, hasher: Option<RunHasher>, numbers: Numbers) -> Self {
        let (running, in_flight, exchange) = (NO_FUNCTION, None, None);
        let (halt, returned, trap, shutdown) = (None, None, None, None);
        Self { script, state, hasher, numbers, running, in_flight, exchange, halt, returned, trap, shutdown }
    }

    /// Returns the export behind a recorded function number.
    pub(crate) fn export_of(&self, function: u32) -> Option<ExportIndex> {
        let at = self.numbers.exports.iter().position(|number| *number == Some(function))?;
        u32::try_from(at).ok().map(ExportIndex)
    }

    pub(crate) fn script(&mut self) -> &mut Script {
        &mut self.script
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn is_same_package(&self) -> bool {
        self.numbers.same_package
    }

    /// Returns whether the next event is this call and makes the instance.
    pub(crate) fn is_instantiated_by(&mut self, call: u64) -> bool {
        let is_it = |event: &Event| event.header.seq == call && event.header.function == NO_FUNCTION;
        self.numbers.same_package && self.script.peek().is_some_and(is_it)
    }

    pub(crate) fn take_halt(&mut self) -> Option<Halt> {
        self.halt.take()
    }

    pub(crate) fn take_returned(&mut self) -> Option<Returned> {
        self.returned.take()
    }

    /// Returns the trap that the last call ended with; none if it was a dropped call.
    pub(crate) fn take_trap(&mut self) -> Option<TrapRecord> {
        self.trap.take()
    }

    /// Returns what the actor asked to end with, if it did so through `theater:simple`.
    pub(crate) fn shutdown(&self) -> Option<&Option<Vec<u8>>> {
        self.shutdown.as_ref()
    }

    fn halted(&mut self, halt: Halt) -> Stop {
        self.halt = Some(halt);
        Stop(Box::new(Halted))
    }

    fn reached(&mut self, what: impl Into<String>) -> Stop {
        self.halted(Halt::Reached(what.into()))
    }

    fn diverged(&mut self, what: impl Into<String>, pair: Pair) -> Stop {
        let divergence = self.script.divergence(what, pair);
        self.halted(Halt::Diverged(Box::new(divergence)))
    }

    /// Describes a difference at an event that was already taken.
    fn diverged_at(&mut self, event: &Event, what: &str, pair: Pair) -> Stop {
        let mut divergence = self.script.divergence(what, pair);
        divergence.seq = event.header.seq;
        divergence.before.pop();
        self.halted(Halt::Diverged(Box::new(divergence)))
    }

    fn take(&mut self) -> Result<Arc<Event>, Stop> {
        match self.script.take() {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(self.reached("the recording has no more events")),
            Err(error) => Err(self.halted(Halt::Read(error))),
        }
    }

    fn name(&self, function: u32) -> String {
        render::function_name(self.script.functions(), function)
    }

    /// Describes the next event, for the expected side of a difference.
    fn next_text(&self) -> String {
        match self.script.peek() {
            Some(event) => {
                let name = self.name(event.header.function);
                let body = render::summary(event).unwrap_or_else(|| render::input(event).to_string());
                render::shorten(&format_args!("{} {name} {body}", event.header.kind), TEXT_CHARS)
            }
            None => "the end of the recording".to_owned(),
        }
    }

    /// Compares the produced part of a header: everything but sequence number and time.
    fn check_header(&mut self, event: &Event, produced: Header) -> Result<(), Stop> {
        let recorded = event.header;
        let fuel_differs = self.numbers.same_package && recorded.fuel != produced.fuel;
        if recorded.function == produced.function && recorded.outcome == produced.outcome && !fuel_differs {
            return Ok(());
        }
        let text = |header: &Header| {
            format!(
                "{} {}, {}, fuel {}",
                header.kind,
                self.name(header.function),
                header.outcome,
                header.fuel
            )
        };
        let pair = Pair::named(text(&recorded), text(&Header { kind: recorded.kind, ..produced }));
        Err(self.diverged_at(event, "the event says something else of the call", pair))
    }

    fn expects_import(&mut self, call: ImportCall<'_>) -> Result<(), Stop> {
        let at = call.function.0 as usize;
        if self.exchange.is_some() {
            return Err(self.unexpected_import(at, call.input));
        }
        let Some(event) = self.script.peek() else {
            return Err(self.reached("the recording has no more events"));
        };
        let header = event.header;
        let is_import = matches!(header.kind, Kind::HostCall | Kind::HostRequest);
        if !is_import || self.numbers.imports.get(at).copied().flatten() != Some(header.function) {
            return Err(self.unexpected_import(at, call.input));
        }
        match event.payload.input() {
            None => return Err(self.halted(Halt::Redacted(header.seq))),
            Some(recorded) if recorded != call.input => {
                let name = self.numbers.import_names.get(at).map_or("", String::as_str);
                let pair = Pair::of(name, &decoded(recorded), &decoded(call.input));
                return Err(self.diverged("the guest called the host with other arguments", pair));
            }
            Some(_) => {}
        }
        if self.numbers.same_package && header.fuel != call.fuel_used {
            let pair = Pair::named(format!("{} fuel", header.fuel), format!("{} fuel", call.fuel_used));
            let name = self.name(header.function);
            return Err(self.diverged(format!("{name} was called at another point"), pair));
        }
        Ok(())
    }

    /// The guest calls the host where the recording has something else.
    fn unexpected_import(&mut self, at: usize, input: &[u8]) -> Stop {
        let name = self.numbers.import_names.get(at).cloned().unwrap_or_default();
        let actual = render::shorten(&format_args!("host call {name} {}", decoded(input)), TEXT_CHARS);
        if let Some(exchange) = &self.exchange {
            let expected = format!("{} returns without a host call", self.name(exchange.header.function));
            return self.diverged("the guest called the host", Pair::named(expected, actual));
        }
        // Another package may get further than the one whose call was dropped here.
        if self.next_is_drop() && !self.numbers.same_package {
            return self.reached("the call was dropped");
        }
        let expected = self.next_text();
        self.diverged("the guest did something else", Pair::named(expected, actual))
    }

    fn next_is_drop(&self) -> bool {
        let dropped =
            |event: &Event| event.header.kind == Kind::Trap && event.header.outcome == Outcome::Dropped;
        self.script.peek().is_some_and(dropped)
    }

    /// Answers from the recorded host call or request.
    fn answer(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> Result<ImportStep<()>, Stop> {
        let event = self.take()?;
        if event.header.kind == Kind::HostCall {
            return self.reply(&event, reply);
        }
        let produced = Header { outcome: Outcome::Ok, ..event.header };
        self.check_header(&event, produced)?;
        match call.waiting {
            Waiting::Sleeps => self.respond(&event, call.fuel_used, reply),
            Waiting::GoesOn => {
                self.in_flight = Some(event);
                Ok(ImportStep::Wait(Box::pin(std::future::ready(()))))
            }
            Waiting::Refused => {
                let expected = render::shorten(&format_args!("{} that waits", event.header.kind), TEXT_CHARS);
                let pair = Pair::named(expected, "a call that is refused, because another is in flight");
                Err(self.diverged_at(&event, "the guest called the host at another point", pair))
            }
        }
    }

    /// Answers from the response to a request.
    fn respond(
        &mut self,
        request: &Event,
        fuel_used: u64,
        reply: &mut Vec<u8>,
    ) -> Result<ImportStep<()>, Stop> {
        let seq = request.header.seq;
        let pending = format!("request {seq} was pending");
        match self.script.peek().map(|next| (next.header.kind, next.header.outcome)) {
            Some((Kind::HostResponse, _)) => {
                let response = self.take()?;
                let outcome = response.header.outcome;
                self.check_header(&response, Header { outcome, fuel: fuel_used, ..request.header })?;
                match response.payload.input() {
                    None => Err(self.halted(Halt::Redacted(response.header.seq))),
                    Some(named) if !names_request(named, seq) => {
                        let expected = format!("a response to request {seq}");
                        let pair = Pair::named(expected, render::input(&response).to_string());
                        Err(self.diverged_at(&response, "a response names another request", pair))
                    }
                    Some(_) => self.reply(&response, reply),
                }
            }
            Some((Kind::Trap, Outcome::Dropped | Outcome::HostFault)) => {
                self.take()?;
                Err(self.reached(format!("the call was dropped while {pending}")))
            }
            None => Err(self.reached(format!("the recording ends while {pending}"))),
            Some(_) => {
                let pair = Pair::named(self.next_text(), format!("a response to request {seq}"));
                Err(self.diverged("a request has no response", pair))
            }
        }
    }

    fn reply(&mut self, event: &Event, reply: &mut Vec<u8>) -> Result<ImportStep<()>, Stop> {
        let seq = event.header.seq;
        match event.header.outcome {
            Outcome::Ok => {
                let Some(output) = event.payload.output() else {
                    return Err(self.halted(Halt::Redacted(seq)));
                };
                reply.extend_from_slice(output);
                self.note_shutdown(event);
                // The answer was recorded, but the call was dropped before the guest saw it. If another call is in
                // flight, the guest may have seen it and parked: then it had used more fuel.
                let is_here = |trap: TrapRecord| {
                    trap.pending.is_some() && (self.in_flight.is_none() || trap.fuel() == event.header.fuel)
                };
                if self.next_is_drop() && self.next_trap().is_some_and(is_here) {
                    self.take()?;
                    return Err(self.reached("the call was dropped at a host call"));
                }
                Ok(ImportStep::Reply)
            }
            Outcome::Refused if event.header.kind == Kind::HostCall => Ok(ImportStep::Refused),
            Outcome::HostFault => {
                match self.script.peek().map(|next| (next.header.kind, next.header.outcome)) {
                    Some((Kind::Trap, Outcome::HostFault)) => {
                        self.take()?;
                        let text =
                            format_args!("the host failed in the recording: {}", render::output(event))
                                .to_string();
                        Err(self.reached(render::shorten(&text, TEXT_CHARS)))
                    }
                    None => Err(self.reached("the recording ends at a fault of the host")),
                    // The end of the call is missing from the recording.
                    Some((Kind::Exit, _)) => {
                        let pair = Pair::named("the end of the call", self.next_text());
                        Err(self.diverged("a call has no end after the host had failed", pair))
                    }
                    Some(_) => {
                        let pair = Pair::named("a host that failed", self.next_text());
                        Err(self.diverged_at(event, "a call went on after the host had failed", pair))
                    }
                }
            }
            Outcome::Refused | Outcome::Error | Outcome::Trap | Outcome::Dropped => {
                let pair = Pair::named(event.header.outcome.to_string(), "ok, refused or host-fault");
                Err(self.diverged_at(event, "a host call cannot end like this", pair))
            }
        }
    }

    fn note_shutdown(&mut self, event: &Event) {
        if self.name(event.header.function) == SHUTDOWN
            && let Some(input) = event.payload.input()
            && let Ok(result) = pack_abi::decode(input)
        {
            self.shutdown = Some(result);
        }
    }

    fn next_trap(&self) -> Option<TrapRecord> {
        let event = self.script.peek()?;
        TrapRecord::decode(event.payload.output()?, event.header.fuel, event.header.outcome).ok()
    }

    /// Takes the event that must describe the end of the call: the exchange, or a return.
    fn end_event(&mut self, output: &Spliced<'_>) -> Result<Arc<Event>, Stop> {
        if let Some(exchange) = self.exchange.take() {
            return Ok(exchange);
        }
        match self.script.peek().map(|next| next.header.kind) {
            Some(Kind::Return) => self.take(),
            Some(_) if self.next_is_drop() && !self.numbers.same_package => {
                Err(self.reached("the call was dropped"))
            }
            Some(_) => {
                let shown = render::spliced(&output.pieces().concat());
                let actual = render::shorten(&format_args!("return {shown}"), TEXT_CHARS);
                let expected = self.next_text();
                Err(self.diverged("the guest did something else", Pair::named(expected, actual)))
            }
            None => Err(self.reached("the recording has no more events")),
        }
    }

    /// The hash that the end of the running call gives its new state; zero if it gives none.
    fn recorded_state_hash(&self) -> Hash {
        let event = self.exchange.as_deref().or_else(|| self.script.peek());
        match event.and_then(|event| event.payload.output()).map(Payload::parse) {
            Some(Ok(Payload::NewState { state_hash, .. })) => Hash(state_hash),
            _ => Hash::ZERO,
        }
    }

    fn check_end(&mut self, outcome: Outcome, fuel: u64, output: &Spliced<'_>) -> Result<(), Stop> {
        let event = self.end_event(output)?;
        let Some(recorded) = event.payload.output() else {
            return Err(self.halted(Halt::Redacted(event.header.seq)));
        };
        if !output.equals(recorded) {
            let shown = render::spliced(&output.pieces().concat());
            let pair = Pair::of(&self.name(event.header.function), &render::output(&event), &shown);
            return Err(self.diverged_at(&event, "the call returned something else", pair));
        }
        self.check_header(&event, Header { function: self.running, outcome, fuel, ..event.header })
    }

    fn check_trap(&mut self, trap: &Trap) -> Result<(), Stop> {
        let produced = TrapRecord::of_trap(trap);
        // An exchange never ends in a trap, so an open one is what the recording has instead.
        if let Some(exchange) = self.exchange.take() {
            let expected = render::shorten(&render::output(&exchange), TEXT_CHARS);
            let pair = Pair::named(expected, format!("trap {trap}"));
            return Err(self.diverged_at(&exchange, "the call trapped", pair));
        }
        match self.script.peek().map(|next| next.header.kind) {
            Some(Kind::Trap) => {}
            Some(_) => {
                let expected = self.next_text();
                return Err(self.diverged("the call trapped", Pair::named(expected, format!("trap {trap}"))));
            }
            None => return Err(self.reached("the recording has no more events")),
        }
        let event = self.take()?;
        let header = event.header;
        let Some(payload) = event.payload.output() else {
            return Err(self.halted(Halt::Redacted(header.seq)));
        };
        let Ok(recorded) = TrapRecord::decode(payload, header.fuel, header.outcome) else {
            let pair = Pair::named("no trap record", produced.to_string());
            return Err(self.diverged_at(&event, "the recording is malformed", pair));
        };
        self.check_header(&event, Header { function: self.running, fuel: recorded.fuel(), ..header })?;
        // A dropped call is repeated with the fuel it had used: it stops there for want of fuel.
        let is_drop = header.outcome == Outcome::Dropped && recorded.kind == "dropped";
        if is_drop && trap.kind == TrapKind::OutOfFuel && recorded.pending.is_none() {
            return Ok(());
        }
        if header.outcome == Outcome::HostFault && recorded.is_host_fault() {
            return Err(self.reached("the host failed"));
        }
        if header.outcome != Outcome::Trap || !recorded.same_end(&produced, self.numbers.same_package) {
            let pair = Pair::named(recorded.to_string(), produced.to_string());
            return Err(self.diverged_at(&event, "the call trapped in another way", pair));
        }
        self.trap = Some(produced);
        Ok(())
    }

    /// Adds the guest's frames to a difference that was found while it ran.
    fn add_backtrace(&mut self, trap: &Trap) {
        if let Some(Halt::Diverged(divergence)) = &mut self.halt {
            divergence.backtrace = TrapRecord::of_trap(trap).backtrace;
        }
    }
}

impl Boundary for Replayer {
    type Answer = ();

    fn enter(&mut self, call: ExportCall<'_>) -> Result<(), Stop> {
        let number = match self.numbers.exports.get(call.export.0 as usize) {
            Some(number) => *number,
            None => Some(NO_FUNCTION),
        };
        let Some(event) = self.script.peek() else {
            return Err(self.reached("the recording has no more events"));
        };
        let header = event.header;
        if !matches!(header.kind, Kind::Call | Kind::Exchange) || number != Some(header.function) {
            let expected = self.next_text();
            let actual = format!("call {}", number.map_or_else(String::new, |number| self.name(number)));
            return Err(self.diverged("another call", Pair::named(expected, actual)));
        }
        match event.payload.input() {
            None => return Err(self.halted(Halt::Redacted(header.seq))),
            Some(recorded)
                if !Spliced::same_state(&self.state, call.input).equals(without_cause(recorded)) =>
            {
                let name = self.name(header.function);
                let pair = Pair::of(&name, &render::input(event), &decoded(call.input));
                return Err(self.diverged("the call got other arguments", pair));
            }
            Some(_) => {}
        }
        let event = self.take()?;
        self.running = header.function;
        self.shutdown = None;
        if header.kind == Kind::Exchange {
            self.exchange = Some(event);
            return Ok(());
        }
        self.check_header(&event, Header { outcome: Outcome::Ok, fuel: 0, ..header })
    }

    fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<()> {
        let answered = self.expects_import(call).and_then(|()| self.answer(call, reply));
        answered.unwrap_or_else(ImportStep::Stop)
    }

    fn resume(&mut self, call: ImportCall<'_>, (): (), reply: &mut Vec<u8>) -> ImportStep<()> {
        // Nothing waits in a replay but a call in flight, until its guest has parked.
        let Some(request) = self.in_flight.take() else { return ImportStep::Reply };
        self.respond(&request, call.fuel_used, reply).unwrap_or_else(ImportStep::Stop)
    }

    fn leave(&mut self, call: ExportCall<'_>, end: CallEnd<'_>) -> Result<(), Stop> {
        self.returned = None;
        self.trap = None;
        self.in_flight = None;
        if self.halt.is_some() {
            if let CallEnd::Trapped { trap } = end {
                self.add_backtrace(trap);
            }
            return Ok(());
        }
        match end {
            CallEnd::Returned { output, fuel } => {
                let returned = Returned::read(output, self.numbers.package.contract(call.export));
                let spliced = match returned.new_state(output, &self.state) {
                    Some(state) => {
                        match &self.hasher {
                            Some(hasher) => self.state.replace(state, hasher),
                            None => self.state.replace_as(state, self.recorded_state_hash()),
                        }
                        Spliced::new_state(&self.state, output)
                    }
                    None => Spliced::same_state(&self.state, output),
                };
                self.check_end(returned.outcome(), fuel, &spliced)?;
                self.returned = Some(returned);
                Ok(())
            }
            CallEnd::GuestError { message, fuel } => {
                self.check_end(Outcome::Error, fuel, &Spliced::text(message))
            }
            CallEnd::Trapped { trap } => self.check_trap(trap),
            // Nothing drops the call of a replay but the end of the replay itself.
            CallEnd::Dropped { .. } => Ok(()),
        }
    }
}

/// Returns a recorded call without the cause in front of it, which is copied and not produced.
fn without_cause(recorded: &[u8]) -> &[u8] {
    match split_cause(recorded) {
        Ok((_, call)) => call,
        Err(_) => recorded,
    }
}

/// Returns whether a response names this request, with or without the event that led to it.
fn names_request(named: &[u8], seq: u64) -> bool {
    let number = seq.to_le_bytes();
    named == number || (named.len() == number.len() + CAUSE_BYTES && named.starts_with(&number))
}

fn decoded(bytes: &[u8]) -> Shown {
    match pack_abi::decode(bytes) {
        Ok(value) => Shown::Value(value),
        Err(_) => Shown::Opaque(bytes.to_vec()),
    }
}
