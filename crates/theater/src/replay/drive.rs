//! Drives a replay: makes the recorded calls again, in order, until the exit.

use pack::{
    BoundaryVersion, CallError, CallResult, Engine, InstantiateError, PackInstance, Package, PackageError,
    StartError, Stop, Trap,
};
use pack_abi::Value;
use theater_chain::{ChainIndex, Event, Exit, ExitReason, Kind, NO_FUNCTION, Outcome, ReadError, Run};

use super::divergence::{Divergence, Pair};
use super::ending::Last;
use super::opening::{
    Packages, boundary_version, check_engine, genesis_of, initial_state, is_call_before, is_drop, last_drop,
    load_package, numbers,
};
use super::progress::{Counted, Progress};
use super::replayer::{Halt, Replayer};
use super::script::{Events, Script};
use crate::actor::{Decision, INIT, Returned, TrapRecord, init_params, instance_limits, reason_of};
use crate::manifest::Limits;
use crate::record::{Payload, call_input};
use crate::render;

/// What a replay runs with.
pub struct ReplayOptions {
    /// The engine.
    pub engine: Engine,
    /// Another package to run instead of the recorded one.
    pub wasm: Option<Vec<u8>>,
    /// Ceilings for memory and fuel, whatever the recording says.
    pub ceiling: Limits,
    /// Is told of every so many events that were read.
    pub progress: Option<Progress>,
}

/// How a replay ended.
#[derive(Debug)]
pub enum Replayed {
    /// Every event was reproduced.
    Same {
        /// How many events the chain has.
        events: u64,
    },
    /// Everything was reproduced up to an end that depends on resources or on the host, which a replay does
    /// not derive again.
    ResourceEnd {
        /// How many events were reproduced.
        events: u64,
        /// What ended the recording.
        what: String,
    },
    /// The replay did something else.
    Diverged(Box<Divergence>),
}

/// A replay that cannot be done, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The run cannot be read, or is redacted at the point that is needed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What is needed to go on was removed from the run.
    #[error(
        "event {seq} of chain {chain} was removed, and the replay needs it; all events before it are reproduced"
    )]
    Redacted {
        /// The chain.
        chain: ChainIndex,
        /// The event.
        seq: u64,
    },
    /// The chain does not begin with an actor's genesis.
    #[error("chain {0} does not begin with the genesis of an actor")]
    NoGenesis(ChainIndex),
    /// An event does not have the form that its kind demands.
    #[error("event {seq} of chain {chain} is malformed: {what}")]
    Malformed {
        /// The chain.
        chain: ChainIndex,
        /// The event.
        seq: u64,
        /// What is wrong.
        what: String,
    },
    /// The package is not a package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The recording was made by an engine whose results may differ.
    #[error("the recording needs another engine: {name} is `{recorded}` there and `{here}` here")]
    Engine {
        /// The setting.
        name: String,
        /// Its value in the recording.
        recorded: String,
        /// Its value here.
        here: String,
    },
    /// The recording was made under rules of the boundary that this program does not have.
    #[error("the recording needs boundary version {recorded}, this program has those up to {here}")]
    Boundary {
        /// The version in the recording.
        recorded: u32,
        /// The newest version here.
        here: u32,
    },
    /// The instance cannot be made.
    #[error("the package cannot be instantiated: {0}")]
    Start(StartError),
}

/// Replays one chain of a run.
///
/// # Errors
/// Fails if the run cannot be read or this program cannot run its package; a difference is not an error but
/// [`Replayed::Diverged`].
pub async fn replay(run: &Run, chain: ChainIndex, options: &ReplayOptions) -> Result<Replayed, ReplayError> {
    replay_streamed((run, &Packages::default()), chain, options).await
}

/// Replays one chain of a run, whose events are read as they are needed.
pub(super) async fn replay_streamed(
    (run, packages): (&Run, &Packages),
    chain: ChainIndex,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let dropped = last_drop(run, chain)?;
    replay_events((run, packages), (chain, Box::new(run.events(chain)), dropped), options).await
}

