//! The count of messages: what was sent is handled, dead, or still queued.

use std::ops::AddAssign;

/// How many messages went where. Replies count as messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were sent: their senders were told so.
    pub sent: u64,
    /// Messages that an actor has taken in hand, and replies that reached who waited for them.
    pub handled: u64,
    /// Messages that could not be delivered; each is recorded with its reason.
    pub dead: u64,
    /// Messages that wait in a mailbox.
    pub queued: u64,
}

impl Tally {
    /// Returns whether no message was lost.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.sent == self.handled + self.dead + self.queued
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.handled += other.handled;
        self.dead += other.dead;
        self.queued += other.queued;
    }
}
