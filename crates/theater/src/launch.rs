//! Brings an actor to life: its genesis, its handlers, its task.

use std::sync::{Arc, Mutex};

use theater_chain::{Cause, Genesis, Hash, Kind};
use tokio::sync::{oneshot, watch};

use crate::actor::{ActorParts, ActorPath, ActorRuntime, Entry, ExitReport, State};
use crate::children::Children;
use crate::handler::{ActorContext, ChainAccess, ConfigError, Handler};
use crate::link::Linked;
use crate::messaging::{Activity, Bounds, Callbacks, Desk, Messages, Peer, PeerParts, WaitEdge};
use crate::record::{ActorChain, Crossing, Recorder, RecorderParts};
use crate::run::Run;
use crate::runtime::SpawnError;

/// What an actor is brought to life from.
pub(crate) struct Birth<'a> {
    pub(crate) path: ActorPath,
    pub(crate) incarnation: u32,
    /// The children that it becomes one of.
    pub(crate) parent: Option<&'a Children>,
    /// The event that leads to it.
    pub(crate) cause: Option<Cause>,
    pub(crate) linked: &'a Linked,
    pub(crate) state: Option<&'a [u8]>,
    /// Whether its supervisor waits for its end, and needs no notice of it.
    pub(crate) is_waited_for: bool,
    /// That of its root.
    pub(crate) activity: &'a Arc<Activity>,
}

/// How a start went: the event after which the actor was ready, or the reason.
pub(crate) type Started = Result<Option<Cause>, String>;

/// An actor that was brought to life; its first call may still be running.
pub(crate) struct Born {
    pub(crate) peer: Arc<Peer>,
    pub(crate) start: oneshot::Receiver<Started>,
    pub(crate) ended: watch::Receiver<Option<Arc<ExitReport>>>,
    /// Its supervisor waits for it.
    pub(crate) edge: WaitEdge,
}

impl Run {
    /// Brings an actor to life. Nothing of it is in the run until everything that can be refused was checked.
    pub(crate) fn launch(self: &Arc<Self>, birth: &Birth<'_>) -> Result<Born, SpawnError> {
        let linked = birth.linked;
        let state = match &linked.entry {
            Entry::Init(_) => {
                State::initial(self.journal.hasher(), birth.state).map_err(SpawnError::State)?
            }
            Entry::Call { .. } => State::absent(),
        };
        let genesis = self.genesis(birth, &state).encode()?;
        let mut chain = ActorChain::open(self.journal.clone(), self.clock);
        let peer = Peer::new(peer_parts(birth, chain.index()), self, birth.activity);
        let desk: Arc<Mutex<Desk>> = Arc::default();
        let children = Children::new(&peer, linked);
        let context = ActorContext {
            path: birth.path.clone(),
            chain: ChainAccess::new(self.journal.clone(), chain.index(), Arc::clone(&linked.function_names)),
            messages: Messages::new(Arc::clone(&peer), Arc::clone(&desk)),
            children: children.clone(),
        };
        let begun = open_handlers(linked, &context).map_err(SpawnError::from).and_then(|handlers| {
            self.put_blobs(linked)?;
            chain.append(Crossing::bare(Kind::Genesis), &[&genesis], &[])?;
            Ok(handlers)
        });
        let handlers = match begun {
            Ok(handlers) => handlers,
            Err(error) => {
                peer.mailbox().leave();
                return Err(error);
            }
        };
        // The child must find its supervisor waiting, however fast it is; nobody can be waiting for it yet.
        let edge = match birth.parent.map(|parent| self.waits().begin(parent.peer(), &peer)) {
            Some(Ok(edge)) => edge,
            Some(Err(_)) | None => WaitEdge::none(),
        };
        self.directory.enter(&peer);
        let recorder = Recorder::new(RecorderParts {
            path: birth.path.clone(),
            package: linked.package.clone(),
            chain,
            durability: self.options.durability,
            routes: Arc::clone(&linked.routes),
            handlers,
            state,
            log: Arc::clone(&self.options.log),
        });
        let parts = self.actor_parts(birth, &peer, desk, children);
        Ok(start_task(parts, recorder, (peer, edge)))
    }

    fn actor_parts(
        self: &Arc<Self>,
        birth: &Birth<'_>,
        peer: &Arc<Peer>,
        desk: Arc<Mutex<Desk>>,
        children: Children,
    ) -> ActorParts {
        let linked = birth.linked;
        ActorParts {
            peer: Arc::clone(peer),
            run: Arc::clone(self),
            prepared: linked.prepared.clone(),
            limits: linked.spec.manifest.limits.clone(),
            on_error: linked.spec.manifest.on_error,
            declared: linked.spec.manifest.children.clone(),
            entry: linked.entry.clone(),
            desk,
            children,
            siblings: birth.parent.cloned(),
            is_waited_for: birth.is_waited_for,
            recreate_every: self.options.recreate_every,
        }
    }

    fn genesis(&self, birth: &Birth<'_>, state: &State) -> Genesis {
        let linked = birth.linked;
        Genesis {
            run_id: self.options.run_id.clone(),
            path: birth.path.as_str().to_owned(),
            incarnation: birth.incarnation,
            boundary_version: pack::BOUNDARY_VERSION,
            predecessor: None,
            parent: birth.parent.map(|parent| parent.of().to_string()),
            cause: birth.cause,
            package: Hash(linked.package.hash()),
            manifest: linked.manifest_hash,
            state_hash: state.hash(),
            state: if state.is_absent() { Vec::new() } else { state.graph() },
            entry: linked.entry.named().map(str::to_owned),
            setting: linked.setting.clone(),
        }
    }
}

fn peer_parts(birth: &Birth<'_>, chain: theater_chain::ChainIndex) -> PeerParts {
    let limits = &birth.linked.spec.manifest.limits;
    // An actor that is started for one call takes no messages.
    let callbacks = match &birth.linked.entry {
        Entry::Init(_) => Callbacks::of(&birth.linked.package),
        Entry::Call { .. } => Callbacks::default(),
    };
    PeerParts {
        path: birth.path.clone(),
        incarnation: birth.incarnation,
        chain,
        parent: birth.parent.map(|parent| Arc::downgrade(parent.peer())),
        callbacks,
        bounds: Bounds { messages: limits.mailbox_messages, bytes: limits.mailbox_bytes },
        name: birth.linked.spec.manifest.name.clone(),
        package: Hash(birth.linked.package.hash()),
    }
}

fn start_task(parts: ActorParts, recorder: Recorder, (peer, edge): (Arc<Peer>, WaitEdge)) -> Born {
    let (publish, ended) = watch::channel(None);
    let (started, start) = oneshot::channel();
    let actor = ActorRuntime::new(parts);
    tokio::spawn(async move {
        let report = actor.run(recorder, started).await;
        publish.send_replace(Some(Arc::new(report)));
    });
    Born { peer, start, ended, edge }
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