/// Replays one chain of a run, of which all events are at hand.
pub(super) async fn replay_held(
    (run, packages): (&Run, &Packages),
    chain: ChainIndex,
    events: Vec<Event>,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let dropped = events.iter().rfind(|event| is_drop(event)).map(|drop| {
        let is_before = |event: &&Event| is_call_before(event, drop);
        let call = events.iter().rfind(is_before).map_or(0, |call| call.header.seq);
        (call, drop.header.fuel)
    });
    let events = Box::new(events.into_iter().map(Ok));
    replay_events((run, packages), (chain, events, dropped), options).await
}

async fn replay_events(
    (run, packages): (&Run, &Packages),
    (chain, events, dropped): (ChainIndex, Events, Option<(u64, u64)>),
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let mut events: Events = Box::new(Counted::new(events, options.progress.clone()));
    let first = events.next().transpose()?.ok_or(ReplayError::NoGenesis(chain))?;
    let genesis = genesis_of(&first, chain)?;
    let hasher = run.hasher().cloned();
    let version = boundary_version(&genesis)?;
    check_engine(&genesis, version, &options.engine)?;
    let state = initial_state(hasher.as_ref(), &genesis, chain)?;
    let package = load_package((run, packages), &genesis, options)?;
    let who = format!("{}#{}", genesis.path, genesis.incarnation);
    let script = Script::new(events, who, genesis.setting.functions.clone())?;
    let replayer = Replayer::new(script, state, hasher, numbers(&genesis, &package));
    let recorded = Limits::from_entries(&genesis.setting.limits);
    let limits = recorded.clone().within(&options.ceiling);
    let is_lowered = limits != recorded;
    let first = match genesis.entry {
        Some(symbol) => First::Call(symbol),
        None => First::Init(init_params(&genesis.path)),
    };
    let drive = Drive { chain, version, limits, is_lowered, dropped, first, last: Last::NotStarted };
    drive.run(&package, replayer).await
}

struct Drive {
    chain: ChainIndex,
    version: BoundaryVersion,
    limits: Limits,
    /// Whether the ceiling lowered a limit: then its ends are the verifier's, not the recording's.
    is_lowered: bool,
    /// Sequence number of the call that was dropped and the fuel it had used.
    dropped: Option<(u64, u64)>,
    first: First,
    last: Last,
}

/// The first call, as far as it follows from the genesis.
enum First {
    /// `init`, with this beside the state.
    Init(Value),
    /// This export, and no other call.
    Call(String),
}

impl First {
    fn symbol(&self) -> &str {
        match self {
            Self::Init(_) => INIT,
            Self::Call(symbol) => symbol,
        }
    }
}

/// Between two calls: the instance lives, or only the replayer is left.
enum Body {
    Live(Box<PackInstance<Replayer>>),
    Spent(Box<Replayer>),
}

impl Body {
    fn replayer(&mut self) -> &mut Replayer {
        match self {
            Self::Live(instance) => instance.boundary_mut(),
            Self::Spent(replayer) => replayer,
        }
    }

    fn into_replayer(self) -> Replayer {
        match self {
            Self::Live(instance) => instance.into_boundary(),
            Self::Spent(replayer) => *replayer,
        }
    }
}

/// The replay goes on, or has its outcome.
enum Step {
    On(Body),
    Done(Replayed),
}

impl Drive {
    async fn run(mut self, package: &Package, mut replayer: Replayer) -> Result<Replayed, ReplayError> {
        let prepared = package.prepare_under::<Replayer>(self.version)?;
        let mut bounds = instance_limits(&self.limits);
        if let Some((call, fuel)) = self.dropped
            && replayer.is_instantiated_by(call)
        {
            bounds.fuel_per_instantiate = fuel;
        }
        let mut step = self.start(PackInstance::instantiate(&prepared, replayer, &bounds).await)?;
        loop {
            let mut body = match step {
                Step::On(body) => body,
                Step::Done(replayed) => return Ok(replayed),
            };
            let next = body.replayer().script().peek().map(|event| event.header.kind);
            step = match next {
                None => Step::Done(self.unfinished(&mut body)),
                Some(Kind::Call | Kind::Exchange) => self.call(body).await?,
                Some(Kind::Snapshot) => {
                    let mut replayer = body.into_replayer();
                    match self.snapshot(&mut replayer)? {
                        Some(diverged) => Step::Done(diverged),
                        None => self.start(PackInstance::instantiate(&prepared, replayer, &bounds).await)?,
                    }
                }
                Some(Kind::Exit) => Step::Done(self.exit(&mut body)?),
                Some(Kind::Decision) => self.decision(body)?,
                Some(
                    Kind::Genesis
                    | Kind::Return
                    | Kind::HostCall
                    | Kind::HostRequest
                    | Kind::HostResponse
                    | Kind::Trap,
                ) => Step::Done(self.stray(&mut body)),
            };
        }
    }

