//! One actor's children: how they are started, listed and stopped.
//!
//! A child is in the list before anything of it runs, and leaves it after its last event, so that its supervisor can
//! always end it. An actor ends after its children; they are ended in the reverse order of their starts.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use theater_chain::{Cause, ExitReason};
use tokio::sync::watch;

use crate::actor::{ActorPath, ExitReport};
use crate::directory::Naming;
use crate::handler::HandlerRegistry;
use crate::launch::{Birth, Born};
use crate::limits;
use crate::link::{Linked, link};
use crate::manifest::ChildSpec;
use crate::messaging::{MessageError, Order, Peer, Reply};
use crate::run::Run;

/// The children of one actor.
#[derive(Clone)]
pub struct Children(Arc<Inner>);

struct Inner {
    me: Arc<Peer>,
    /// What the actor is granted: a child gets no more.
    granted: BTreeSet<String>,
    folder: PathBuf,
    registry: HandlerRegistry,
    most: usize,
    list: Mutex<Vec<Child>>,
}

#[derive(Clone)]
struct Child {
    peer: Arc<Peer>,
    ended: watch::Receiver<Option<Arc<ExitReport>>>,
    shutdown: Duration,
}

/// A child to start.
pub struct ChildStart {
    /// Number of the event that asks for it.
    pub seq: u64,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Its initial state instead of that of its manifest.
    pub state: Option<Vec<u8>>,
}

/// Why a child did not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("failed: {0}")]
    Failed(String),
    #[error("denied: the manifest of `{child}` grants `{kind}`, which {parent} does not have itself")]
    NotGranted { child: String, kind: String, parent: ActorPath },
}

impl Children {
    pub(crate) fn new(me: &Arc<Peer>, linked: &Linked) -> Self {
        let manifest = &linked.spec.manifest;
        Self(Arc::new(Inner {
            me: Arc::clone(me),
            granted: manifest.handlers.iter().map(|entry| entry.kind.clone()).collect(),
            folder: manifest.folder().to_owned(),
            registry: linked.registry.clone(),
            most: manifest.limits.children as usize,
            list: Mutex::default(),
        }))
    }

    fn list(&self) -> MutexGuard<'_, Vec<Child>> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whose children they are.
    #[must_use]
    pub fn of(&self) -> &ActorPath {
        self.0.me.path()
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.0.me
    }

    /// Returns the folder of the actor's manifest, to which paths are relative.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Returns the paths of the live children, in the order of their starts.
    #[must_use]
    pub fn paths(&self) -> Vec<ActorPath> {
        self.list().iter().map(|child| child.peer.path().clone()).collect()
    }

