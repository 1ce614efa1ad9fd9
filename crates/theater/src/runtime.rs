//! One run: a directory with all its chains, from the runtime's own genesis to the closing checkpoint.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pack::Engine;
use pack_abi::Value;
use theater_chain::{
    Durability, Exit, ExitReason, Genesis, Hash, Head, Journal, JournalError, JournalOptions, Kind,
    RecordError, RunInit, RuntimeGenesis, Signer,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::actor::{
    ActorControl, ActorHandle, ActorParts, ActorPath, ActorRuntime, Control, Entry, ExitReport, LogSink,
    State,
};
use crate::clock::{self, Clock};
use crate::entropy::{self, EntropyError};
use crate::handler::{ActorContext, ChainAccess, ConfigError, Handler};
use crate::link::Linked;
use crate::record::{ActorChain, Crossing, Recorder, RecorderParts};

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
}

/// An actor whose `init` may still be running.
pub struct Launched {
    handle: ActorHandle,
    start: oneshot::Receiver<Result<(), String>>,
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
            Ok(Ok(())) => Ok(self.handle),
            Ok(Err(why)) => Err(SpawnError::Start(why, self.handle.ended().await)),
            Err(_) => {
                let report = self.handle.ended().await;
                Err(SpawnError::Start(report.reason.to_string(), report))
            }
        }
    }
}

