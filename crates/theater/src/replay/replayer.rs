//! The replaying side of the boundary: the next event must match, and answers.
//!
//! There is no handler here and no field that could hold one.

use std::sync::Arc;

use pack::{Boundary, CallEnd, ExportCall, ExportIndex, ImportCall, ImportStep, Stop, Trap, TrapKind};
use theater_chain::{Event, Kind, NO_FUNCTION, Outcome, ReadError, RunHasher};

use super::divergence::{Divergence, Pair};
use super::script::Script;
use crate::actor::{Returned, State, TrapRecord};
use crate::record::Spliced;
use crate::render::{self, Shown};

/// How the functions of the running package are numbered in the recording.
pub(crate) struct Numbers {
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
    hasher: RunHasher,
    numbers: Numbers,
    /// The exchange that the running call must turn out to be.
    exchange: Option<Arc<Event>>,
    halt: Option<Halt>,
    returned: Option<Returned>,
    trap: Option<TrapRecord>,
}

/// Passes through the guest when the replay halts; the reason stays with the replayer.
#[derive(Debug, thiserror::Error)]
#[error("the replay halted")]
struct Halted;

impl Replayer {
    pub(crate) fn new(script: Script, state: State, hasher: RunHasher, numbers: Numbers) -> Self {
        let (exchange, halt, returned, trap) = (None, None, None, None);
        Self { script, state, hasher, numbers, exchange, halt, returned, trap }
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

    pub(crate) fn take_halt(&mut self) -> Option<Halt> {
        self.halt.take()
    }

    pub(crate) fn take_returned(&mut self) -> Option<Returned> {
        self.returned.take()
    }

    /// Returns the trap that the last call ended with, in the replay and in the recording.
    pub(crate) fn take_trap(&mut self) -> Option<TrapRecord> {
        self.trap.take()
    }

    fn halted(&mut self, halt: Halt) -> Stop {
        self.halt = Some(halt);
        Stop(Box::new(Halted))
    }

    fn diverged(&mut self, what: impl Into<String>, pair: Pair) -> Stop {
        let divergence = self.script.divergence(what, pair);
        self.halted(Halt::Diverged(Box::new(divergence)))
    }

    fn take(&mut self) -> Result<Arc<Event>, Stop> {
        match self.script.take() {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(self.halted(Halt::Reached("the recording has no more events".to_owned()))),
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
                render::shorten(&format_args!("{} {name} {body}", event.header.kind), 2000)
            }
            None => "the end of the recording".to_owned(),
        }
    }

    fn check_import(&mut self, call: ImportCall<'_>) -> Result<(), Stop> {
        let at = call.function.0 as usize;
        let name = self.numbers.import_names.get(at).cloned().unwrap_or_default();
        let actual_input = decoded(call.input);
        if let Some(exchange) = &self.exchange {
            let expected = format!("{} returns without a host call", self.name(exchange.header.function));
            let actual = render::shorten(&format_args!("{name} {actual_input}"), 2000);
            return Err(self.diverged("the guest called the host", Pair::named(expected, actual)));
        }
        let Some(event) = self.script.peek() else {
            return Err(self.halted(Halt::Reached("the recording has no more events".to_owned())));
        };
        let header = event.header;
        let is_import = matches!(header.kind, Kind::HostCall | Kind::HostRequest);
        let number = self.numbers.imports.get(at).copied().flatten();
        if !is_import || number != Some(header.function) {
            let actual = render::shorten(&format_args!("host call {name} {actual_input}"), 2000);
            let expected = self.next_text();
            return Err(self.diverged("the guest did something else", Pair::named(expected, actual)));
        }
        match event.payload.input() {
            None => return Err(self.redacted()),
            Some(recorded) if recorded != call.input => {
                let pair = Pair::of(&name, &decoded(recorded), &actual_input);
                return Err(self.diverged("the guest called the host with other arguments", pair));
            }
            Some(_) => {}
        }
        if self.numbers.same_package && header.fuel != call.fuel_used {
            let pair = Pair::named(format!("{} fuel", header.fuel), format!("{} fuel", call.fuel_used));
            return Err(self.diverged(format!("{name} was called at another point"), pair));
        }
        Ok(())
    }

