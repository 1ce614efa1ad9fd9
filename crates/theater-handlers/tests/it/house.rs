//! The house helper: plays scripts with puppets, then verifies the run and replays every chain of it, twice.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use pack::{Engine, EngineOptions};
use theater::actor::{ActorHandle, ActorPath, ExitReport, LogSink};
use theater::manifest::Limits;
use theater::messaging::{DeadLetter, Tally};
use theater::packages::{PackageFiles, Packages};
use theater::replay::{Recording, ReplayOptions, Replayed, check_causes, replay};
use theater::{Command, Linked, LiveRun, RuntimeOptions, SpawnError, TheaterRuntime, link};
use theater_chain::{ChainIndex, Durability, Run, Signer, VerifyOptions, verify};
use tokio::sync::Notify;
use wasm_toolchain::{GuestBuild, InstallPolicy, Quiet};

/// The puppet, built once.
static PUPPET: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = wasm_toolchain::default_home().unwrap();
    let toolchain = wasm_toolchain::find_or_install(&home, InstallPolicy::from_env(), &mut Quiet)
        .unwrap_or_else(|error| panic!("no wasm toolchain: {error}"));
    let mut build = GuestBuild::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/puppet"));
    build.target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("puppet"));
    let artifacts = toolchain.build(&build, &mut Quiet).unwrap_or_else(|error| panic!("{error:?}"));
    artifacts[0].path.clone()
});

/// What actors logged, each line behind its actor.
#[derive(Default)]
pub(crate) struct Lines {
    lines: Mutex<Vec<String>>,
    crashes: Mutex<Vec<String>>,
    changed: Notify,
}

impl Lines {
    fn push(&self, line: String) {
        self.lines.lock().unwrap().push(line);
        self.changed.notify_waiters();
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Returns the crash reports.
    pub(crate) fn crashes(&self) -> Vec<String> {
        self.crashes.lock().unwrap().clone()
    }

    /// Waits until a line with this text is there.
    pub(crate) async fn wait_for(&self, text: &str) {
        loop {
            let changed = self.changed.notified();
            if self.all().iter().any(|line| line.contains(text)) {
                return;
            }
            let waited = tokio::time::timeout(Duration::from_secs(60), changed).await;
            assert!(waited.is_ok(), "no line with {text:?} in {:#?}", self.all());
        }
    }
}

impl LogSink for Lines {
    fn log(&self, actor: &ActorPath, text: &str) {
        self.push(format!("{actor}: {text}"));
    }

    fn warn(&self, actor: &ActorPath, text: &str) {
        self.push(format!("{actor}! {text}"));
    }

    fn ended(&self, report: &ExitReport) {
        self.crashes.lock().unwrap().extend(report.crash.as_ref().map(ToString::to_string));
        self.push(format!("{} ended: {}", report.actor, report.reason));
    }
}

/// How a run ended.
pub(crate) struct Played {
    pub(crate) report: Arc<ExitReport>,
    pub(crate) lines: Vec<String>,
    pub(crate) dead: Vec<DeadLetter>,
    pub(crate) messages: Tally,
}

impl Played {
    /// Fails unless some actor logged this.
    pub(crate) fn has(&self, line: &str) {
        assert!(self.lines.iter().any(|known| known.contains(line)), "no {line:?} in {:#?}", self.lines);
    }

    /// Fails if some actor logged this.
    pub(crate) fn has_not(&self, line: &str) {
        assert!(!self.lines.iter().any(|known| known.contains(line)), "{line:?} in {:#?}", self.lines);
    }

    /// Returns the dead letters as kind, receiver and reason.
    pub(crate) fn dead(&self) -> Vec<(&str, &str, &str)> {
        self.dead.iter().map(|dead| (dead.kind.as_str(), dead.to.as_str(), dead.reason.as_str())).collect()
    }
}

/// A place for runs.
pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) lines: Arc<Lines>,
    pub(crate) recreate_every: Option<NonZeroU32>,
}

pub(crate) const MANIFEST: &str = "name = \"puppet\"\npackage = \"puppet.wasm\"\n\
    [[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"message-server\"\n[[handler]]\ntype = \"supervisor\"\n";