    /// Starts a child and waits until its `init` has returned; the answer is its path.
    pub fn spawn(&self, start: ChildStart) -> impl Future<Output = Reply<ActorPath>> + Send + 'static {
        let me = self.clone();
        async move {
            match me.start(&start, false).await {
                Ok(born) => ready(born).await,
                Err(error) => refused(error),
            }
        }
    }

    /// Starts a child and waits for its end; the answer is its result. A child that takes longer is stopped.
    pub fn spawn_and_wait(
        &self,
        start: ChildStart,
        timeout_ms: Option<u64>,
    ) -> impl Future<Output = Reply<Option<Vec<u8>>>> + Send + 'static {
        let me = self.clone();
        async move {
            let born = match me.start(&start, true).await {
                Ok(born) => born,
                Err(error) => return refused(error),
            };
            let ended = wait_for_end(born.ended.clone());
            let report = match timeout_ms {
                None => Some(ended.await),
                Some(ms) => tokio::time::timeout(Duration::from_millis(ms), ended).await.ok(),
            };
            let Some(report) = report else {
                let shutdown = Duration::from_millis(limits::SHUTDOWN_MS_DEFAULT);
                let child = Child { peer: Arc::clone(&born.peer), ended: born.ended.clone(), shutdown };
                child.stop().await;
                let actor = born.peer.path().clone();
                let timeout_ms = timeout_ms.unwrap_or_default();
                let error = MessageError::Timeout { what: "end", actor, timeout_ms };
                return Reply { result: Err(error), cause: born.peer.exit() };
            };
            let result = match &report.reason {
                ExitReason::Normal => Ok(report.result.clone()),
                ExitReason::Shutdown
                | ExitReason::Error(_)
                | ExitReason::Trap(_)
                | ExitReason::Limit(_)
                | ExitReason::HostFault(_)
                | ExitReason::Killed
                | ExitReason::NoActor => {
                    Err(MessageError::Failed(format!("{} ended: {}", report.actor, report.reason)))
                }
            };
            Reply { result, cause: born.peer.exit() }
        }
    }

    /// Ends a child in order and waits for that; one that takes too long is killed.
    pub fn stop(&self, path: &str) -> impl Future<Output = Reply<()>> + Send + 'static {
        let me = Arc::clone(&self.0.me);
        let found = self.list().iter().find(|child| child.peer.path().as_str() == path).cloned();
        let missing = MessageError::NoActor(format!("{path}, as a child of {}", me.path()));
        async move {
            let Some(child) = found else { return Reply { result: Err(missing), cause: None } };
            let _edge = match me.waits().begin(&me, &child.peer) {
                Ok(edge) => edge,
                Err(error) => return Reply { result: Err(error), cause: None },
            };
            child.stop().await;
            Reply { result: Ok(()), cause: child.peer.exit() }
        }
    }

    /// Starts a child that the manifest names.
    pub(crate) async fn start_declared(&self, spec: &ChildSpec, cause: Cause) -> Result<(), String> {
        let failed = |why: String| format!("child `{}` failed to start: {why}", spec.id);
        let started = async {
            let linked = self.linked(&spec.manifest).await?;
            let naming = Naming::Declared(&spec.id);
            self.launch((&linked, None, naming), cause, (spec.shutdown_ms, false))
        };
        let born = started.await.map_err(|error: StartError| failed(error.to_string()))?;
        ready(born).await.result.map(drop).map_err(|error| failed(error.to_string()))
    }

    async fn start(&self, start: &ChildStart, is_waited_for: bool) -> Result<Born, StartError> {
        let linked = self.linked(&start.manifest).await?;
        let naming = Naming::Numbered(&linked.spec.manifest.name);
        let cause = self.0.me.event(start.seq);
        let shutdown = (limits::SHUTDOWN_MS_DEFAULT, is_waited_for);
        self.launch((&linked, start.state.as_deref(), naming), cause, shutdown)
    }

    /// Brings a child to life and into the list, in one step.
    fn launch(
        &self,
        (linked, state, naming): (&Linked, Option<&[u8]>, Naming<'_>),
        cause: Cause,
        (shutdown_ms, is_waited_for): (u64, bool),
    ) -> Result<Born, StartError> {
        self.check(linked)?;
        let run = self.run()?;
        let me = &self.0.me;
        let mut list = self.list();
        if list.len() >= self.0.most {
            let (actor, most) = (me.path().clone(), self.0.most);
            return Err(MessageError::TooMany { actor, most, what: "children" }.into());
        }
        let (path, incarnation) = run.directory.begin_child(me.path(), &naming);
        let birth = Birth {
            path: path.clone(),
            incarnation,
            parent: Some(self),
            cause: Some(cause),
            linked,
            state: state.or(linked.spec.state.as_deref()),
            is_waited_for,
            activity: me.mailbox().activity(),
        };
        let born = match run.launch(&birth) {
            Ok(born) => born,
            Err(error) => {
                run.directory.leave(&path, None);
                return Err(StartError::Failed(error.to_string()));
            }
        };
        let shutdown = Duration::from_millis(shutdown_ms);
        list.push(Child { peer: Arc::clone(&born.peer), ended: born.ended.clone(), shutdown });
        Ok(born)
    }

    /// A child never gets more than its parent has.
    fn check(&self, linked: &Linked) -> Result<(), StartError> {
        let manifest = &linked.spec.manifest;
        match manifest.handlers.iter().find(|entry| !self.0.granted.contains(&entry.kind)) {
            Some(entry) => Err(StartError::NotGranted {
                child: manifest.name.clone(),
                kind: entry.kind.clone(),
                parent: self.of().clone(),
            }),
            None => Ok(()),
        }
    }

    fn run(&self) -> Result<Arc<Run>, MessageError> {
        self.0.me.run().ok_or(MessageError::RunOver)
    }

    /// Returns what a manifest leads to. It is read once in a run, so that it means the same throughout.
    async fn linked(&self, manifest: &Path) -> Result<Arc<Linked>, StartError> {
        let run = self.run()?;
        if let Some(linked) = run.linked(manifest) {
            return Ok(linked);
        }
        let (path, registry, loading) = (manifest.to_owned(), self.0.registry.clone(), Arc::clone(&run));
        let linking = tokio::task::spawn_blocking(move || {
            let spec = loading.options.packages.load(&path).map_err(|error| error.to_string())?;
            let name = path.file_name().unwrap_or_default().display().to_string();
            link(&loading.options.engine, &registry, spec).map_err(|error| format!("`{name}`: {error}"))
        });
        match linking.await {
            Ok(Ok(linked)) => Ok(run.keep_linked(manifest.to_owned(), linked)),
            Ok(Err(why)) => Err(StartError::Failed(why)),
            Err(_) => Err(StartError::Failed("reading the package was given up".to_owned())),
        }
    }

    /// A child has ended: it is in the list no more.
    pub(crate) fn remove(&self, child: &Peer) {
        self.list().retain(|known| known.peer.chain() != child.chain());
    }

    /// Ends all children, the last one first. Returns their paths.
    pub(crate) async fn stop_all(&self, order: Order) -> Vec<ActorPath> {
        let mut stopped = Vec::new();
        loop {
            let last = self.list().last().cloned();
            let Some(child) = last else { return stopped };
            tokio::select! {
                biased;
                () = child.end(order) => {}
                () = self.0.me.mailbox().killed(), if order != Order::Kill => child.end(Order::Kill).await,
            }
            // It has left the list itself, unless its task is gone.
            self.remove(&child.peer);
            stopped.push(child.peer.path().clone());
        }
    }
}

