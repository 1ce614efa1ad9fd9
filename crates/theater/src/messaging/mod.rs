//! Messages between actors: mailboxes, who waits for whom, what could not be delivered.
//!
//! A message is sent in three steps: a slot in the receiver's mailbox is taken, the sender's chain says so, then the
//! message goes into the slot. So an event that says "sent" is true, and stands before everything that follows from it.

mod activity;
mod callback;
mod channel;
mod dead;
mod desk;
mod error;
mod mailbox;
mod message;
mod messages;
mod peer;
mod reply;
mod tally;
mod waits;

pub use dead::{DeadLetter, DeadReason};
pub use error::MessageError;
pub use message::MessageKind;
pub use messages::{Answering, Delivery, Messages, Sending};
pub use reply::Reply;
pub use tally::Tally;

pub(crate) use activity::{Activity, ActivityGuard};
pub(crate) use callback::{Callback, Callbacks};
pub(crate) use channel::{Accepted, Channel, Opening};
pub(crate) use desk::Desk;
pub(crate) use mailbox::{Bounds, Depth, Next, Order};
pub(crate) use message::{Body, ChildEnd, Message};
pub(crate) use peer::{Peer, PeerParts};
pub(crate) use reply::{ReplyTo, awaiting};
pub(crate) use waits::{WaitEdge, Waits};