    /// Takes over an instance that was made, or what remains of one that was not.
    fn start(
        &mut self,
        made: Result<PackInstance<Replayer>, InstantiateError<Replayer>>,
    ) -> Result<Step, ReplayError> {
        match made {
            Ok(instance) => Ok(Step::On(Body::Live(Box::new(instance)))),
            Err(failed) => {
                let mut replayer = failed.boundary;
                if let Some(halt) = replayer.take_halt() {
                    return Ok(Step::Done(self.halted(&mut replayer, halt)?));
                }
                match failed.error {
                    StartError::Trapped(trap) => self.trapped(&mut replayer, &trap),
                    error @ (StartError::MemoryLimit { .. } | StartError::TableLimit { .. })
                        if !self.is_lowered =>
                    {
                        self.last = Last::Trap(ExitReason::Limit(error.to_string()), None);
                    }
                    error => return Err(ReplayError::Start(error)),
                }
                Ok(Step::On(Body::Spent(Box::new(replayer))))
            }
        }
    }

    /// Makes the next recorded call.
    async fn call(&mut self, body: Body) -> Result<Step, ReplayError> {
        let mut instance = match body {
            Body::Live(instance) if !self.last.is_final() => instance,
            mut over => {
                let pair = Pair::named("another call", "the actor had ended before");
                let divergence = over.replayer().script().divergence("the recording goes on", pair);
                return Ok(Step::Done(Replayed::Diverged(Box::new(divergence))));
            }
        };
        let replayer = instance.boundary_mut();
        let Some(event) = replayer.script().peek() else { return Ok(Step::On(Body::Live(instance))) };
        let (seq, function) = (event.header.seq, event.header.function);
        let recorded = event.clone();
        let Some(input) = event.payload.input().map(<[u8]>::to_vec) else {
            return Err(ReplayError::Redacted { chain: self.chain, seq });
        };
        let malformed = |what: &str| ReplayError::Malformed { chain: self.chain, seq, what: what.to_owned() };
        let payload = Payload::parse(&input).map_err(|_| malformed("the input has no known form"))?;
        let Some(export) = replayer.export_of(function) else {
            let name = render::function_name(replayer.script().functions(), function);
            let pair = Pair::named(format!("call {name}"), "the package has no such export");
            let divergence =
                replayer.script().divergence("the recording calls a function that is missing", pair);
            return Ok(Step::Done(Replayed::Diverged(Box::new(divergence))));
        };
        let input =
            payload.graph(replayer.state().nodes()).ok_or_else(|| malformed("the input is no graph"))?;
        // The fuel of a dropped call is that of the recorded package; another one may need more for the same.
        let fuel = match self.dropped {
            Some((call, fuel)) if call == seq && replayer.is_same_package() => fuel,
            _ => self.limits.fuel_per_call,
        };
        let name = render::function_name(replayer.script().functions(), function);
        let is_first = name == self.first.symbol();
        match &self.first {
            // What `init` gets is not a message: it follows from the genesis.
            First::Init(params)
                if is_first && call_input(replayer.state(), params).ok().as_ref() != Some(&input) =>
            {
                let expected = render::input(&recorded).to_string();
                let pair = Pair::named(expected, format!("(state::same, {params})"));
                let divergence = replayer.script().divergence("`init` got other arguments", pair);
                return Ok(Step::Done(Replayed::Diverged(Box::new(divergence))));
            }
            First::Call(symbol) if !is_first => {
                let pair = Pair::named(format!("call {name}"), format!("call {symbol}"));
                let divergence = replayer.script().divergence("the genesis names another call", pair);
                return Ok(Step::Done(Replayed::Diverged(Box::new(divergence))));
            }
            First::Init(_) | First::Call(_) => {}
        }
        let ended = match instance.call(export, &input, fuel).await {
            Ok(CallResult::Returned(_)) => Ok(None),
            Ok(CallResult::GuestError(text)) => Ok(Some(text)),
            Err(error) => Err(error),
        };
        self.called(instance, ended, is_first)
    }

