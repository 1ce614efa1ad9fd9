//! Runs an actor inside a program and gives it a capability of the program's own: a dictionary.
//!
//! `embed WASM RUN_DIR` runs the package and records the run in RUN_DIR, where `theater verify` finds it.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pack_abi::types::Interface;
use theater::actor::{ActorPath, LogSink};
use theater::handler::{ActorContext, Call, ConfigError, Handler, HandlerFactory, Reply};
use theater::manifest::Manifest;
use theater::{ActorSpec, RuntimeOptions, TheaterRuntime, link};

mod dictionary {
    #![allow(missing_docs, clippy::allow_attributes, reason = "generated from the interface text")]
    pack_macros::host! {
        path: "../translator/wit/deps",
        interface: "example:embed/dictionary",
        handler: ::theater::handler,
    }
}

const WORDS: [(&str, &str); 3] = [("actor", "Schauspieler"), ("event", "Ereignis"), ("stage", "Bühne")];
const MANIFEST: &str =
    "name = \"embedded\"\n[[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"dictionary\"\n";

/// The capability: which interface it answers, and one handler per actor that is granted it.
struct Dictionary;

impl HandlerFactory for Dictionary {
    fn kind(&self) -> &str {
        "dictionary"
    }
    fn interfaces(&self) -> Vec<Interface> {
        vec![dictionary::interface()]
    }
    fn open(&self, _: &toml::Table, _: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        Ok(dictionary::handler(LookUp))
    }
}

struct LookUp;

impl dictionary::Handler for LookUp {
    fn look_up(&mut self, _: &Call<'_>, word: &str) -> Reply<Option<String>> {
        let found = WORDS.iter().find(|(english, _)| *english == word);
        Reply::Now(found.map(|(_, german)| (*german).to_owned()))
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
    let registry = theater_handlers::registry().with(Dictionary);
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
