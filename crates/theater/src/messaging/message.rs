//! What waits in a mailbox.

use std::fmt;
use std::sync::Arc;

use pack::ExportIndex;
use pack_abi::Value;
use theater_chain::{Cause, ExitReason};
use tokio::sync::oneshot;

use super::callback::Callback;
use super::channel::{Channel, Opening};
use super::reply::ReplyTo;
use crate::actor::{ActorPath, CallFailure};

/// One message: where it comes from, and what it wants.
pub(crate) struct Message {
    /// The event that sent it; none for a call of the embedding program.
    pub(crate) cause: Option<Cause>,
    /// The actor that sent it; none for one from outside.
    pub(crate) sender: Option<ActorPath>,
    pub(crate) body: Body,
}

/// What a message wants.
pub(crate) enum Body {
    /// The embedding program calls an export with `(state, params)`.
    Call { export: ExportIndex, params: Value, reply: oneshot::Sender<Result<Vec<u8>, CallFailure>> },
    /// One way.
    Send { data: Arc<[u8]> },
    /// With an answer.
    Request { id: String, data: Arc<[u8]>, reply: ReplyTo },
    /// Somebody opens a channel.
    Open { channel: Arc<Channel>, data: Arc<[u8]>, opening: Opening },
    /// Something comes through a channel.
    Data { channel: Arc<Channel>, data: Arc<[u8]> },
    /// The other end of a channel was closed.
    Close { channel: Arc<Channel> },
    /// A child has ended.
    Child { child: ActorPath, end: ChildEnd },
}

/// How a child ended, as its supervisor hears of it.
#[derive(Clone, Debug)]
pub(crate) enum ChildEnd {
    /// By itself, with this result.
    Exit(Option<Vec<u8>>),
    /// Abnormally.
    Error(ExitReason),
    /// Somebody else than its supervisor told it to.
    Stopped,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A call of the embedding program.
    Call,
    /// One way.
    Send,
    /// With an answer.
    Request,
    /// The answer to a request.
    Reply,
    /// The opening of a channel.
    ChannelOpen,
    /// Something that came through a channel.
    ChannelMessage,
    /// The closing of a channel.
    ChannelClose,
    /// The end of a child.
    ChildEnd,
}

impl MessageKind {
    /// Returns the name that is recorded.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Send => "send",
            Self::Request => "request",
            Self::Reply => "reply",
            Self::ChannelOpen => "channel-open",
            Self::ChannelMessage => "channel-message",
            Self::ChannelClose => "channel-close",
            Self::ChildEnd => "child-end",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Message {
    pub(crate) fn kind(&self) -> MessageKind {
        match &self.body {
            Body::Call { .. } => MessageKind::Call,
            Body::Send { .. } => MessageKind::Send,
            Body::Request { .. } => MessageKind::Request,
            Body::Open { .. } => MessageKind::ChannelOpen,
            Body::Data { .. } => MessageKind::ChannelMessage,
            Body::Close { .. } => MessageKind::ChannelClose,
            Body::Child { .. } => MessageKind::ChildEnd,
        }
    }

    /// Returns the bytes that count against the mailbox's bound.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.body {
            Body::Send { data } | Body::Request { data, .. } => data.len() as u64,
            Body::Open { data, .. } | Body::Data { data, .. } => data.len() as u64,
            Body::Child { end: ChildEnd::Exit(Some(result)), .. } => result.len() as u64,
            Body::Call { .. } | Body::Close { .. } | Body::Child { .. } => 0,
        }
    }
}

impl Body {
    /// Returns the export that takes it, unless the sender named one.
    pub(crate) fn callback(&self) -> Option<Callback> {
        Some(match self {
            Self::Call { .. } => return None,
            Self::Send { .. } => Callback::Send,
            Self::Request { .. } => Callback::Request,
            Self::Open { .. } => Callback::ChannelOpen,
            Self::Data { .. } => Callback::ChannelMessage,
            Self::Close { .. } => Callback::ChannelClose,
            Self::Child { end: ChildEnd::Exit(_), .. } => Callback::ChildExit,
            Self::Child { end: ChildEnd::Error(_), .. } => Callback::ChildError,
            Self::Child { end: ChildEnd::Stopped, .. } => Callback::ChildStopped,
        })
    }
}