    fn called(
        &mut self,
        mut instance: Box<PackInstance<Replayer>>,
        ended: Result<Option<String>, CallError>,
        is_first: bool,
    ) -> Result<Step, ReplayError> {
        let replayer = instance.boundary_mut();
        if let Some(halt) = replayer.take_halt() {
            return Ok(Step::Done(self.halted(replayer, halt)?));
        }
        match ended {
            Ok(refusal) => {
                self.last = match (refusal, replayer.take_returned()) {
                    (Some(text), _) | (None, Some(Returned::Err(text))) if is_first => Last::EntryError(text),
                    _ if matches!(self.first, First::Call(_)) => Last::Answered,
                    (Some(text), _) | (None, Some(Returned::Err(text))) => Last::Failed(text),
                    (None, _) => Last::Fine,
                };
                Ok(Step::On(Body::Live(instance)))
            }
            Err(CallError::Trapped(trap)) => {
                let mut replayer = instance.into_boundary();
                self.trapped(&mut replayer, &trap);
                Ok(Step::On(Body::Spent(Box::new(replayer))))
            }
            Err(error) => {
                let what = match error {
                    CallError::Stop(Stop(error)) => error.to_string(),
                    other => other.to_string(),
                };
                Err(ReplayError::Malformed { chain: self.chain, seq: replayer.script().position(), what })
            }
        }
    }

    /// A call trapped, as it did in the recording, or ran out of the fuel that a dropped call had used.
    fn trapped(&mut self, replayer: &mut Replayer, trap: &Trap) {
        self.last = match replayer.take_trap() {
            Some(record) => Last::Trap(reason_of(&record, &self.limits), Some(record)),
            None if self.dropped.is_some() => Last::Dropped,
            // Before any guest code, such as a data segment out of bounds: there is no event of it.
            None => {
                let record = TrapRecord::of_trap(trap);
                Last::Trap(reason_of(&record, &self.limits), Some(record))
            }
        };
    }

    /// What the runtime decided is copied: its inputs are not the actor's.
    fn decision(&mut self, mut body: Body) -> Result<Step, ReplayError> {
        let chain = self.chain;
        let script = body.replayer().script();
        let seq = script.position();
        let Some(event) = script.take()? else { return Ok(Step::On(body)) };
        let Some(payload) = event.payload.output() else { return Err(ReplayError::Redacted { chain, seq }) };
        let malformed = |what: &str| ReplayError::Malformed { chain, seq, what: what.to_owned() };
        let decision: Value = pack_abi::decode(payload).map_err(|_| malformed("the decision is no value"))?;
        match Decision::read(&decision) {
            Some(Decision::StartChild { .. }) if is_plain(&event) => Ok(Step::On(body)),
            Some(Decision::ChildFailed { reason, .. }) if is_plain(&event) => {
                self.last = Last::Decided(reason);
                Ok(Step::On(body))
            }
            Some(_) | None => Err(malformed("there is no such decision")),
        }
    }

    /// The recording made the instance anew here: the state must be the same.
    fn snapshot(&self, replayer: &mut Replayer) -> Result<Option<Replayed>, ReplayError> {
        let here = replayer.state().hash();
        let script = replayer.script();
        let Some(event) = script.peek() else { return Ok(None) };
        let Some(recorded) = event.payload.input() else {
            return Err(ReplayError::Redacted { chain: self.chain, seq: event.header.seq });
        };
        if recorded != here.0 || !is_plain(event) {
            let pair = Pair::named(render::input(event).to_string(), format!("state {here}"));
            let divergence = script.divergence("the actor has another state", pair);
            return Ok(Some(Replayed::Diverged(Box::new(divergence))));
        }
        script.take()?;
        Ok(None)
    }

    /// Compares the recorded end with the one that the replay leads to.
    fn exit(&self, body: &mut Body) -> Result<Replayed, ReplayError> {
        let replayer = body.replayer();
        let shutdown = replayer.shutdown().cloned();
        let exit = match self.check_exit(replayer)? {
            Ok(exit) => exit,
            Err(diverged) => return Ok(diverged),
        };
        let other = self.last.contradicts(&exit, shutdown.as_ref());
        let script = replayer.script();
        if let Some(other) = other {
            let expected = render::shorten(&exit.reason, 2000);
            let pair = Pair::named(expected, other);
            return Ok(Replayed::Diverged(Box::new(
                script.divergence("the actor ended in another way", pair),
            )));
        }
        script.take()?;
        match script.peek() {
            None => Ok(Replayed::Same { events: script.position() }),
            Some(_) => Ok(self.stray(body)),
        }
    }

