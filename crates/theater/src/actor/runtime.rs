//! One actor's task: runs its calls one at a time and ends it, with every step in its chain.

use std::num::NonZeroU32;
use std::time::Duration;

use pack::{CallError, CallResult, ExportIndex, InstanceLimits, PackInstance, Prepared, StartError, Stop};
use theater_chain::{Exit, ExitReason, JournalError, Kind};
use tokio::sync::{mpsc, oneshot, watch};

use super::handle::CallFailure;
use super::{ActorPath, Arguments, Control, CrashReport, Entry, ExitReport, Message, Returned, TrapRecord};
use super::{is_orderly, reason_of};
use crate::handler::HostFault;
use crate::limits;
use crate::manifest::Limits;
use crate::record::{ActorChain, Crossing, Recorder};

/// What an actor is started from.
pub(crate) struct ActorParts {
    pub(crate) path: ActorPath,
    pub(crate) incarnation: u32,
    /// The run's name, if it is kept.
    pub(crate) run_id: Option<String>,
    pub(crate) prepared: Prepared<Recorder>,
    pub(crate) limits: Limits,
    pub(crate) entry: Entry,
    pub(crate) mailbox: mpsc::Receiver<Message>,
    pub(crate) control: watch::Receiver<Control>,
    pub(crate) recreate_every: Option<NonZeroU32>,
}

/// The task that owns an actor.
pub struct ActorRuntime {
    parts: ActorParts,
    calls: u32,
    /// The call in hand; it becomes text only if the actor crashes.
    in_hand: Option<(ExportIndex, Arguments)>,
    /// What the call returned that the actor was started for.
    answer: Option<Vec<u8>>,
}

/// What is left after an actor's last call.
struct Ending {
    reason: ExitReason,
    result: Option<Vec<u8>>,
    trap: Option<TrapRecord>,
}

impl Ending {
    fn of(reason: ExitReason) -> Self {
        Self { reason, result: None, trap: None }
    }
}

/// An actor between two calls: it lives on, or only its recorder is left.
enum Body {
    Live(Box<PackInstance<Recorder>>),
    Over(Box<Recorder>, Ending),
}

impl Body {
    fn recorder(&mut self) -> &mut Recorder {
        match self {
            Self::Live(instance) => instance.boundary_mut(),
            Self::Over(recorder, _) => recorder,
        }
    }
}

/// What a call brought: the encoded result, or the text of an error.
type Outcome = Result<Vec<u8>, String>;

/// Why a call was dropped.
#[derive(Clone, Copy)]
enum Dropped {
    Deadline,
    Kill,
}

impl ActorRuntime {
    pub(crate) fn new(parts: ActorParts) -> Self {
        Self { parts, calls: 0, in_hand: None, answer: None }
    }

    /// Runs the actor from instantiation to its exit event. `started` hears how `init` went.
    pub(crate) async fn run(
        mut self,
        recorder: Recorder,
        started: oneshot::Sender<Result<(), String>>,
    ) -> ExitReport {
        let (recorder, ending) = self.live(recorder, started).await;
        self.end(recorder, ending).await
    }

    async fn live(
        &mut self,
        recorder: Recorder,
        started: oneshot::Sender<Result<(), String>>,
    ) -> (Box<Recorder>, Ending) {
        let body = match self.instantiate(recorder).await {
            Ok(instance) => self.enter(instance).await,
            Err(over) => over,
        };
        let instance = match body {
            Body::Live(instance) => {
                // Whoever asked may have gone away; the actor lives all the same.
                drop(started.send(Ok(())));
                instance
            }
            Body::Over(recorder, ending) => {
                let start = if is_orderly(&ending.reason) { Ok(()) } else { Err(ending.reason.to_string()) };
                drop(started.send(start));
                return (recorder, ending);
            }
        };
        self.serve(instance).await
    }

