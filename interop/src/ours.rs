//! Our host: makes each call as `theater call --record` does, verifies the run, replays it, and reads from its chain
//! what the guest has asked for.

use std::path::Path;
use std::sync::Arc;

use pack::{Engine, EngineOptions};
use theater::actor::{ActorPath, ExitReport, LogSink};
use theater::handler::HandlerRegistry;
use theater::manifest::Manifest;
use theater::replay::{ReplayOptions, Replayed, replay};
use theater::{
    ActorSpec, LinkError, Linked, OneCall, RuntimeOptions, SpawnError, TheaterRuntime, link, link_call,
};
use theater_chain::{ChainIndex, ExitReason, Kind, Run, Signer, VerifyOptions, verify};

use crate::call::{Asked, Outcome};
use crate::cases::{Case, INIT};
use crate::handlers::{People, Services};

type Error = Box<dyn std::error::Error>;

const MANIFEST: &str = r#"name = "interop"
[[handler]]
type = "runtime"
[[handler]]
type = "services"
[[handler]]
type = "people"
# A list of bytes is a hundred times as large inside of a guest of Pack.
[limits]
memory_bytes = 268435456
"#;

/// The chain of the one actor of a run; the runtime's own is 0.
const ROOT: ChainIndex = ChainIndex(1);

pub(crate) struct Host {
    engine: Engine,
    registry: HandlerRegistry,
}

struct NoLog;

impl LogSink for NoLog {
    fn log(&self, _: &ActorPath, _: &str) {}
}

impl Host {
    pub(crate) fn new() -> Result<Self, Error> {
        let engine = Engine::new(&EngineOptions { instances_max: 8, ..EngineOptions::default() })?;
        Ok(Self { engine, registry: theater_handlers::registry().with(Services).with(People) })
    }

    /// Makes the call of a case and returns what it came to, and what the guest asked for.
    pub(crate) async fn run(&self, case: &Case, wasm: &Path) -> (Outcome, Vec<Asked>) {
        match self.tried(case, wasm).await {
            Ok(ended) => ended,
            Err(error) => (Outcome::Failed(told(error.as_ref())), Vec::new()),
        }
    }

    async fn tried(&self, case: &Case, wasm: &Path) -> Result<(Outcome, Vec<Asked>), Error> {
        let call = OneCall { symbol: case.export.to_owned(), input: case.input.clone() };
        let linked = match link_call(&self.engine, &self.registry, spec(wasm, None)?, call) {
            Ok(linked) => linked,
            Err(LinkError::Arguments(error)) => return Ok((Outcome::Refused(error.to_string()), Vec::new())),
            Err(error) => return Err(error.into()),
        };
        let (report, asked) = self.recorded(&linked).await?;
        if case.export == INIT {
            self.lives(wasm).await?;
        }
        let outcome = match (&report.answer, &report.reason) {
            (Some(answer), ExitReason::Normal | ExitReason::Error(_)) => Outcome::Value(answer.clone()),
            (None, ExitReason::Error(text)) => Outcome::Error(text.clone()),
            (_, ExitReason::Trap(_)) => Outcome::Trap,
            (_, other) => Outcome::Failed(other.to_string()),
        };
        Ok((outcome, asked))
    }

    /// Runs a package as the actor that it is.
    async fn lives(&self, wasm: &Path) -> Result<(), Error> {
        let linked = link(&self.engine, &self.registry, spec(wasm, Some(b"state".to_vec()))?)?;
        match self.recorded(&linked).await?.0.reason {
            ExitReason::Normal => Ok(()),
            ref other => Err(format!("as an actor it ends with {other}").into()),
        }
    }

    /// Runs an actor to its end, verifies and replays the run.
    async fn recorded(&self, linked: &Linked) -> Result<(Arc<ExitReport>, Vec<Asked>), Error> {
        let dir = tempfile::tempdir()?;
        let run_dir = dir.path().join("run");
        let signer = Signer::from_seed(&[7; 32]);
        let known = VerifyOptions { keys: vec![signer.public_key()], ..VerifyOptions::default() };
        let options =
            RuntimeOptions::new("interop".to_owned(), run_dir.clone(), self.engine.clone(), Arc::new(NoLog));
        let runtime = TheaterRuntime::start(RuntimeOptions { signer: Some(signer), ..options })?;
        let report = match runtime.spawn_root(linked).await {
            Ok(handle) => handle.finish().await,
            Err(SpawnError::Start(_, report)) => report,
            Err(error) => return Err(error.into()),
        };
        runtime.close(&report).await?;
        let verified = verify(&run_dir, &known)?;
        if verified.verdict() != 0 {
            return Err(format!("the run does not verify: {verified}").into());
        }
        let run = Run::open(&run_dir)?;
        let ceiling = linked.manifest().limits.clone();
        let options = ReplayOptions { engine: self.engine.clone(), wasm: None, ceiling, progress: None };
        match replay(&run, ROOT, &options).await? {
            Replayed::Same { .. } => Ok((report, asked(&run, linked)?)),
            Replayed::ResourceEnd { what, .. } => Err(format!("the replay ends early: {what}").into()),
            Replayed::Diverged(divergence) => Err(divergence.to_string().into()),
        }
    }
}

fn spec(wasm: &Path, state: Option<Vec<u8>>) -> Result<ActorSpec, Error> {
    let manifest = Manifest::parse(MANIFEST, Path::new("manifest.toml"))?;
    let bytes = std::fs::read(wasm).map_err(|error| format!("{}: {error}", wasm.display()))?;
    Ok(ActorSpec { manifest, manifest_text: MANIFEST.into(), wasm: bytes, state })
}

/// Returns the calls of the guest and their answers, as the chain has them.
fn asked(run: &Run, linked: &Linked) -> Result<Vec<Asked>, Error> {
    let mut asked: Vec<Asked> = Vec::new();
    for event in run.events(ROOT) {
        let event = event?;
        let (input, output) =
            event.payload.input().zip(event.payload.output()).ok_or("a payload is missing")?;
        match event.header.kind {
            Kind::HostCall | Kind::HostRequest => {
                let import = linked.package().imports().get(event.header.function as usize);
                let import = import.ok_or("the chain names an import that the package does not have")?;
                asked.push(Asked {
                    interface: import.interface.clone(),
                    function: import.name.clone(),
                    input: input.to_vec(),
                    answer: output.to_vec(),
                });
            }
            // The request before it is the only one that can be without an answer.
            Kind::HostResponse => {
                asked.last_mut().ok_or("a response without a request")?.answer = output.to_vec();
            }
            _ => {}
        }
    }
    Ok(asked)
}

/// Returns an error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
