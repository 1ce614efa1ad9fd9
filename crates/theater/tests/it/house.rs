//! The house helper: runs an actor, then verifies its run and replays every chain of it, twice.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex};

use pack::{Engine, EngineOptions};
use theater::actor::{ActorHandle, ActorPath, ExitReport, LogSink};
use theater::handler::HandlerRegistry;
use theater::manifest::{Limits, Manifest};
use theater::replay::{ReplayError, ReplayOptions, Replayed, replay};
use theater::{
    ActorSpec, LinkError, Linked, OneCall, RuntimeOptions, SpawnError, TheaterRuntime, link, link_call,
};
use theater_chain::{ChainIndex, Durability, Event, Run, Signer, VerifyOptions, verify};

/// Lines that actors logged.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl LogSink for Lines {
    fn log(&self, _actor: &ActorPath, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A place for runs.
pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) registry: HandlerRegistry,
    pub(crate) lines: Arc<Lines>,
    pub(crate) durability: Durability,
    pub(crate) recreate_every: Option<NonZeroU32>,
    pub(crate) manifest: String,
}

impl House {
    pub(crate) fn new(registry: HandlerRegistry) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            engine: Engine::new(&EngineOptions { instances_max: 8, ..EngineOptions::default() }).unwrap(),
            registry,
            lines: Arc::new(Lines::default()),
            durability: Durability::Batched,
            recreate_every: None,
            manifest: "name = \"test\"\n[[handler]]\ntype = \"runtime\"\n".to_owned(),
        }
    }

    pub(crate) fn spec(&self, wasm: Vec<u8>, state: Option<&[u8]>) -> ActorSpec {
        ActorSpec {
            manifest: Manifest::parse(&self.manifest, Path::new("manifest.toml")).unwrap(),
            manifest_text: self.manifest.clone().into_bytes(),
            wasm,
            state: state.map(<[u8]>::to_vec),
        }
    }

    pub(crate) fn link(&self, wasm: Vec<u8>) -> Result<(), LinkError> {
        link(&self.engine, &self.registry, self.spec(wasm, None)).map(drop)
    }

    pub(crate) fn start(&self, name: &str) -> TheaterRuntime {
        TheaterRuntime::start(RuntimeOptions {
            run_id: name.to_owned(),
            run_dir: self.dir.path().join(name),
            durability: self.durability,
            note: None,
            user: None,
            signer: Some(Self::signer()),
            log: Arc::clone(&self.lines) as Arc<dyn LogSink>,
            engine: self.engine.clone(),
            revision: "test".to_owned(),
            packages: Arc::new(theater::packages::PackageFiles),
            recreate_every: self.recreate_every,
        })
        .unwrap()
    }

    fn signer() -> Signer {
        Signer::from_seed(&[7; 32])
    }

    /// Runs an actor to its end, verifies and replays the run.
    pub(crate) async fn run(&self, name: &str, wasm: Vec<u8>, state: Option<&[u8]>) -> Arc<ExitReport> {
        self.run_with(name, wasm, state, async |_| {}).await
    }

    /// Like [`run`](Self::run), with something to do while the actor lives.
    pub(crate) async fn run_with(
        &self,
        name: &str,
        wasm: Vec<u8>,
        state: Option<&[u8]>,
        meanwhile: impl AsyncFnOnce(&ActorHandle),
    ) -> Arc<ExitReport> {
        let runtime = self.start(name);
        let linked = link(&self.engine, &self.registry, self.spec(wasm, state)).unwrap();
        let report = match runtime.spawn_root(&linked).await {
            Ok(handle) => {
                meanwhile(&handle).await;
                handle.finish().await
            }
            Err(SpawnError::Start(_, report)) => report,
            Err(other) => panic!("{other}"),
        };
        Self::close(runtime, &report).await;
        self.check(name).await;
        report
    }

    /// Closes a run, in which no message was lost.
    pub(crate) async fn close(runtime: TheaterRuntime, report: &ExitReport) {
        let messages = runtime.close(report).await.unwrap().messages;
        assert!(messages.is_balanced() && messages.queued == 0, "{messages:?}");
    }

    pub(crate) fn link_call(&self, wasm: Vec<u8>, call: OneCall) -> Result<Linked, LinkError> {
        link_call(&self.engine, &self.registry, self.spec(wasm, None), call)
    }

    /// Makes one call of a package, verifies and replays the run.
    pub(crate) async fn call(&self, name: &str, wasm: Vec<u8>, call: OneCall) -> Arc<ExitReport> {
        let runtime = self.start(name);
        let linked = self.link_call(wasm, call).unwrap();
        let report = match runtime.spawn_root(&linked).await {
            Ok(handle) => handle.finish().await,
            Err(SpawnError::Start(_, report)) => report,
            Err(other) => panic!("{other}"),
        };
        Self::close(runtime, &report).await;
        self.check(name).await;
        report
    }

    /// Verifies a run and replays each of its actors' chains, twice.
    pub(crate) async fn check(&self, name: &str) {
        let dir = self.dir.path().join(name);
        let known = VerifyOptions { keys: vec![Self::signer().public_key()], ..VerifyOptions::default() };
        let report = verify(&dir, &known).unwrap();
        assert_eq!(report.verdict(), 0, "{report}");
        for _ in 0..2 {
            for replayed in self.replay_all(name, None).await {
                match replayed.unwrap() {
                    Replayed::Same { .. } | Replayed::ResourceEnd { .. } => {}
                    Replayed::Diverged(divergence) => panic!("{divergence}"),
                }
            }
        }
    }

    /// Replays the chains of a run's actors, with another package if one is given.
    pub(crate) async fn replay_all(
        &self,
        name: &str,
        wasm: Option<Vec<u8>>,
    ) -> Vec<Result<Replayed, ReplayError>> {
        let run = Run::open(self.dir.path().join(name)).unwrap();
        let options =
            ReplayOptions { engine: self.engine.clone(), wasm, ceiling: Limits::default(), progress: None };
        let mut outcomes = Vec::new();
        for chain in run.chains().unwrap() {
            if chain.index != ChainIndex(0) {
                outcomes.push(replay(&run, chain.index, &options).await);
            }
        }
        outcomes
    }

    /// Returns the events of the root's chain.
    pub(crate) fn events(&self, name: &str) -> Vec<Event> {
        let run = Run::open(self.dir.path().join(name)).unwrap();
        run.events(ChainIndex(1)).map(Result::unwrap).collect()
    }
}
