//! Runs an actor inside a program and gives it a capability of the program's own: a dictionary.
//!
//! `embed WASM RUN_DIR` runs the package and records the run in RUN_DIR, where `theater verify` finds it.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pack_abi::types::Interface;
use theater::actor::{ActorPath, LogSink};
use theater::handler::{ActorContext, Answer, Call, ConfigError, Handler, HandlerFactory};
use theater::manifest::Manifest;
use theater::{ActorSpec, RuntimeOptions, TheaterRuntime, link};

const WIT: &str = include_str!("../../translator/wit/deps/dictionary.wit");
const WORDS: [(&str, &str); 3] = [("actor", "Schauspieler"), ("event", "Ereignis"), ("stage", "Bühne")];
const MANIFEST: &str =
    "name = \"embedded\"\n[[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"dictionary\"\n";

/// The capability: which interface it answers, and one handler per actor that is granted it.
struct Dictionary(Interface);

impl HandlerFactory for Dictionary {
    fn kind(&self) -> &str {
        "dictionary"
    }
    fn interfaces(&self) -> Vec<Interface> {
        vec![self.0.clone()]
    }
    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(Box::new(LookUp))
    }
}

struct LookUp;

impl Handler for LookUp {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        let Ok(word) = pack_abi::decode::<&str>(call.input) else {
            return Answer::Refused("look-up takes a string".to_owned());
        };
        let found = WORDS.iter().find(|(english, _)| *english == word).map(|(_, german)| *german);
        match pack_abi::encode_into(&found, reply) {
            Ok(()) => Answer::Reply,
            Err(error) => Answer::Refused(error.to_string()),
        }
    }
}

struct Stderr;

impl LogSink for Stderr {
    fn log(&self, actor: &ActorPath, text: &str) {
        drop(writeln!(std::io::stderr(), "[{actor}] {text}"));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(wasm), Some(run_dir)) = (args.next(), args.next()) else {
        return Err("embed WASM RUN_DIR".into());
    };
    let world = pack_wit::parse(&[pack_wit::Source::new("dictionary.wit", WIT)])?;
    let interface = world.interface("example:embed/dictionary").ok_or("the interface has another name")?;
    let registry = theater_handlers::registry().with(Dictionary(interface.clone()));
    let engine = pack::Engine::new(&pack::EngineOptions::default())?;
    let manifest = Manifest::parse(MANIFEST, Path::new("manifest.toml"))?;
    let (wasm, manifest_text) = (std::fs::read(wasm)?, MANIFEST.into());
    let linked = link(&engine, &registry, ActorSpec { manifest, manifest_text, wasm, state: None })?;
    let options =
        RuntimeOptions::new("embedded".to_owned(), PathBuf::from(run_dir), engine, Arc::new(Stderr));
    let runtime = TheaterRuntime::start(options)?;
    let report = runtime.spawn_root(&linked).await?.finish().await;
    let closed = runtime.close(&report).await?;
    writeln!(std::io::stdout(), "{} after {} events, head {}", report.reason, closed.events, closed.head)?;
    Ok(())
}
