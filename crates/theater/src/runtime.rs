//! One run: a directory with all its chains, from the runtime's own genesis to the closing checkpoint.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use pack::Engine;
use pack_abi::Value;
use theater_chain::{
    Durability, Exit, ExitReason, Hash, Head, Journal, JournalError, JournalOptions, Kind, RecordError,
    RunInit, RuntimeGenesis, Signer,
};
use tokio::sync::oneshot;

use crate::actor::{ActorControl, ActorHandle, ActorPath, ExitReport, LogSink};
use crate::clock::{self, Clock};
use crate::entropy::{self, EntropyError};
use crate::handler::ConfigError;
use crate::launch::{Birth, Started};
use crate::link::Linked;
use crate::live::LiveRun;
use crate::messaging::{Activity, ActivityGuard, Tally};
use crate::packages::{PackageFiles, Packages};
use crate::record::{ActorChain, Crossing};
use crate::run::{DecisionError, Run};

/// What a run is started with.
pub struct RuntimeOptions {
    /// The run's id: what people find it by.
    pub run_id: String,
    /// Where the run is written; ignored with [`Durability::Memory`].
    pub run_dir: PathBuf,
    /// When an event counts as recorded.
    pub durability: Durability,
    /// A note for whoever reads the run.
    pub note: Option<String>,
    /// Who started it, if that is to be recorded.
    pub user: Option<String>,
    /// Signs the closing checkpoint.
    pub signer: Option<Signer>,
    /// Takes the actors' log lines.
    pub log: Arc<dyn LogSink>,
    /// The engine.
    pub engine: Engine,
    /// Source revision of the program, as far as it knows it.
    pub revision: String,
    /// Finds the packages of children.
    pub packages: Arc<dyn Packages>,
    /// Recreates the instance after every so many calls. A test aid: an actor that hides state outside its
    /// state value behaves differently then, and its replay finds out.
    pub recreate_every: Option<NonZeroU32>,
}

impl RuntimeOptions {
    /// Returns the options of a run that is recorded in groups, unsigned and without a note.
    #[must_use]
    pub fn new(run_id: String, run_dir: PathBuf, engine: Engine, log: Arc<dyn LogSink>) -> Self {
        Self {
            run_id,
            run_dir,
            durability: Durability::Batched,
            note: None,
            user: None,
            signer: None,
            log,
            engine,
            revision: String::new(),
            packages: Arc::new(PackageFiles),
            recreate_every: None,
        }
    }
}

/// A run that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No random bytes for the run's secret.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The genesis cannot be encoded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A run that cannot be closed in order.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// The journal has failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The last event cannot be encoded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// An actor that did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A handler refuses its settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The initial state is larger than a value can be.
    #[error("the initial state cannot be encoded: {0}")]
    State(pack_abi::EncodeError),
    /// The journal has failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The genesis cannot be encoded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The actor ended before it was ready; the report says why.
    #[error("the actor failed to start: {0}")]
    Start(String, Arc<ExitReport>),
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct ClosedRun {
    /// The run's id.
    pub run_id: String,
    /// Its closing head.
    pub head: Head,
    /// How many events it has.
    pub events: u64,
    /// What became of its messages.
    pub messages: Tally,
}

/// An actor whose `init` may still be running.
pub struct Launched {
    handle: ActorHandle,
    start: oneshot::Receiver<Started>,
}

impl Launched {
    /// Returns the means to end the actor, whatever it is doing.
    #[must_use]
    pub fn control(&self) -> ActorControl {
        self.handle.control()
    }

    /// Waits until `init` has returned.
    ///
    /// # Errors
    /// Fails if the actor ends abnormally before that; the report says why.
    pub async fn ready(self) -> Result<ActorHandle, SpawnError> {
        match self.start.await {
            Ok(Ok(_)) => Ok(self.handle),
            Ok(Err(why)) => Err(SpawnError::Start(why, self.handle.ended().await)),
            Err(_) => {
                let report = self.handle.ended().await;
                Err(SpawnError::Start(report.reason.to_string(), report))
            }
        }
    }
}

impl From<DecisionError> for SpawnError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Record(error) => Self::Record(error),
            DecisionError::Journal(error) => Self::Journal(error),
        }
    }
}

impl From<DecisionError> for CloseError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Record(error) => Self::Record(error),
            DecisionError::Journal(error) => Self::Journal(error),
        }
    }
}

/// One live run, and the right to close it.
pub struct TheaterRuntime {
    run: Arc<Run>,
}