impl House {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(&*PUPPET, dir.path().join("puppet.wasm")).unwrap();
        std::fs::write(dir.path().join("manifest.toml"), MANIFEST).unwrap();
        let engine = Engine::new(&EngineOptions { instances_max: 64, ..EngineOptions::default() }).unwrap();
        Self { dir, engine, lines: Arc::default(), recreate_every: None }
    }

    /// Writes another manifest beside the first.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    /// Links the puppet with its manifest and an initial script.
    pub(crate) fn link(&self, manifest: &str, script: &str) -> Linked {
        let mut spec = PackageFiles.load(&self.dir.path().join(manifest)).unwrap();
        spec.state = Some(script.as_bytes().to_vec());
        link(&self.engine, &theater_handlers::registry(), spec).unwrap()
    }

    fn signer() -> Signer {
        Signer::from_seed(&[7; 32])
    }

    pub(crate) fn start(&self, name: &str) -> TheaterRuntime {
        let log = Arc::clone(&self.lines) as Arc<dyn LogSink>;
        let run_dir = self.dir.path().join(name);
        TheaterRuntime::start(RuntimeOptions {
            signer: Some(Self::signer()),
            durability: Durability::Batched,
            recreate_every: self.recreate_every,
            ..RuntimeOptions::new(name.to_owned(), run_dir, self.engine.clone(), log)
        })
        .unwrap()
    }

    /// Plays a script in `root` until nothing is left to do.
    pub(crate) async fn play(&self, script: &str) -> Played {
        self.play_with("manifest.toml", script, async |_, _| {}).await
    }

    /// Plays a script, with something to do while the run lives.
    pub(crate) async fn play_with(
        &self,
        manifest: &str,
        script: &str,
        meanwhile: impl AsyncFnOnce(&LiveRun, &ActorHandle),
    ) -> Played {
        let runtime = self.start("run");
        let live = runtime.live();
        let linked = self.link(manifest, script);
        let report = match runtime.spawn_root(&linked).await {
            Ok(root) => {
                meanwhile(&live, &root).await;
                root.finish().await
            }
            Err(SpawnError::Start(_, report)) => report,
            Err(other) => panic!("{other}"),
        };
        assert_eq!(live.actors().len(), 0, "everybody has ended");
        let dead = live.dead_letters();
        let messages = runtime.close(&report).await.unwrap().messages;
        assert!(messages.is_balanced() && messages.queued == 0, "{messages:?}");
        self.check("run").await;
        Played { report, lines: self.lines.all(), dead, messages }
    }

    /// Verifies a run, checks its causes, and replays each of its actors' chains, twice.
    pub(crate) async fn check(&self, name: &str) {
        let dir = self.dir.path().join(name);
        let known = VerifyOptions { keys: vec![Self::signer().public_key()], ..VerifyOptions::default() };
        let report = verify(&dir, &known).unwrap();
        assert_eq!(report.verdict(), 0, "{report}");
        let run = Run::open(&dir).unwrap();
        let causes = check_causes(&run, None).unwrap();
        assert!(causes.is_consistent(), "{causes}");
        let options = ReplayOptions {
            engine: self.engine.clone(),
            wasm: None,
            ceiling: Limits::default(),
            progress: None,
        };
        let mut chains = run.chains().unwrap();
        chains.retain(|chain| chain.index != ChainIndex(0));
        let recording = Recording::new(&run, &chains);
        for chain in &chains {
            // By itself, and from what is read of all at once.
            for replayed in
                [replay(&run, chain.index, &options).await, recording.replay(chain.index, &options).await]
            {
                match replayed.unwrap() {
                    Replayed::Same { .. } | Replayed::ResourceEnd { .. } => {}
                    Replayed::Diverged(divergence) => panic!("{divergence}"),
                }
            }
        }
    }
}

/// Returns a message from outside.
pub(crate) fn command<'a>(to: &'a str, script: &'a str) -> Command<'a> {
    Command { origin: "test", to, data: script.as_bytes() }
}
