//! One actor's task: runs its calls one at a time and ends it, with every step in its chain.

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pack::{CallError, CallResult, ExportIndex, InstanceLimits, PackInstance, Prepared, StartError, Stop};
use theater_chain::{Cause, ExitReason, JournalError, Kind};
use tokio::sync::oneshot;

use super::reason_of;
use super::{ActorPath, Arguments, Entry, ExitReport, Returned, TrapRecord, is_orderly};
use crate::children::Children;
use crate::handler::HostFault;
use crate::launch::Started;
use crate::limits;
use crate::manifest::{ChildSpec, Limits, OnError};
use crate::messaging::{Desk, Next, Opening, Order, Peer};
use crate::record::{Crossing, Recorder};
use crate::run::Run;

/// What an actor is started from.
pub(crate) struct ActorParts {
    pub(crate) peer: Arc<Peer>,
    pub(crate) run: Arc<Run>,
    pub(crate) prepared: Prepared<Recorder>,
    pub(crate) limits: Limits,
    pub(crate) on_error: OnError,
    /// Children that the manifest names.
    pub(crate) declared: Vec<ChildSpec>,
    pub(crate) entry: Entry,
    pub(crate) desk: Arc<Mutex<Desk>>,
    pub(crate) children: Children,
    /// The children of its supervisor, of which it is one.
    pub(crate) siblings: Option<Children>,
    /// Whether its supervisor waits for its end.
    pub(crate) is_waited_for: bool,
    pub(crate) recreate_every: Option<NonZeroU32>,
}

/// The task that owns an actor.
pub struct ActorRuntime {
    pub(super) parts: ActorParts,
    calls: u32,
    /// The call in hand; it becomes text only if the actor crashes.
    pub(super) in_hand: Option<(ExportIndex, Arguments)>,
    /// Who sent the message in hand, and with which event.
    pub(super) origin: Option<(Option<ActorPath>, Option<Cause>)>,
    /// Number of the event with which the last call ended.
    pub(super) ended_at: Option<u64>,
    /// A channel whose opening is in hand.
    pub(super) owed: Option<Opening>,
    /// Whether it was ready once.
    pub(super) is_started: bool,
    /// What the call returned that the actor was started for.
    pub(super) answer: Option<Vec<u8>>,
}

/// What is left after an actor's last call.
pub(super) struct Ending {
    pub(super) reason: ExitReason,
    pub(super) result: Option<Vec<u8>>,
    pub(super) trap: Option<TrapRecord>,
}

impl Ending {
    pub(super) fn of(reason: ExitReason) -> Self {
        Self { reason, result: None, trap: None }
    }
}

/// An actor between two calls: it lives on, or only its recorder is left.
pub(super) enum Body {
    Live(Box<PackInstance<Recorder>>),
    Over(Box<Recorder>, Ending),
}

impl Body {
    /// Ends the actor, unless it has ended already.
    pub(super) fn end(self, reason: ExitReason) -> Self {
        match self {
            Self::Live(instance) => Self::Over(Box::new(instance.into_boundary()), Ending::of(reason)),
            over @ Self::Over(..) => over,
        }
    }

    pub(super) fn recorder(&mut self) -> &mut Recorder {
        match self {
            Self::Live(instance) => instance.boundary_mut(),
            Self::Over(recorder, _) => recorder,
        }
    }
}

/// What a call brought: the encoded result, or the text of an error.
pub(super) type Outcome = Result<Vec<u8>, String>;

/// Why a call was dropped.
#[derive(Clone, Copy)]
enum Dropped {
    Deadline,
    Kill,
}