impl Child {
    async fn stop(&self) {
        self.end(Order::Stop).await;
    }

    /// Orders the end and waits for it.
    async fn end(&self, order: Order) {
        self.peer.mailbox().order_as(order, true);
        let ended = wait_for_end(self.ended.clone());
        if order == Order::Kill {
            ended.await;
            return;
        }
        if tokio::time::timeout(self.shutdown, ended).await.is_err() {
            self.peer.mailbox().order_as(Order::Kill, true);
            wait_for_end(self.ended.clone()).await;
        }
    }
}

/// Waits until a child is ready. Its supervisor waits for it no more then.
async fn ready(born: Born) -> Reply<ActorPath> {
    let started = born.start.await;
    born.edge.remove();
    match started {
        Ok(Ok(cause)) => Reply { result: Ok(born.peer.path().clone()), cause },
        Ok(Err(why)) => Reply { result: Err(MessageError::Failed(why)), cause: born.peer.exit() },
        Err(_) => Reply {
            result: Err(MessageError::Failed(format!("{} is gone", born.peer.path()))),
            cause: born.peer.exit(),
        },
    }
}

fn refused<T>(error: StartError) -> Reply<T> {
    let result = Err(match error {
        StartError::Message(error) => error,
        StartError::Failed(why) => MessageError::Failed(why),
        denied @ StartError::NotGranted { .. } => MessageError::Denied(denied.to_string()),
    });
    Reply { result, cause: None }
}

/// Waits for the end of an actor's task.
async fn wait_for_end(mut ended: watch::Receiver<Option<Arc<ExitReport>>>) -> Arc<ExitReport> {
    let report = ended.wait_for(Option::is_some).await.ok().and_then(|report| report.clone());
    report.unwrap_or_else(|| Arc::new(ExitReport::lost(&ActorPath::root())))
}
