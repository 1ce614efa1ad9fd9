//! Handlers: the host side of interfaces, one capability each.
//!
//! Two roles, two traits. A [`HandlerFactory`] is shared and immutable; it says which interfaces it
//! provides and checks its part of a manifest. A [`Handler`] is one actor's live capability and is dropped
//! with it. A handler never touches the world inside [`Handler::call`]: it answers from the actor's own
//! data, or hands back an [`Effect`] or a future, which run after the recorder has written them down.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pack_abi::types::Interface;
use pack_abi::{Encode, EncodeError};
use theater_chain::{Cause, ChainIndex, ENTRIES_MAX, Journal, JournalError};

pub use theater_chain::Entry;

use crate::actor::ActorPath;
use crate::children::Children;
use crate::messaging::{Delivery, Messages};

/// A future that a handler hands out; it owns what it needs.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, HostFault>> + Send>>;

/// What a future of a handler ends with, when it is about another actor.
pub struct Response<T = Vec<u8>> {
    /// The result that the interface says.
    pub result: T,
    /// The event of another actor that led to it.
    pub cause: Option<Cause>,
    /// What is done once the response is recorded.
    pub effect: Option<Effect>,
}

/// A future that ends with a response; it owns what it needs.
pub type ResponseFuture<T = Vec<u8>> = Pin<Box<dyn Future<Output = Result<Response<T>, HostFault>> + Send>>;

/// The host failed to do its part; the actor is ended with reason `host-fault`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostFault(pub String);

/// Settings of a handler that it cannot use.
#[derive(Debug, thiserror::Error)]
#[error("handler `{kind}`: {message}")]
pub struct ConfigError {
    /// The handler's type.
    pub kind: String,
    /// What is wrong with which key.
    pub message: String,
}

/// Makes handlers of one kind.
pub trait HandlerFactory: Send + Sync {
    /// Returns the `type` by which a manifest grants this capability.
    fn kind(&self) -> &str;

    /// Returns the interfaces that a handler of this kind answers.
    fn interfaces(&self) -> Vec<Interface>;

    /// Opens the capability for one actor.
    ///
    /// # Errors
    /// Fails if `config` holds unknown keys or values that make no sense.
    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError>;
}

/// One actor's live capability.
pub trait Handler: Send {
    /// Answers one call. `reply` is empty; the encoded result goes there for [`Answer::Reply`].
    fn call(&mut self, call: Call<'_>, reply: &mut Vec<u8>) -> Answer;

    /// Whether arguments and results pass through the types of the interface, which checks them. Otherwise the
    /// runtime compares both with the description that the factory gives. Generated handlers say yes.
    fn is_typed(&self) -> bool {
        false
    }
}

/// A call of a guest that reached its handler.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Interface, e.g. `theater:simple/runtime`.
    pub interface: &'a str,
    /// Function, e.g. `log`.
    pub function: &'a str,
    /// Encoded arguments: the bare value for one parameter, a tuple otherwise.
    pub input: &'a [u8],
    /// The sequence number that this call gets in the actor's chain.
    pub seq: u64,
}

/// What a handler answers.
pub enum Answer {
    /// Answered from the actor's own data; the result is in `reply`.
    Reply,
    /// Like [`Reply`](Self::Reply), with an effect to perform once the answer is recorded.
    ReplyWith(Effect),
    /// May wait or reach outside: the request is recorded, then the future runs, then its answer is recorded.
    Request(HandlerFuture),
    /// Like [`Request`](Self::Request), with an effect to perform once the request is recorded, before the future runs.
    Ask(Option<Effect>, ResponseFuture),
    /// The caller's error: unknown function or arguments of another type. The guest's call fails with this text.
    Refused(String),
}

/// What a method of a generated handler answers; `T` is the result that the interface says.
pub enum Reply<T> {
    /// Answered from the actor's own data.
    Now(T),
    /// Like [`Now`](Self::Now), with an effect to perform once the answer is recorded.
    Then(T, Effect),
    /// May wait or reach outside: the request is recorded, then the future runs, then its answer is recorded.
    Later(ReplyFuture<T>),
    /// Like [`Later`](Self::Later), with an effect to perform once the request is recorded, before the future runs.
    Ask(Option<Effect>, ResponseFuture<T>),
    /// The caller's error. The guest's call fails with this text.
    Refused(String),
}

/// A future that ends with a result; it owns what it needs.
pub type ReplyFuture<T> = Pin<Box<dyn Future<Output = Result<T, HostFault>> + Send>>;

