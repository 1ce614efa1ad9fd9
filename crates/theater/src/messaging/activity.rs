//! Whether a root and all below it are quiescent: no actor is busy, and nobody outside holds on to one.
//!
//! An actor counts while it starts, has a message or runs a call, whatever that call waits for. Whoever sends from
//! outside of an actor counts too. A message makes its receiver busy before its sender can become idle, so the count
//! reaches zero only if nothing is left that could ever happen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::mailbox::Order;
use super::peer::Peer;

/// How much is going on under one root.
#[derive(Default)]
pub(crate) struct Activity {
    count: AtomicUsize,
    /// Who is told to end when nothing is going on any more.
    root: Mutex<Weak<Peer>>,
}

impl Activity {
    /// Names the actor whose end is the run's.
    pub(crate) fn set_root(&self, root: &Arc<Peer>) {
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(root);
    }

    pub(crate) fn enter(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Must not be called while a mailbox is locked: the root may be told to end.
    pub(crate) fn leave(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let root = self.root.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(root) = root {
            root.mailbox().order(Order::Finish);
        }
    }
}

/// Keeps a root going while it exists.
pub(crate) struct ActivityGuard(Arc<Activity>);

impl ActivityGuard {
    pub(crate) fn new(activity: &Arc<Activity>) -> Self {
        activity.enter();
        Self(Arc::clone(activity))
    }
}

impl Clone for ActivityGuard {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for ActivityGuard {
    fn drop(&mut self) {
        self.0.leave();
    }
}
