//! Why a message was not sent, or not answered; the text begins with a code that guests read.

use crate::actor::ActorPath;

/// Why the runtime could not do what was asked of it. The text begins with a code of a closed list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Nobody lives at the path.
    #[error("no-actor: there is no actor `{0}`")]
    NoActor(String),
    /// The actor ended while something was expected of it.
    #[error("closed: {actor} has ended: {reason}")]
    Ended {
        /// Who.
        actor: ActorPath,
        /// Its exit reason.
        reason: String,
    },
    /// The request was given up by the actor that had it.
    #[error("closed: {0} has cancelled the request")]
    Cancelled(ActorPath),
    /// The mailbox has no room.
    #[error("full: the mailbox of {actor} holds all {messages} messages or {bytes} bytes that it may")]
    Full {
        /// Whose.
        actor: ActorPath,
        /// Its bound.
        messages: u32,
        /// Its other bound.
        bytes: u64,
    },
    /// An actor has as many of something as it may.
    #[error("full: {actor} has {most} {what}, which is the most")]
    TooMany {
        /// Who.
        actor: ActorPath,
        /// The bound.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// The message is larger than any mailbox of the receiver could be.
    #[error(
        "too-large: the message has {bytes} bytes, {actor} takes at most {bytes_max} (`mailbox_bytes` in [limits])"
    )]
    TooLarge {
        /// The receiver.
        actor: ActorPath,
        /// Bytes of the message.
        bytes: u64,
        /// Bytes that its mailbox may hold.
        bytes_max: u64,
    },
    /// There was no answer in time.
    #[error("timeout: no {what} from {actor} within {timeout_ms} ms")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// From whom.
        actor: ActorPath,
        /// How long.
        timeout_ms: u64,
    },
    /// Waiting would never end.
    #[error("cycle: {0}")]
    Cycle(String),
    /// The receiver does not export the function that would take the message.
    #[error("unsupported: {actor} does not export `{callback}`")]
    Unsupported {
        /// The receiver.
        actor: ActorPath,
        /// The export.
        callback: &'static str,
    },
    /// The other side returned an error.
    #[error("failed: {0}")]
    Failed(String),
    /// The actor may not; the text says so itself.
    #[error("{0}")]
    Denied(String),
    /// The other side said no.
    #[error("denied: {0} has rejected the channel")]
    Rejected(ActorPath),
    /// There is no such request.
    #[error("not-found: there is no open request `{0}`")]
    NoRequest(String),
    /// Whoever asked does not wait any more.
    #[error("timeout: who asked `{0}` does not wait any more")]
    Late(String),
    /// There is no such channel.
    #[error("not-found: there is no channel `{0}`")]
    NoChannel(String),
    /// The other end of the channel was closed.
    #[error("closed: the channel `{0}` is closed")]
    ChannelClosed(String),
    /// The run is over.
    #[error("closed: the run is over")]
    RunOver,
    /// The runtime could not record it; the run is about to stop.
    #[error("failed: recording failed: {0}")]
    Recording(String),
}