impl ActorRuntime {
    pub(crate) fn new(parts: ActorParts) -> Self {
        Self {
            parts,
            calls: 0,
            in_hand: None,
            origin: None,
            ended_at: None,
            owed: None,
            is_started: false,
            answer: None,
        }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.parts.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the actor from instantiation to its exit event. `started` hears how `init` went.
    pub(crate) async fn run(mut self, recorder: Recorder, started: oneshot::Sender<Started>) -> ExitReport {
        let (recorder, ending) = self.live(recorder, started).await;
        self.end(recorder, ending).await
    }

    async fn live(
        &mut self,
        recorder: Recorder,
        started: oneshot::Sender<Started>,
    ) -> (Box<Recorder>, Ending) {
        let body = match self.instantiate(recorder).await {
            Ok(instance) => self.enter(instance).await,
            Err(over) => over,
        };
        let ready = self.ended_at.map(|seq| self.parts.peer.event(seq));
        let body = match body {
            Body::Live(instance) => self.start_children(instance).await,
            over @ Body::Over(..) => over,
        };
        // Whoever asked may have gone away; the actor lives all the same.
        match body {
            Body::Live(instance) => {
                self.is_started = true;
                drop(started.send(Ok(ready)));
                self.serve(instance).await
            }
            Body::Over(recorder, ending) if is_orderly(&ending.reason) => {
                self.is_started = true;
                drop(started.send(Ok(ready)));
                (recorder, ending)
            }
            Body::Over(recorder, ending) => {
                drop(started.send(Err(ending.reason.to_string())));
                (recorder, ending)
            }
        }
    }

    /// Makes an instance, within fuel and time like any call: a start function is guest code.
    async fn instantiate(&mut self, recorder: Recorder) -> Result<Box<PackInstance<Recorder>>, Body> {
        let bounds = instance_limits(&self.parts.limits);
        let mut instance = Box::new(PackInstance::new(&self.parts.prepared, recorder, &bounds));
        let time = Duration::from_millis(self.parts.limits.call_ms);
        let started = tokio::select! {
            biased;
            started = instance.start() => Ok(started),
            () = self.parts.peer.mailbox().killed() => Err(Dropped::Kill),
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
        let (export, arguments) = self.parts.entry.first_call(self.parts.peer.path());
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

    /// Handles messages until the actor ends; orders overtake them.
    async fn serve(&mut self, mut instance: Box<PackInstance<Recorder>>) -> (Box<Recorder>, Ending) {
        loop {
            self.in_hand = None;
            self.origin = None;
            let message = match self.parts.peer.next().await {
                Next::Order(order) => {
                    let reason = match order {
                        Order::Finish => ExitReason::Normal,
                        Order::Stop => ExitReason::Shutdown,
                        Order::Kill => ExitReason::Killed,
                    };
                    return (Box::new(instance.into_boundary()), Ending::of(reason));
                }
                Next::Look(onlooker) => {
                    // It may have gone away.
                    drop(onlooker.send(instance.boundary().state().graph()));
                    continue;
                }
                Next::Message(message) => message,
            };
            match self.handle(instance, message).await {
                Body::Live(live) => instance = live,
                Body::Over(recorder, ending) => return (recorder, ending),
            }
        }
    }

    /// Runs one call within fuel and time, and says what remains of the actor.
    pub(super) async fn call(
        &mut self,
        mut instance: Box<PackInstance<Recorder>>,
        export: ExportIndex,
        arguments: Arguments,
    ) -> (Body, Option<Outcome>) {
        self.ended_at = None;
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
            () = self.parts.peer.mailbox().killed() => Err(Dropped::Kill),
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
        self.note_vitals(&instance);
        let recorder = instance.boundary_mut();
        self.ended_at = recorder.chain().next_seq().checked_sub(1);
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

    /// Keeps what others may want to know of the actor.
    fn note_vitals(&self, instance: &PackInstance<Recorder>) {
        let vitals = &self.parts.peer.vitals;
        vitals.memory_bytes.store(instance.memory_bytes(), Ordering::Relaxed);
        vitals.fuel.fetch_add(instance.boundary().fuel(), Ordering::Relaxed);
        vitals.calls.fetch_add(1, Ordering::Relaxed);
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

pub(super) fn recording_failed(error: &JournalError) -> String {
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
