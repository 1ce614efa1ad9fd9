//! The recording side of the boundary: asks the handlers, then appends the outcome.
//!
//! An export call is written when its first import happens or when it ends, whichever is first: a call with
//! nothing in between is one `exchange`. What a handler wants done in the world is done after the event that
//! says so is appended, and with [`Durability::Sync`] after it is on disk.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use pack::{Boundary, CallEnd, ExportCall, ExportIndex, ImportCall, ImportStep, Package, Stop, Waiting};
use pack_abi::contract::{Contract, Violation};
use theater_chain::{Cause, Durability, JournalError, Kind, NO_FUNCTION, Outcome};

use super::append::{ActorChain, Crossing};
use super::cause::{cause_bytes, push_cause};
use super::splice::Spliced;
use crate::actor::{ActorPath, LogSink, Returned, State, TrapRecord};
use crate::handler::{Answer, Call, Effect, Handler, HandlerFuture, HostFault, Response, ResponseFuture};

/// Capacity of the payload buffer that is kept between calls.
const SPARE_BYTES_MAX: usize = 64 << 10;
/// What is recorded of a request of a guest that has one in flight already.
const ALREADY_IN_FLIGHT: &str = "another call of this guest is in flight; await one before making the next";

/// Where the calls of one import go.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Position in [`RecorderParts::handlers`].
    pub(crate) handler: usize,
    pub(crate) interface: String,
    pub(crate) function: String,
    /// What the calls of a handler without types are checked against.
    pub(crate) contract: Arc<Contract>,
}

/// What a recorder is made of.
pub(crate) struct RecorderParts {
    pub(crate) path: ActorPath,
    pub(crate) package: Package,
    pub(crate) chain: ActorChain,
    pub(crate) durability: Durability,
    pub(crate) routes: Arc<[Route]>,
    pub(crate) handlers: Vec<Box<dyn Handler>>,
    pub(crate) state: State,
    pub(crate) log: Arc<dyn LogSink>,
}

/// An export call whose end is not recorded yet.
struct OpenCall {
    time_us: u64,
    function: u32,
    /// The call's payload; taken once the call event is appended.
    payload: Option<Vec<u8>>,
}

/// What an import waited for.
pub(crate) enum Woken {
    /// The journal has room, or the events are on disk.
    Recorded(Result<(), JournalError>),
    /// A handler's future has ended.
    Response(Result<Response, HostFault>),
}

/// Records one incarnation of one actor.
pub(crate) struct Recorder {
    parts: RecorderParts,
    open: Option<OpenCall>,
    /// Sequence number of the host request without a response.
    request: Option<u64>,
    /// Reply and effect that wait until the journal has taken the event.
    held: Option<(Vec<u8>, Option<Effect>)>,
    shutdown: Option<Option<Vec<u8>>>,
    returned: Option<Returned>,
    spare: Vec<u8>,
    /// The event that the next call is about.
    cause: Option<Cause>,
    /// Fuel of the last call that returned.
    fuel: u64,
}

impl Recorder {
    pub(crate) fn new(parts: RecorderParts) -> Self {
        Self {
            parts,
            open: None,
            request: None,
            held: None,
            shutdown: None,
            returned: None,
            spare: Vec::new(),
            cause: None,
            fuel: 0,
        }
    }

    /// Says which event the next call is about.
    pub(crate) fn set_cause(&mut self, cause: Option<Cause>) {
        self.cause = cause;
    }