/// One live run.
pub struct TheaterRuntime {
    options: RuntimeOptions,
    journal: Journal,
    clock: Clock,
    own: Mutex<ActorChain>,
    /// Packages and manifests that the run holds already.
    kept: Mutex<BTreeSet<Hash>>,
    /// How many roots were started: a second one is another incarnation.
    roots: AtomicU32,
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
        Ok(Self {
            options,
            journal,
            clock,
            own: Mutex::new(own),
            kept: Mutex::default(),
            roots: AtomicU32::new(0),
        })
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
        let path = ActorPath::root();
        let incarnation = self.roots.fetch_add(1, Ordering::Relaxed) + 1;
        let state = match &linked.entry {
            Entry::Init(_) => State::initial(self.journal.hasher(), linked.spec.state.as_deref())
                .map_err(SpawnError::State)?,
            Entry::Call { .. } => State::absent(),
        };
        let genesis = self.genesis((&path, incarnation), linked, &state).encode()?;
        let mut chain = ActorChain::open(self.journal.clone(), self.clock);
        let access =
            ChainAccess::new(self.journal.clone(), chain.index(), Arc::clone(&linked.function_names));
        let context = ActorContext { path: path.clone(), chain: access };
        let handlers = open_handlers(linked, &context)?;
        // Nothing of the actor is in the run until everything that can be refused was checked.
        self.put_blobs(linked)?;
        self.append_decision(&encoded(&start_decision(&path, linked))?)?;
        chain.append(Crossing::bare(Kind::Genesis), &[&genesis], &[])?;
        let recorder = Recorder::new(RecorderParts {
            path: path.clone(),
            package: linked.package.clone(),
            chain,
            durability: self.options.durability,
            routes: Arc::clone(&linked.routes),
            handlers,
            state,
            log: Arc::clone(&self.options.log),
        });
        Ok(self.start_task((path, incarnation), linked, recorder))
    }

    fn start_task(
        &self,
        (path, incarnation): (ActorPath, u32),
        linked: &Linked,
        recorder: Recorder,
    ) -> Launched {
        let limits = linked.spec.manifest.limits.clone();
        let package = linked.package.clone();
        let (mailbox, inbox) = mpsc::channel(limits.mailbox_messages as usize);
        let (control, orders) = watch::channel(Control::Run);
        let (publish, ended) = watch::channel(None);
        let (started, start) = oneshot::channel();
        let actor = ActorRuntime::new(ActorParts {
            path: path.clone(),
            incarnation,
            run_id: self.kept_run_id(),
            prepared: linked.prepared.clone(),
            limits,
            entry: linked.entry.clone(),
            mailbox: inbox,
            control: orders,
            recreate_every: self.options.recreate_every,
        });
        tokio::spawn(async move {
            let report = actor.run(recorder, started).await;
            publish.send_replace(Some(Arc::new(report)));
        });
        let handle = ActorHandle { path, mailbox, control: ActorControl::new(control), ended, package };
        Launched { handle, start }
    }

    /// Closes the run: writes the last event, the trailer and the checkpoint.
    ///
    /// # Errors
    /// Fails if the journal has failed or the disk takes no more.
    pub async fn close(self, root: &ExitReport) -> Result<ClosedRun, CloseError> {
        self.append_decision(&encoded(&end_decision(root))?)?;
        let exit = Exit { reason: ExitReason::Normal, state_hash: Hash::ZERO, result: None, detail: None };
        self.append_own(Crossing::bare(Kind::Exit), &[], &[&exit.encode()?])?;
        let journal = self.journal;
        let closing = tokio::task::spawn_blocking(move || journal.close());
        let closed = closing.await.map_err(|_| JournalError::WriterGone)??;
        Ok(ClosedRun { run_id: self.options.run_id, head: closed.head, events: closed.events })
    }

    /// Returns the run's id if there will be a run to look at.
    fn kept_run_id(&self) -> Option<String> {
        (self.options.durability != Durability::Memory).then(|| self.options.run_id.clone())
    }

    fn append_own(&self, crossing: Crossing, input: &[&[u8]], output: &[&[u8]]) -> Result<(), JournalError> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).append(crossing, input, output)
    }

    /// Appends what the runtime decided, with its inputs, before it is done.
    fn append_decision(&self, payload: &[u8]) -> Result<(), JournalError> {
        self.append_own(Crossing::bare(Kind::Decision), &[], &[payload])
    }

    /// Keeps package and manifest with the run, each once.
    fn put_blobs(&self, linked: &Linked) -> Result<(), JournalError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let package = Hash(linked.package.hash());
        for (hash, bytes) in
            [(package, &linked.spec.wasm), (linked.manifest_hash, &linked.spec.manifest_text)]
        {
            if !kept.contains(&hash) {
                self.journal.put_blob(bytes)?;
                kept.insert(hash);
            }
        }
        Ok(())
    }

    fn genesis(&self, (path, incarnation): (&ActorPath, u32), linked: &Linked, state: &State) -> Genesis {
        let fingerprint = self.options.engine.fingerprint();
        Genesis {
            run_id: self.options.run_id.clone(),
            path: path.as_str().to_owned(),
            incarnation,
            boundary_version: pack::BOUNDARY_VERSION,
            predecessor: None,
            parent: None,
            cause: None,
            package: Hash(linked.package.hash()),
            manifest: linked.manifest_hash,
            state_hash: state.hash(),
            state: if state.is_absent() { Vec::new() } else { state.graph() },
            entry: linked.entry.named().map(str::to_owned),
            functions: linked.functions.clone(),
            interfaces: linked.interfaces.clone(),
            fingerprint_semantic: fingerprint.semantic,
            fingerprint_descriptive: fingerprint.descriptive,
            limits: linked.spec.manifest.limits.entries(),
        }
    }
}

fn open_handlers(linked: &Linked, context: &ActorContext) -> Result<Vec<Box<dyn Handler>>, ConfigError> {
    let entries = linked.spec.manifest.handlers.iter();
    entries
        .map(|entry| match linked.registry.get(&entry.kind) {
            Some(factory) => factory.open(&entry.config, context),
            None => {
                Err(ConfigError { kind: entry.kind.clone(), message: "there is no such handler".to_owned() })
            }
        })
        .collect()
}

fn encoded(decision: &Value) -> Result<Vec<u8>, RecordError> {
    pack_abi::encode(decision).map_err(|source| RecordError::Encode { name: "decision", source })
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
