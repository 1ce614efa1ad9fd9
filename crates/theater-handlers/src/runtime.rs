//! `runtime`: what an actor may always ask of its host: its log, its id, its own end, its own chain.

use pack_abi::types::Interface;
use pack_abi::{Decode, Encode};
use pack_macros::GraphValue;
use theater::handler::{
    ActorContext, Answer, Call, ChainAccess, ConfigError, Effect, Entry, Handler, HandlerFactory,
    HandlerFuture, HostFault,
};

/// The interface that this handler answers.
const INTERFACE: &str = "theater:simple/runtime";
/// The functions whose answers hold parts of the chain.
const CHAIN_READS: [&str; 2] = ["theater:simple/runtime.get-chain", "theater:simple/runtime.get-event"];

/// Makes `runtime` handlers.
pub struct RuntimeFactory {
    interface: Interface,
}

impl RuntimeFactory {
    /// Reads the interface.
    ///
    /// # Panics
    /// Panics if the interface text that is part of this program does not parse; a test makes sure it does.
    #[must_use]
    pub fn new() -> Self {
        let sources: Vec<_> =
            wit::FILES.iter().map(|(name, text)| pack_wit::Source::new(*name, *text)).collect();
        let document = pack_wit::parse(&sources).expect("the interface text of this program parses");
        let interface = document.interface(INTERFACE).expect("the interface text has `runtime`").clone();
        Self { interface }
    }
}

impl Default for RuntimeFactory {
    fn default() -> Self {
        Self::new()
    }
}

impl HandlerFactory for RuntimeFactory {
    fn kind(&self) -> &'static str {
        "runtime"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![self.interface.clone()]
    }

    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        if let Some(key) = config.keys().next() {
            let message = format!("unknown key `{key}`; it has no settings");
            return Err(ConfigError { kind: self.kind().to_owned(), message });
        }
        Ok(Box::new(Runtime { actor: actor.clone() }))
    }
}

struct Runtime {
    actor: ActorContext,
}

/// One entry of `get-chain`.
#[derive(GraphValue)]
struct ChainEntry {
    seq: u64,
    kind: u8,
    function: u32,
    input_len: u32,
    output_len: u32,
    hash: (u64, u64, u64, u64),
}

impl ChainEntry {
    fn of(entry: &Entry) -> Self {
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

impl Handler for Runtime {
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer {
        match call.function {
            "log" => arguments(call.input).map_or_else(Answer::Refused, |text: String| {
                replied(&(), reply, Answer::ReplyWith(Effect::Log(text)))
            }),
            "self" => replied(self.actor.path.as_str(), reply, Answer::Reply),
            "shutdown" => arguments(call.input).map_or_else(Answer::Refused, |result: Option<Vec<u8>>| {
                replied(&Ok::<(), String>(()), reply, Answer::ReplyWith(Effect::Shutdown(result)))
            }),
            "get-chain" => arguments(call.input).map_or_else(Answer::Refused, |start: u64| {
                Answer::Request(read_chain(self.actor.chain.clone(), start, call.seq))
            }),
            "get-event" => arguments(call.input).map_or_else(Answer::Refused, |seq: u64| {
                Answer::Request(read_event(self.actor.chain.clone(), seq, call.seq))
            }),
            other => Answer::Refused(format!("`{INTERFACE}` has no function `{other}`")),
        }
    }
}

fn read_chain(chain: ChainAccess, start: u64, before: u64) -> HandlerFuture {
    Box::pin(async move {
        let entries = chain.entries(start, before).await.map_err(fault)?;
        let entries: Vec<_> = entries.iter().map(ChainEntry::of).collect();
        encoded(&Ok::<_, String>(entries))
    })
}

fn read_event(chain: ChainAccess, seq: u64, before: u64) -> HandlerFuture {
    Box::pin(async move {
        let entry = chain.entries(seq, before.min(seq.saturating_add(1))).await.map_err(fault)?;
        let Some(entry) = entry.first() else {
            return encoded(&no_event(format!("not-found: there is no event {seq} before this call")));
        };
        let is_chain_read =
            chain.function_name(entry.function).is_some_and(|name| CHAIN_READS.contains(&name));
        if is_chain_read {
            return encoded(&no_event(format!("denied: event {seq} is itself a chain read")));
        }
        match chain.payload(seq).await.map_err(fault)? {
            Some(payload) => encoded(&Ok::<_, String>(payload)),
            None => encoded(&no_event(format!("not-found: there is no event {seq}"))),
        }
    })
}

fn no_event(text: String) -> Result<(Vec<u8>, Vec<u8>), String> {
    Err(text)
}

fn fault(error: impl std::fmt::Display) -> HostFault {
    HostFault(error.to_string())
}

/// Decodes the arguments of a call; the error is the caller's.
fn arguments<'a, T: Decode<'a>>(input: &'a [u8]) -> Result<T, String> {
    pack_abi::decode(input).map_err(|error| format!("the arguments are of another type: {error}"))
}

/// Encodes a result into the reply.
fn replied<T: Encode + ?Sized>(value: &T, reply: &mut Vec<u8>, answer: Answer) -> Answer {
    match pack_abi::encode_into(value, reply) {
        Ok(()) => answer,
        Err(error) => Answer::Refused(format!("the result cannot be encoded: {error}")),
    }
}

fn encoded<T: Encode>(value: &T) -> Result<Vec<u8>, HostFault> {
    pack_abi::encode(value).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_text_has_every_function_that_is_answered() {
        let factory = RuntimeFactory::new();
        let names: Vec<_> =
            factory.interface.functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["log", "self", "shutdown", "get-chain", "get-event"]);
    }
}