    fn redacted(&mut self) -> Stop {
        let seq = self.script.position();
        self.halted(Halt::Redacted(seq))
    }

    /// Answers from the recorded host call or request.
    fn answer(&mut self, reply: &mut Vec<u8>) -> Result<ImportStep<()>, Stop> {
        let event = self.take()?;
        if event.header.kind == Kind::HostCall {
            return self.reply(&event, reply);
        }
        let request = event.header.seq;
        match self.script.peek().map(|next| next.header.kind) {
            Some(Kind::HostResponse) => {
                let response = self.take()?;
                if response.payload.input() != Some(&request.to_le_bytes()[..]) {
                    let pair = Pair::named(
                        format!("a response to request {request}"),
                        render::input(&response).to_string(),
                    );
                    return Err(self.diverged("a response names another request", pair));
                }
                self.reply(&response, reply)
            }
            Some(Kind::Trap) => {
                self.take()?;
                Err(self.halted(Halt::Reached(format!(
                    "the call was dropped while request {request} was pending"
                ))))
            }
            Some(_) | None => {
                Err(self
                    .halted(Halt::Reached(format!("the recording ends while request {request} is pending"))))
            }
        }
    }

    fn reply(&mut self, event: &Event, reply: &mut Vec<u8>) -> Result<ImportStep<()>, Stop> {
        match event.header.outcome {
            Outcome::Ok | Outcome::Error => match event.payload.output() {
                Some(output) => {
                    reply.extend_from_slice(output);
                    Ok(ImportStep::Reply)
                }
                None => Err(self.redacted()),
            },
            Outcome::Refused => Ok(ImportStep::Refused),
            Outcome::Trap | Outcome::Dropped | Outcome::HostFault => {
                // The trap event that closes the call is the recording of the same fault.
                if self.script.peek().is_some_and(|next| next.header.kind == Kind::Trap) {
                    self.take()?;
                }
                let text = format!("the host failed in the recording: {}", render::output(event));
                Err(self.halted(Halt::Reached(text)))
            }
        }
    }

    /// Takes the event that must describe the end of the call: the exchange, or a return.
    fn end_event(&mut self, actual: &str) -> Result<Arc<Event>, Stop> {
        if let Some(exchange) = self.exchange.take() {
            return Ok(exchange);
        }
        match self.script.peek().map(|next| next.header.kind) {
            Some(Kind::Return) => self.take(),
            Some(_) => {
                let expected = self.next_text();
                Err(self.diverged("the guest did something else", Pair::named(expected, actual)))
            }
            None => Err(self.halted(Halt::Reached("the recording has no more events".to_owned()))),
        }
    }

    fn check_end(&mut self, outcome: Outcome, fuel: u64, output: &Spliced<'_>) -> Result<(), Stop> {
        let [head, rest] = output.pieces();
        let bytes = [head, rest].concat();
        let shown = render::spliced(&bytes);
        let event = self.end_event(&render::shorten(&format_args!("return {shown}"), 2000))?;
        let Some(recorded) = event.payload.output() else { return Err(self.redacted()) };
        let name = self.name(event.header.function);
        if event.header.outcome != outcome || recorded != bytes {
            let pair = Pair::of(&name, &render::output(&event), &shown);
            return Err(self.diverged_at(&event, "the call returned something else", pair));
        }
        if self.numbers.same_package && event.header.fuel != fuel {
            let pair = Pair::named(format!("{} fuel", event.header.fuel), format!("{fuel} fuel"));
            return Err(self.diverged_at(&event, "the call took another way to the same result", pair));
        }
        Ok(())
    }

    /// Describes a difference at an event that was already taken.
    fn diverged_at(&mut self, event: &Event, what: &str, pair: Pair) -> Stop {
        let mut divergence = self.script.divergence(what, pair);
        divergence.seq = event.header.seq;
        divergence.before.pop();
        self.halted(Halt::Diverged(Box::new(divergence)))
    }

