//! `runtime`: what an actor may always ask of its host: its log, its id, its own end, its own chain.

use pack_abi::types::Interface;
use theater::handler::{
    ActorContext, Call, ChainAccess, ConfigError, Effect, Entry, Handler, HandlerFactory, HostFault, Reply,
};

mod host {
    //! The interface, from its text.
    #![allow(
        missing_docs,
        clippy::allow_attributes,
        reason = "generated; the docs are in the interface text"
    )]

    pack_macros::host! {
        path: "../../wit/theater-simple",
        interface: "theater:simple/runtime",
        handler: ::theater::handler,
    }
}

/// The functions whose answers hold parts of the chain.
const CHAIN_READS: [&str; 2] = ["theater:simple/runtime.get-chain", "theater:simple/runtime.get-event"];

/// Makes `runtime` handlers.
pub struct RuntimeFactory;

impl HandlerFactory for RuntimeFactory {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![host::interface()]
    }

    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        if let Some(key) = config.keys().next() {
            let message = format!("unknown key `{key}`; it has no settings");
            return Err(ConfigError { kind: self.kind().to_owned(), message });
        }
        Ok(host::handler(Runtime { actor: actor.clone() }))
    }
}

struct Runtime {
    actor: ActorContext,
}

impl From<&Entry> for host::ChainEntry {
    fn from(entry: &Entry) -> Self {
        let [a, b, c, d] = pack_abi::hash::TypeHash(entry.hash.0).words();
        Self {
            seq: entry.seq,
            kind: entry.kind.number(),
            function: entry.function,
            input_len: entry.input_len,
            output_len: entry.output_len,
            hash: (a, b, c, d),
        }
    }
}

impl host::Handler for Runtime {
    fn log(&mut self, _: &Call<'_>, msg: &str) -> Reply<host::results::Log> {
        Reply::Then((), Effect::Log(msg.to_owned()))
    }

    fn self_(&mut self, _: &Call<'_>) -> Reply<host::results::Self_> {
        Reply::Now(self.actor.path.to_string())
    }

    fn shutdown(&mut self, _: &Call<'_>, data: Option<&[u8]>) -> Reply<host::results::Shutdown> {
        Reply::Then(Ok(()), Effect::Shutdown(data.map(Into::into)))
    }

    fn get_chain(&mut self, call: &Call<'_>, start: u64) -> Reply<host::results::GetChain> {
        Reply::later(read_chain(self.actor.chain.clone(), start, call.seq))
    }

    fn get_event(&mut self, call: &Call<'_>, seq: u64) -> Reply<host::results::GetEvent> {
        Reply::later(read_event(self.actor.chain.clone(), seq, call.seq))
    }
}

async fn read_chain(
    chain: ChainAccess,
    start: u64,
    before: u64,
) -> Result<host::results::GetChain, HostFault> {
    let entries = chain.entries(start, before).await.map_err(fault)?;
    Ok(Ok(entries.iter().map(host::ChainEntry::from).collect()))
}

async fn read_event(chain: ChainAccess, seq: u64, before: u64) -> Result<host::results::GetEvent, HostFault> {
    let missing = |what: &str| Ok(Err(format!("not-found: there is no event {seq}{what}")));
    let entry = chain.entries(seq, before.min(seq.saturating_add(1))).await.map_err(fault)?;
    let Some(entry) = entry.first() else { return missing(" before this call") };
    let is_chain_read = chain.function_name(entry.function).is_some_and(|name| CHAIN_READS.contains(&name));
    if is_chain_read {
        return Ok(Err(format!("denied: event {seq} is itself a chain read")));
    }
    match chain.payload(seq).await.map_err(fault)? {
        Some(payload) => Ok(Ok(payload)),
        None => missing(""),
    }
}

fn fault(error: impl std::fmt::Display) -> HostFault {
    HostFault(error.to_string())
}