    /// Returns the fuel of the last call that returned.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel
    }

    pub(crate) fn state(&self) -> &State {
        &self.parts.state
    }

    pub(crate) fn chain(&mut self) -> &mut ActorChain {
        &mut self.parts.chain
    }

    /// Waits until what was recorded is as durable as the run promises before anything leaves it.
    pub(crate) fn settled(&self) -> impl Future<Output = Result<(), JournalError>> + Send + 'static {
        let last = self.parts.chain.last().filter(|_| self.parts.durability == Durability::Sync);
        let durable = last.map(|position| self.parts.chain.journal().durable(position));
        async move {
            match durable {
                Some(durable) => durable.await,
                None => Ok(()),
            }
        }
    }

    /// Returns the result that the actor asked to end with, once it has asked.
    pub(crate) fn take_shutdown(&mut self) -> Option<Option<Vec<u8>>> {
        self.shutdown.take()
    }

    /// Returns what the last call returned.
    pub(crate) fn take_returned(&mut self) -> Option<Returned> {
        self.returned.take()
    }

    /// Returns the event number of a function: imports first, then exports.
    fn export_function(&self, export: ExportIndex) -> u32 {
        export_function(export, self.parts.routes.len())
    }

    fn append(&mut self, crossing: Crossing, input: &[&[u8]], output: &[&[u8]]) -> Result<(), Stop> {
        self.parts.chain.append(crossing, input, output).map_err(stop)
    }

    /// Appends the call event if it is not there yet.
    fn open_call(&mut self) -> Result<(), Stop> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Some(payload) = open.payload.take() else { return Ok(()) };
        let crossing = Crossing::ok(Kind::Call, open.function, 0);
        let appended = self.parts.chain.append_at(open.time_us, crossing, &[&payload], &[]);
        self.spare = payload;
        appended.map_err(stop)
    }

    /// Appends the end of the open call: one `exchange` if nothing was in between.
    fn close_call(&mut self, fuel: u64, outcome: Outcome, output: &Spliced<'_>) -> Result<(), Stop> {
        let Some(mut open) = self.open.take() else {
            return Err(stop(OrderError("a call ended that never began")));
        };
        // A guest may return without the answer that it has asked for.
        self.request = None;
        let kind = if open.payload.is_some() { Kind::Exchange } else { Kind::Return };
        let crossing = Crossing::ok(kind, open.function, fuel).with_outcome(outcome);
        match open.payload.take() {
            Some(payload) => {
                let appended = self.append(crossing, &[&payload], &output.pieces());
                self.spare = payload;
                appended
            }
            None => self.append(crossing, &[], &output.pieces()),
        }
    }

    fn answer(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<Woken> {
        let index = call.function.0 as usize;
        let Some(route) = self.parts.routes.get(index) else {
            return ImportStep::Stop(stop(OrderError("an import without a route was called")));
        };
        let handler_call = Call {
            interface: &route.interface,
            function: &route.function,
            input: call.input,
            seq: self.parts.chain.next_seq(),
        };
        let handler = &mut self.parts.handlers[route.handler];
        let contract = if handler.is_typed() { None } else { Some(&route.contract) };
        let asked = contract.map_or(Ok(()), |contract| contract.check_import(call.input));
        let answered = match asked {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| handler.call(handler_call, reply))),
            Err(violation) => Ok(Answer::Refused(violation.to_string())),
        };
        let answered = answered.map(|answer| match contract {
            Some(contract) => checked(contract, answer, reply),
            None => Ok(answer),
        });
        let function = u32::try_from(index).unwrap_or(NO_FUNCTION);
        match answered {
            Ok(Ok(Answer::Reply)) => self.replied(call, function, reply, None),
            Ok(Ok(Answer::ReplyWith(effect))) => self.replied(call, function, reply, Some(effect)),
            Ok(Ok(Answer::Request(_) | Answer::Ask(..))) if call.waiting == Waiting::Refused => {
                self.refused(call, function, ALREADY_IN_FLIGHT)
            }
            Ok(Ok(Answer::Request(future))) => self.requested(call, function, None, plain(future)),
            Ok(Ok(Answer::Ask(effect, future))) => self.requested(call, function, effect, future),
            Ok(Ok(Answer::Refused(text))) => self.refused(call, function, &text),
            Ok(Err(violation)) => self.failed(call, function, violation.to_string()),
            Err(panic) => self.failed(call, function, panic_text(panic.as_ref())),
        }
    }

    /// The handler did not do its part.
    fn failed(&mut self, call: ImportCall<'_>, function: u32, text: String) -> ImportStep<Woken> {
        let crossing =
            Crossing::ok(Kind::HostCall, function, call.fuel_used).with_outcome(Outcome::HostFault);
        match self.append(crossing, &[call.input], &[text.as_bytes()]) {
            Ok(()) => ImportStep::Stop(stop(HostFault(text))),
            Err(stop) => ImportStep::Stop(stop),
        }
    }

    fn refused(&mut self, call: ImportCall<'_>, function: u32, text: &str) -> ImportStep<Woken> {
        let crossing = Crossing::ok(Kind::HostCall, function, call.fuel_used).with_outcome(Outcome::Refused);
        match self.append(crossing, &[call.input], &[text.as_bytes()]) {
            Ok(()) => ImportStep::Refused,
            Err(stop) => ImportStep::Stop(stop),
        }
    }

    fn replied(
        &mut self,
        call: ImportCall<'_>,
        function: u32,
        reply: &mut Vec<u8>,
        effect: Option<Effect>,
    ) -> ImportStep<Woken> {
        let crossing = Crossing::ok(Kind::HostCall, function, call.fuel_used);
        if let Err(stop) = self.append(crossing, &[call.input], &[reply]) {
            return ImportStep::Stop(stop);
        }
        self.settle(reply, effect)
    }

    fn requested(
        &mut self,
        call: ImportCall<'_>,
        function: u32,
        effect: Option<Effect>,
        future: ResponseFuture,
    ) -> ImportStep<Woken> {
        let seq = self.parts.chain.next_seq();
        let crossing = Crossing::ok(Kind::HostRequest, function, call.fuel_used);
        if let Err(stop) = self.append(crossing, &[call.input], &[]) {
            return ImportStep::Stop(stop);
        }
        self.request = Some(seq);
        self.perform(effect);
        let future = guarded(future);
        match (self.parts.durability, self.parts.chain.last()) {
            (Durability::Sync, Some(position)) => {
                let durable = self.parts.chain.journal().durable(position);
                ImportStep::Wait(Box::pin(async move {
                    match durable.await {
                        Ok(()) => Woken::Response(future.await),
                        Err(error) => Woken::Recorded(Err(error)),
                    }
                }))
            }
            _ => ImportStep::Wait(Box::pin(async move { Woken::Response(future.await) })),
        }
    }

    fn responded(
        &mut self,
        call: ImportCall<'_>,
        response: Result<Response, HostFault>,
        reply: &mut Vec<u8>,
    ) -> ImportStep<Woken> {
        let Some(request) = self.request.take() else {
            return ImportStep::Stop(stop(OrderError("a response came without its request")));
        };
        let function = u32::try_from(call.function.0 as usize).unwrap_or(NO_FUNCTION);
        let crossing = Crossing::ok(Kind::HostResponse, function, call.fuel_used);
        let named = request.to_le_bytes();
        match response {
            Ok(Response { result, cause, effect }) => {
                let cause = cause.map(cause_bytes);
                let cause = cause.as_ref().map_or(&[][..], |cause| cause);
                if let Err(stop) = self.append(crossing, &[&named, cause], &[&result]) {
                    return ImportStep::Stop(stop);
                }
                reply.clear();
                reply.extend_from_slice(&result);
                self.settle(reply, effect)
            }
            Err(fault) => {
                let crossing = crossing.with_outcome(Outcome::HostFault);
                match self.append(crossing, &[&named], &[fault.0.as_bytes()]) {
                    Ok(()) => ImportStep::Stop(stop(fault)),
                    Err(stop) => ImportStep::Stop(stop),
                }
            }
        }
    }

    /// The event is appended: waits for the journal if it must, else performs the effect and lets the guest go on.
    fn settle(&mut self, reply: &mut Vec<u8>, effect: Option<Effect>) -> ImportStep<Woken> {
        // What stays in the run is done at once: its event says that it is done, and a kill must not come between.
        let (effect, inside) = match effect {
            Some(effect) if effect.leaves_the_run() => (Some(effect), None),
            inside => (None, inside),
        };
        self.perform(inside);
        let pressed = self.parts.chain.take_pressure();
        let durable = effect.is_some() && self.parts.durability == Durability::Sync;
        if !pressed && !durable {
            self.perform(effect);
            return ImportStep::Reply;
        }
        self.held = Some((std::mem::take(reply), effect));
        let journal = self.parts.chain.journal().clone();
        let position = self.parts.chain.last().filter(|_| durable);
        // Whether the journal keeps up must not show in what the guest does.
        ImportStep::Pause(Box::pin(async move {
            let recorded = match position {
                Some(position) => journal.durable(position).await,
                None => journal.ready().await,
            };
            Woken::Recorded(recorded)
        }))
    }

    fn perform(&mut self, effect: Option<Effect>) {
        match effect {
            Some(Effect::Log(text)) => self.parts.log.log(&self.parts.path, &text),
            Some(Effect::Shutdown(result)) => self.shutdown = Some(result),
            Some(Effect::Deliver(delivery)) => delivery.perform(),
            None => {}
        }
    }
}