impl TheaterRuntime {
    /// Starts a run: makes its directory and writes the runtime's own genesis.
    ///
    /// # Errors
    /// Fails if there is no entropy or the directory cannot be written; nothing of the run is left then.
    pub fn start(options: RuntimeOptions) -> Result<Self, StartError> {
        let init = RunInit { run_id: options.run_id.clone(), secret: entropy::bytes()? };
        let signer = options.signer.clone();
        let node_key = signer.as_ref().map(|signer| signer.public_key().to_string());
        let journal_options = JournalOptions::new(options.durability);
        let journal = Journal::create(&options.run_dir, init, journal_options, signer)?;
        let clock = Clock::start();
        let mut own = ActorChain::open(journal.clone(), clock);
        let genesis = RuntimeGenesis {
            run_id: options.run_id.clone(),
            utc_us: clock::utc_us(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: options.revision.clone(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            node_key,
            user: options.user.clone(),
            note: options.note.clone(),
        };
        own.append(Crossing::bare(Kind::Genesis), &[&genesis.encode()?], &[])?;
        Ok(Self { run: Arc::new(Run::new(options, journal, clock, own)) })
    }

    /// Returns the run as others may see and reach it while it lives.
    #[must_use]
    pub fn live(&self) -> LiveRun {
        LiveRun::new(Arc::clone(&self.run))
    }

    /// Starts the root actor and waits until its `init` has returned. What was linked can be started again.
    ///
    /// # Errors
    /// Fails if the actor cannot be set up or ends abnormally before it is ready.
    pub async fn spawn_root(&self, linked: &Linked) -> Result<ActorHandle, SpawnError> {
        self.launch_root(linked)?.ready().await
    }

    /// Starts the root actor; its `init` runs meanwhile. It must be called within a tokio runtime.
    ///
    /// # Errors
    /// Fails if the actor cannot be set up.
    pub fn launch_root(&self, linked: &Linked) -> Result<Launched, SpawnError> {
        let run = &self.run;
        let (path, incarnation) = run.directory.begin_root();
        // The packages are in the run before a decision names them.
        run.put_blobs(linked)?;
        let cause = run.decide(&start_decision(&path, linked))?;
        let state = linked.spec.state.as_deref();
        let activity = Arc::<Activity>::default();
        let birth = Birth {
            path: path.clone(),
            incarnation,
            parent: None,
            cause: Some(cause),
            linked,
            state,
            is_waited_for: false,
            activity: &activity,
        };
        let guard = ActivityGuard::new(&activity);
        let born = match run.launch(&birth) {
            Ok(born) => born,
            Err(error) => {
                run.directory.leave(&path, None);
                return Err(error);
            }
        };
        activity.set_root(&born.peer);
        let package = linked.package.clone();
        let handle = ActorHandle { peer: born.peer, guard, ended: born.ended, package };
        Ok(Launched { handle, start: born.start })
    }

    /// Closes the run: writes the last event, the trailer and the checkpoint.
    ///
    /// # Errors
    /// Fails if the journal has failed or the disk takes no more.
    pub async fn close(self, root: &ExitReport) -> Result<ClosedRun, CloseError> {
        let run = self.run;
        let messages = run.tally();
        run.decide(&end_decision(root))?;
        let exit = Exit { reason: ExitReason::Normal, state_hash: Hash::ZERO, result: None, detail: None };
        run.append_own(Crossing::bare(Kind::Exit), &[], &[&exit.encode()?])?;
        let journal = run.journal.clone();
        let closing = tokio::task::spawn_blocking(move || journal.close());
        let closed = closing.await.map_err(|_| JournalError::WriterGone)??;
        let run_id = run.options.run_id.clone();
        Ok(ClosedRun { run_id, head: closed.head, events: closed.events, messages })
    }
}

fn record(name: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::record(name, fields)
}

fn start_decision(path: &ActorPath, linked: &Linked) -> Value {
    record(
        "start-actor",
        vec![
            ("path", Value::from(path.as_str())),
            ("name", Value::from(linked.spec.manifest.name.as_str())),
            ("package", Value::from(Hash(linked.package.hash()).to_string().as_str())),
        ],
    )
}

fn end_decision(root: &ExitReport) -> Value {
    record(
        "end-run",
        vec![
            ("path", Value::from(root.actor.as_str())),
            ("reason", Value::from(root.reason.to_string().as_str())),
        ],
    )
}