    fn check_trap(&mut self, trap: &Trap) -> Result<(), Stop> {
        let produced = TrapRecord::of_trap(trap);
        // An exchange never ends in a trap, so an open one is what the recording has instead.
        if let Some(exchange) = self.exchange.take() {
            let pair = Pair::named(render::output(&exchange).to_string(), format!("trap {trap}"));
            return Err(self.diverged_at(&exchange, "the call trapped", pair));
        }
        let Some(event) = self.script.peek() else {
            return Err(self.halted(Halt::Reached("the recording has no more events".to_owned())));
        };
        if event.header.kind != Kind::Trap {
            let expected = self.next_text();
            return Err(self.diverged("the call trapped", Pair::named(expected, format!("trap {trap}"))));
        }
        let event = self.take()?;
        let Some(payload) = event.payload.output() else { return Err(self.redacted()) };
        let recorded = match TrapRecord::decode(payload, event.header.fuel, event.header.outcome) {
            Ok(recorded) => recorded,
            Err(error) => {
                let text = format!("the trap event cannot be decoded: {error}");
                return Err(self.diverged_at(&event, "the recording is malformed", Pair::named(text, "")));
            }
        };
        // A dropped call is repeated with the fuel it had used: it stops there for want of fuel.
        if event.header.outcome == Outcome::Dropped && trap.kind == TrapKind::OutOfFuel {
            return Ok(());
        }
        if event.header.outcome == Outcome::HostFault {
            return Err(self.halted(Halt::Reached("the host failed".to_owned())));
        }
        if !recorded.same_end(&produced, self.numbers.same_package) {
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
            return Err(self.halted(Halt::Reached("the recording has no more events".to_owned())));
        };
        let kind = event.header.kind;
        if !matches!(kind, Kind::Call | Kind::Exchange) || number != Some(event.header.function) {
            let expected = self.next_text();
            let actual = format!("call {}", number.map_or_else(String::new, |number| self.name(number)));
            return Err(self.diverged("another call", Pair::named(expected, actual)));
        }
        let spliced = Spliced::same_state(&self.state, call.input);
        match event.payload.input() {
            None => return Err(self.redacted()),
            Some(recorded) if !spliced.equals(recorded) => {
                let name = self.name(event.header.function);
                let pair = Pair::of(&name, &render::input(event), &decoded(call.input));
                return Err(self.diverged("the call got other arguments", pair));
            }
            Some(_) => {}
        }
        let event = self.take()?;
        if kind == Kind::Exchange {
            self.exchange = Some(event);
        }
        Ok(())
    }

    fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<()> {
        let answered = self.check_import(call).and_then(|()| self.answer(reply));
        answered.unwrap_or_else(ImportStep::Stop)
    }

    fn resume(&mut self, _call: ImportCall<'_>, (): (), _reply: &mut Vec<u8>) -> ImportStep<()> {
        // A replay never waits; see `import`.
        ImportStep::Reply
    }

    fn leave(&mut self, _call: ExportCall<'_>, end: CallEnd<'_>) -> Result<(), Stop> {
        self.returned = None;
        self.trap = None;
        if self.halt.is_some() {
            if let CallEnd::Trapped { trap } = end {
                self.add_backtrace(trap);
            }
            return Ok(());
        }
        match end {
            CallEnd::Returned { output, fuel } => {
                let returned = Returned::read(output).map_err(|error| Stop(Box::new(error)))?;
                let spliced = match returned.new_state(output, &self.state) {
                    Some(state) => {
                        self.state.replace(state, &self.hasher);
                        Spliced::new_state(&self.state, output)
                    }
                    None => Spliced::same_state(&self.state, output),
                };
                let outcome = returned.outcome();
                self.check_end(outcome, fuel, &spliced)?;
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

fn decoded(bytes: &[u8]) -> Shown {
    match pack_abi::decode(bytes) {
        Ok(value) => Shown::Value(value),
        Err(_) => Shown::Opaque(bytes.to_vec()),
    }
}