    /// Reads the exit that comes next, and compares its state.
    fn check_exit(&self, replayer: &mut Replayer) -> Result<Result<Exit, Replayed>, ReplayError> {
        let state = replayer.state().hash();
        let chain = self.chain;
        let script = replayer.script();
        let seq = script.position();
        let Some(event) = script.peek() else { return Err(ReplayError::Redacted { chain, seq }) };
        let Some(payload) = event.payload.output() else { return Err(ReplayError::Redacted { chain, seq }) };
        let malformed = |what: String| ReplayError::Malformed { chain, seq, what };
        let exit = Exit::decode(payload).map_err(|error| malformed(error.to_string()))?;
        if exit.state_hash != state || !is_plain(event) {
            let pair = Pair::named(format!("state {}", exit.state_hash), format!("state {state}"));
            let divergence = script.divergence("the actor ended with another state", pair);
            return Ok(Err(Replayed::Diverged(Box::new(divergence))));
        }
        Ok(Ok(exit))
    }

    /// The recording stops before the actor ended: a run that crashed.
    fn unfinished(&self, body: &mut Body) -> Replayed {
        let events = body.replayer().script().position();
        Replayed::ResourceEnd { events, what: "the recording ends before the actor did".to_owned() }
    }

    fn stray(&self, body: &mut Body) -> Replayed {
        let script = body.replayer().script();
        let expected = script.peek().map_or_else(String::new, |event| {
            let name = render::function_name(script.functions(), event.header.function);
            format!("{} {name}", event.header.kind)
        });
        let pair = Pair::named(expected, "nothing: no call is running");
        Replayed::Diverged(Box::new(script.divergence("the recording has an event out of place", pair)))
    }
}

impl Drive {
    /// Turns the reason for which a call halted into the outcome of the replay.
    fn halted(&self, replayer: &mut Replayer, halt: Halt) -> Result<Replayed, ReplayError> {
        match halt {
            Halt::Diverged(divergence) => Ok(Replayed::Diverged(divergence)),
            Halt::Read(error) => Err(error.into()),
            Halt::Redacted(seq) => Err(ReplayError::Redacted { chain: self.chain, seq }),
            Halt::Reached(what) => self.reached(replayer, what),
        }
    }

    /// The call ended by something that a replay does not derive; what follows can only be the exit, if anything.
    fn reached(&self, replayer: &mut Replayer, what: String) -> Result<Replayed, ReplayError> {
        if replayer.script().peek().is_some() {
            let is_exit = replayer.script().peek().is_some_and(|event| event.header.kind == Kind::Exit);
            if !is_exit {
                let pair = Pair::named(what, "more events");
                let divergence = replayer.script().divergence("the recording goes on", pair);
                return Ok(Replayed::Diverged(Box::new(divergence)));
            }
            let exit = match self.check_exit(replayer)? {
                Ok(exit) => exit,
                Err(diverged) => return Ok(diverged),
            };
            let by_host =
                matches!(exit.reason, ExitReason::Killed | ExitReason::Limit(_) | ExitReason::HostFault(_));
            if !by_host || exit.result.is_some() {
                let pair = Pair::named(render::shorten(&exit.reason, 2000), what);
                let divergence = replayer.script().divergence("the actor ended in another way", pair);
                return Ok(Replayed::Diverged(Box::new(divergence)));
            }
            replayer.script().take()?;
            if replayer.script().peek().is_some() {
                let pair = Pair::named("nothing", "more events");
                let divergence = replayer.script().divergence("the recording goes on after its exit", pair);
                return Ok(Replayed::Diverged(Box::new(divergence)));
            }
        }
        Ok(Replayed::ResourceEnd { events: replayer.script().position(), what })
    }
}

/// Returns whether an event that concerns no function says nothing of one.
fn is_plain(event: &Event) -> bool {
    let header = &event.header;
    header.function == NO_FUNCTION && header.fuel == 0 && header.outcome == Outcome::Ok
}