impl<T: Encode + 'static> Reply<T> {
    /// Makes an answer that comes later.
    pub fn later(future: impl Future<Output = Result<T, HostFault>> + Send + 'static) -> Self {
        Self::Later(Box::pin(future))
    }

    /// Makes an answer that another actor has to give: `effect` asks it.
    pub fn ask(
        effect: Option<Effect>,
        future: impl Future<Output = Result<Response<T>, HostFault>> + Send + 'static,
    ) -> Self {
        Self::Ask(effect, Box::pin(future))
    }

    /// Encodes the answer: what generated handlers do with it.
    pub fn into_answer(self, reply: &mut Vec<u8>) -> Answer {
        match self {
            Self::Now(result) => encoded(&result, reply, Answer::Reply),
            Self::Then(result, effect) => encoded(&result, reply, Answer::ReplyWith(effect)),
            Self::Later(future) => Answer::Request(Box::pin(async move {
                let result = future.await?;
                pack_abi::encode(&result).map_err(|error| HostFault(not_encoded(error)))
            })),
            Self::Ask(effect, future) => {
                let future = async move {
                    let Response { result, cause, effect } = future.await?;
                    let result = pack_abi::encode(&result).map_err(|error| HostFault(not_encoded(error)))?;
                    Ok(Response { result, cause, effect })
                };
                Answer::Ask(effect, Box::pin(future))
            }
            Self::Refused(text) => Answer::Refused(text),
        }
    }
}

impl<T> From<T> for Reply<T> {
    fn from(result: T) -> Self {
        Self::Now(result)
    }
}

fn encoded(result: &impl Encode, reply: &mut Vec<u8>, answer: Answer) -> Answer {
    match pack_abi::encode_into(result, reply) {
        Ok(()) => answer,
        Err(error) => Answer::Refused(not_encoded(error)),
    }
}

fn not_encoded(error: EncodeError) -> String {
    format!("the result cannot be encoded: {error}")
}

/// What the runtime does for a handler after the call is recorded.
#[derive(Debug)]
pub enum Effect {
    /// Shows a line of the actor's log.
    Log(String),
    /// Ends the actor after this call, with this result.
    Shutdown(Option<Vec<u8>>),
    /// Delivers a message within the run.
    Deliver(Delivery),
}

impl Effect {
    /// Returns whether it can be seen outside of the run, which waits for the disk if the run promises so.
    pub(crate) fn leaves_the_run(&self) -> bool {
        match self {
            Self::Log(_) | Self::Shutdown(_) => true,
            Self::Deliver(_) => false,
        }
    }
}

/// What a handler may know of its actor.
#[derive(Clone)]
pub struct ActorContext {
    /// The actor's path, which is its id.
    pub path: ActorPath,
    /// The actor's own chain.
    pub chain: ChainAccess,
    /// What the actor can do with messages.
    pub messages: Messages,
    /// What the actor can do with its children.
    pub children: Children,
}

/// Read access to an actor's own chain.
#[derive(Clone)]
pub struct ChainAccess {
    journal: Journal,
    chain: ChainIndex,
    functions: Arc<[String]>,
}

impl ChainAccess {
    pub(crate) fn new(journal: Journal, chain: ChainIndex, functions: Arc<[String]>) -> Self {
        Self { journal, chain, functions }
    }

    /// Returns the name (`interface.function`) behind an event's function number.
    #[must_use]
    pub fn function_name(&self, function: u32) -> Option<&str> {
        self.functions.get(usize::try_from(function).ok()?).map(String::as_str)
    }

    /// Returns up to [`theater_chain::ENTRIES_MAX`] events from `from` on, ending before `before`.
    ///
    /// # Errors
    /// Fails if the journal has failed.
    pub async fn entries(&self, from: u64, before: u64) -> Result<Vec<Entry>, JournalError> {
        let most = ENTRIES_MAX as u64;
        let to = before.min(from.saturating_add(most));
        if from >= to {
            return Ok(Vec::new());
        }
        self.journal.entries(self.chain, from..to).await
    }

    /// Returns input and output of one event, or `None` if there is no such event.
    ///
    /// # Errors
    /// Fails if the journal has failed.
    pub async fn payload(&self, seq: u64) -> Result<Option<(Vec<u8>, Vec<u8>)>, JournalError> {
        self.journal.payload(self.chain, seq).await
    }
}

/// The capabilities that a runtime can grant, by kind.
#[derive(Clone, Default)]
pub struct HandlerRegistry {
    factories: Vec<Arc<dyn HandlerFactory>>,
}

impl HandlerRegistry {
    /// Returns an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, factory: impl HandlerFactory + 'static) -> Self {
        self.factories.retain(|known| known.kind() != factory.kind());
        self.factories.push(Arc::new(factory));
        self
    }

    /// Returns the factory of a kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&dyn HandlerFactory> {
        self.factories.iter().find(|factory| factory.kind() == kind).map(AsRef::as_ref)
    }

    /// Returns the kinds, in the order in which they were added.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.factories.iter().map(|factory| factory.kind())
    }

    /// Returns the kind that provides an interface.
    #[must_use]
    pub fn provider(&self, interface: &str) -> Option<&str> {
        self.factories
            .iter()
            .find(|factory| factory.interfaces().iter().any(|provided| provided.name == interface))
            .map(|factory| factory.kind())
    }
}