impl Boundary for Recorder {
    type Answer = Woken;

    fn enter(&mut self, call: ExportCall<'_>) -> Result<(), Stop> {
        if self.open.is_some() {
            return Err(stop(OrderError("a call began inside another")));
        }
        let mut payload = std::mem::take(&mut self.spare);
        payload.clear();
        payload.shrink_to(SPARE_BYTES_MAX);
        if let Some(cause) = self.cause.take() {
            push_cause(&mut payload, cause);
        }
        for piece in Spliced::same_state(&self.parts.state, call.input).pieces() {
            payload.extend_from_slice(piece);
        }
        let function = self.export_function(call.export);
        let time_us = self.parts.chain.now_us();
        self.open = Some(OpenCall { time_us, function, payload: Some(payload) });
        Ok(())
    }

    fn import(&mut self, call: ImportCall<'_>, reply: &mut Vec<u8>) -> ImportStep<Woken> {
        match self.open_call() {
            Ok(()) => self.answer(call, reply),
            Err(stop) => ImportStep::Stop(stop),
        }
    }

    fn resume(&mut self, call: ImportCall<'_>, answer: Woken, reply: &mut Vec<u8>) -> ImportStep<Woken> {
        match answer {
            Woken::Response(response) => self.responded(call, response, reply),
            Woken::Recorded(Err(error)) => ImportStep::Stop(stop(error)),
            Woken::Recorded(Ok(())) => {
                if let Some((held, effect)) = self.held.take() {
                    *reply = held;
                    self.perform(effect);
                }
                ImportStep::Reply
            }
        }
    }