    /// Makes an instance, within fuel and time like any call: a start function is guest code.
    async fn instantiate(&mut self, recorder: Recorder) -> Result<Box<PackInstance<Recorder>>, Body> {
        let bounds = instance_limits(&self.parts.limits);
        let mut instance = Box::new(PackInstance::new(&self.parts.prepared, recorder, &bounds));
        let time = Duration::from_millis(self.parts.limits.call_ms);
        let started = tokio::select! {
            biased;
            started = instance.start() => Ok(started),
            () = killed(&mut self.parts.control) => Err(Dropped::Kill),
            () = tokio::time::sleep(time) => Err(Dropped::Deadline),
        };
        match started {
            Ok(Ok(())) => Ok(instance),
            Ok(Err(error)) => {
                let ending = self.ending_of_start(error);
                Err(Body::Over(Box::new(instance.into_boundary()), ending))
            }
            Err(why) => Err(self.dropped(instance, why)),
        }
    }

    /// Makes the first call.
    async fn enter(&mut self, instance: Box<PackInstance<Recorder>>) -> Body {
        let (export, arguments) = self.parts.entry.first_call(&self.parts.path);
        let (body, outcome) = self.call(instance, export, arguments).await;
        let is_only_call = self.parts.entry.named().is_some();
        match (body, outcome) {
            (Body::Live(instance), Some(Err(text))) => {
                let recorder = Box::new(instance.into_boundary());
                Body::Over(recorder, Ending::of(ExitReason::Error(text)))
            }
            // It asked for its end and failed all the same: a failed start has no result.
            (Body::Over(recorder, ending), Some(Err(text))) if is_orderly(&ending.reason) => {
                Body::Over(recorder, Ending::of(ExitReason::Error(text)))
            }
            (Body::Live(instance), Some(Ok(output))) if is_only_call => {
                self.answer = Some(output);
                Body::Over(Box::new(instance.into_boundary()), Ending::of(ExitReason::Normal))
            }
            (body, Some(Ok(output))) if is_only_call => {
                self.answer = Some(output);
                body
            }
            (body, _) => body,
        }
    }

    /// Handles messages until the actor ends; control overtakes them.
    async fn serve(&mut self, mut instance: Box<PackInstance<Recorder>>) -> (Box<Recorder>, Ending) {
        loop {
            self.in_hand = None;
            let message = tokio::select! {
                biased;
                control = ordered(&mut self.parts.control) => {
                    let reason = match control {
                        Control::Kill => ExitReason::Killed,
                        Control::Run | Control::Stop => ExitReason::Shutdown,
                    };
                    return (Box::new(instance.into_boundary()), Ending::of(reason));
                }
                message = self.parts.mailbox.recv() => message,
            };
            // No message and nobody left who could send one: the actor is quiescent.
            let Some(Message::Call { export, params, reply }) = message else {
                return (Box::new(instance.into_boundary()), Ending::of(ExitReason::Normal));
            };
            let (mut body, outcome) = self.call(instance, export, Arguments::Params(params)).await;
            let settled = body.recorder().settled();
            let answer = match (settled.await, outcome) {
                (Ok(()), Some(Ok(output))) => Ok(output),
                (Ok(()), Some(Err(text))) => Err(CallFailure::Error(text)),
                (Ok(()), None) | (Err(_), _) => Err(CallFailure::Ended(self.parts.path.clone())),
            };
            // The caller may have given up waiting; its answer is in the chain.
            drop(reply.send(answer));
            match body {
                Body::Live(live) => instance = live,
                Body::Over(recorder, ending) => return (recorder, ending),
            }
        }
    }

    /// Runs one call within fuel and time, and says what remains of the actor.
    async fn call(
        &mut self,
        mut instance: Box<PackInstance<Recorder>>,
        export: ExportIndex,
        arguments: Arguments,
    ) -> (Body, Option<Outcome>) {
        let input = match arguments.input(instance.boundary().state()) {
            Ok(input) => input,
            Err(error) => return (Body::Live(instance), Some(Err(error.to_string()))),
        };
        self.in_hand = Some((export, arguments));
        let time = Duration::from_millis(self.parts.limits.call_ms);
        let fuel = self.parts.limits.fuel_per_call;
        let ended = tokio::select! {
            biased;
            ended = instance.call(export, &input, fuel) => Ok(ended.map(owned)),
            () = killed(&mut self.parts.control) => Err(Dropped::Kill),
            () = tokio::time::sleep(time) => Err(Dropped::Deadline),
        };
        match ended {
            Ok(Ok(outcome)) => self.returned(instance, outcome).await,
            Ok(Err(error)) => {
                let ending = self.ending_of_error(error);
                (Body::Over(Box::new(instance.into_boundary()), ending), None)
            }
            Err(why) => (self.dropped(instance, why), None),
        }
    }

