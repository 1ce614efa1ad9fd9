//! A future that ends when the writer has come so far; it knows wakers and no runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::JournalError;
use super::queue::Shared;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Room in the queue.
    Room,
    /// The event at this position is written and can be read back.
    Written(u64),
    /// The event at this position is as durable as the run's setting promises.
    Durable(u64),
}

pub(super) struct Wait {
    shared: Arc<Shared>,
    goal: Goal,
    id: Option<u64>,
}

impl Wait {
    pub(super) const fn new(shared: Arc<Shared>, goal: Goal) -> Self {
        Self { shared, goal, id: None }
    }
}

impl Future for Wait {
    type Output = Result<(), JournalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.shared.poll(this.goal, &mut this.id, context.waker()).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.shared.forget(id);
        }
    }
}