    fn leave(&mut self, call: ExportCall<'_>, end: CallEnd<'_>) -> Result<(), Stop> {
        self.returned = None;
        match end {
            CallEnd::Returned { output, fuel } => {
                let returned = Returned::read(output, self.parts.package.contract(call.export));
                let changed = returned.new_state(output, &self.parts.state);
                let spliced = match changed {
                    Some(state) => {
                        self.parts.state.replace(state, self.parts.chain.journal().hasher());
                        Spliced::new_state(&self.parts.state, output)
                    }
                    None => Spliced::same_state(&self.parts.state, output),
                };
                let outcome = returned.outcome();
                self.returned = Some(returned);
                self.fuel = fuel;
                self.close_call(fuel, outcome, &spliced)
            }
            CallEnd::GuestError { message, fuel } => {
                self.close_call(fuel, Outcome::Error, &Spliced::text(message))
            }
            CallEnd::Trapped { trap } => {
                let record = TrapRecord::of_trap(trap);
                self.trapped(&record)
            }
            CallEnd::Dropped { fuel, pending_import } => {
                let record = TrapRecord::of_drop(fuel, pending_import, &self.parts.routes);
                self.trapped(&record)
            }
        }
    }

    fn wait_ready(&mut self) -> Option<Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>> {
        if !self.parts.chain.take_pressure() {
            return None;
        }
        let ready = self.parts.chain.journal().ready();
        Some(Box::pin(async move { ready.await.map_err(stop) }))
    }
}

impl Recorder {
    fn trapped(&mut self, record: &TrapRecord) -> Result<(), Stop> {
        self.open_call()?;
        let function = self.open.take().map_or(NO_FUNCTION, |open| open.function);
        self.request = None;
        self.held = None;
        let crossing = Crossing::ok(Kind::Trap, function, record.fuel()).with_outcome(record.outcome());
        self.append(crossing, &[], &[&record.encode().map_err(stop)?])
    }
}

/// Compares what a handler without types answers with what its interface says.
fn checked(contract: &Arc<Contract>, answer: Answer, reply: &[u8]) -> Result<Answer, Violation> {
    match answer {
        Answer::Reply | Answer::ReplyWith(_) => contract.check_result(reply).map(|()| answer),
        Answer::Request(future) => Ok(Answer::Ask(None, checked_later(contract, plain(future)))),
        Answer::Ask(effect, future) => Ok(Answer::Ask(effect, checked_later(contract, future))),
        Answer::Refused(_) => Ok(answer),
    }
}

fn checked_later(contract: &Arc<Contract>, future: ResponseFuture) -> ResponseFuture {
    let contract = Arc::clone(contract);
    Box::pin(async move {
        let response = future.await?;
        match contract.check_result(&response.result) {
            Ok(()) => Ok(response),
            Err(violation) => Err(HostFault(violation.to_string())),
        }
    })
}

/// Turns the future of a handler that knows nothing of other actors into one that could.
fn plain(future: HandlerFuture) -> ResponseFuture {
    Box::pin(async move { Ok(Response { result: future.await?, cause: None, effect: None }) })
}

/// Wraps an error so that it passes through the guest.
fn stop(error: impl std::error::Error + Send + Sync + 'static) -> Stop {
    Stop(Box::new(error))
}

/// Returns the number of an export in genesis' function table: imports come first.
fn export_function(export: ExportIndex, imports: usize) -> u32 {
    if export == ExportIndex::INSTANTIATE {
        return NO_FUNCTION;
    }
    u32::try_from(imports + export.0 as usize).unwrap_or(NO_FUNCTION)
}

/// The engine broke the order of calls; a bug, reported instead of a panic.
#[derive(Debug, thiserror::Error)]
#[error("internal error at the boundary: {0}")]
struct OrderError(&'static str);

/// Returns the future with a panic in it turned into a host fault.
async fn guarded(mut future: ResponseFuture) -> Result<Response, HostFault> {
    std::future::poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(HostFault(panic_text(panic.as_ref())))))
    })
    .await
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    format!("the handler panicked: {text}")
}