    /// The future of a call is gone: the instance is of no further use.
    fn dropped(&self, instance: Box<PackInstance<Recorder>>, why: Dropped) -> Body {
        let (mut recorder, recorded) = instance.abandon();
        let ending = match (recorded, recorder.take_returned(), recorder.take_shutdown()) {
            (Err(stop), ..) => Ending::of(ExitReason::HostFault(stop_text(&stop))),
            // The call itself had ended; what took so long was the journal.
            (Ok(()), Some(_), Some(result)) => Ending { reason: ExitReason::Normal, result, trap: None },
            (Ok(()), Some(_), None) if matches!(why, Dropped::Deadline) => Ending::of(ExitReason::HostFault(
                format!("the journal did not keep up within {} ms", self.parts.limits.call_ms),
            )),
            (Ok(()), ..) => self.ending_of_drop(why),
        };
        Body::Over(Box::new(recorder), ending)
    }

    /// A call came back: takes over what it means for the actor's life.
    async fn returned(
        &mut self,
        mut instance: Box<PackInstance<Recorder>>,
        outcome: Outcome,
    ) -> (Body, Option<Outcome>) {
        let recorder = instance.boundary_mut();
        let outcome = match recorder.take_returned() {
            Some(Returned::Err(text)) => {
                self.answer = outcome.ok().filter(|_| self.parts.entry.named().is_some());
                Err(text)
            }
            Some(Returned::Ok { .. } | Returned::Plain) | None => outcome,
        };
        if let Some(result) = recorder.take_shutdown() {
            let ending = Ending { reason: ExitReason::Normal, result, trap: None };
            return (Body::Over(Box::new(instance.into_boundary()), ending), Some(outcome));
        }
        self.calls = self.calls.wrapping_add(1);
        let recreate = self.parts.recreate_every.is_some_and(|every| self.calls.is_multiple_of(every.get()));
        if !recreate {
            return (Body::Live(instance), Some(outcome));
        }
        match self.recreate(instance).await {
            Ok(instance) => (Body::Live(instance), Some(outcome)),
            Err(over) => (over, Some(outcome)),
        }
    }

    /// Throws the instance away and makes another one from the same state.
    async fn recreate(
        &mut self,
        instance: Box<PackInstance<Recorder>>,
    ) -> Result<Box<PackInstance<Recorder>>, Body> {
        let mut recorder = instance.into_boundary();
        let hash = recorder.state().hash();
        let snapshot = Crossing::bare(Kind::Snapshot);
        if let Err(error) = recorder.chain().append(snapshot, &[&hash.0], &[]) {
            let ending = Ending::of(ExitReason::HostFault(recording_failed(&error)));
            return Err(Body::Over(Box::new(recorder), ending));
        }
        self.instantiate(recorder).await
    }

    /// Returns the call in hand as text.
    fn describe(&self) -> Option<String> {
        let (export, arguments) = self.in_hand.as_ref()?;
        let export = self.parts.prepared.package().exports().get(export.0 as usize);
        Some(arguments.text(export.map_or("?", |export| &export.symbol)))
    }

    fn ending_of_error(&self, error: CallError) -> Ending {
        match error {
            CallError::Trapped(trap) => {
                let record = TrapRecord::of_trap(&trap);
                let reason = reason_of(&record, &self.parts.limits);
                Ending { reason, result: None, trap: Some(record) }
            }
            CallError::Stop(stop) => Ending::of(ExitReason::HostFault(stop_text(&stop))),
            other @ (CallError::Spent | CallError::NoSuchExport(_)) => {
                Ending::of(ExitReason::HostFault(other.to_string()))
            }
        }
    }

    fn ending_of_start(&self, error: StartError) -> Ending {
        match error {
            StartError::Trapped(trap) => self.ending_of_error(CallError::Trapped(trap)),
            StartError::Stop(stop) => self.ending_of_error(CallError::Stop(stop)),
            limit @ (StartError::LimitAbovePool { .. }
            | StartError::MemoryLimit { .. }
            | StartError::TableLimit { .. }) => Ending::of(ExitReason::Limit(limit.to_string())),
            host @ (StartError::PoolExhausted { .. } | StartError::Spent) => {
                Ending::of(ExitReason::HostFault(host.to_string()))
            }
        }
    }

    fn ending_of_drop(&self, why: Dropped) -> Ending {
        Ending::of(match why {
            Dropped::Kill => ExitReason::Killed,
            Dropped::Deadline => ExitReason::Limit(format!(
                "time: the call took longer than {} ms (`call_ms` in [limits])",
                self.parts.limits.call_ms
            )),
        })
    }

    /// Writes the exit event and the report.
    async fn end(self, mut recorder: Box<Recorder>, ending: Ending) -> ExitReport {
        let Ending { mut reason, result, trap } = ending;
        tracing::debug!(actor = %self.parts.path, incarnation = self.parts.incarnation, %reason, "actor ends");
        let in_hand = if is_orderly(&reason) { None } else { self.describe() };
        let exit = Exit {
            reason: reason.clone(),
            state_hash: recorder.state().hash(),
            result: result.clone(),
            detail: trap.as_ref().map(|trap| trap.exit_detail(in_hand.as_deref())),
        };
        let chain = recorder.chain();
        let last_seq = chain.next_seq().saturating_sub(1);
        if let Err(why) = append_exit(chain, &exit) {
            reason = ExitReason::HostFault(why);
        } else if let Err(error) = recorder.settled().await {
            reason = ExitReason::HostFault(recording_failed(&error));
        }
        let crash = (!is_orderly(&reason)).then(|| CrashReport {
            who: format!("{}#{}", self.parts.path, self.parts.incarnation),
            reason: reason.to_string(),
            panic: trap.as_ref().and_then(|trap| trap.message.clone()),
            backtrace: trap.map(|trap| trap.backtrace).unwrap_or_default(),
            in_hand,
            decision: "none: the root actor has no supervisor, so the run ends".to_owned(),
            run_id: self.parts.run_id,
            seq: last_seq,
        });
        ExitReport {
            actor: self.parts.path,
            incarnation: self.parts.incarnation,
            reason,
            result,
            answer: self.answer,
            crash,
        }
    }
}

fn append_exit(chain: &mut ActorChain, exit: &Exit) -> Result<(), String> {
    let payload = exit.encode().map_err(|error| error.to_string())?;
    chain.append(Crossing::bare(Kind::Exit), &[], &[&payload]).map_err(|error| recording_failed(&error))
}

/// Returns the bounds of an actor's instance.
pub(crate) fn instance_limits(limits: &Limits) -> InstanceLimits {
    InstanceLimits {
        memory_bytes: limits.memory_bytes,
        table_elements: limits::TABLE_ELEMENTS_MAX,
        fuel_per_instantiate: limits.fuel_per_call,
        yield_every_fuel: limits::YIELD_EVERY_FUEL,
    }
}

fn owned(result: CallResult<'_>) -> Outcome {
    match result {
        CallResult::Returned(output) => Ok(output.to_vec()),
        CallResult::GuestError(text) => Err(text),
    }
}

fn recording_failed(error: &JournalError) -> String {
    format!("recording failed: {error}")
}

fn stop_text(stop: &Stop) -> String {
    if stop.0.downcast_ref::<HostFault>().is_some() {
        return stop.0.to_string();
    }
    match stop.0.downcast_ref::<JournalError>() {
        Some(error) => recording_failed(error),
        None => stop.0.to_string(),
    }
}

/// Waits for an order to end.
async fn ordered(control: &mut watch::Receiver<Control>) -> Control {
    let order = control.wait_for(|control| *control != Control::Run).await.map(|control| *control);
    match order {
        Ok(control) => control,
        // Nobody is left who could give an order.
        Err(_) => std::future::pending().await,
    }
}

/// Waits for a kill.
async fn killed(control: &mut watch::Receiver<Control>) {
    let gone = control.wait_for(|control| *control == Control::Kill).await.is_err();
    if gone {
        std::future::pending::<()>().await;
    }
}
