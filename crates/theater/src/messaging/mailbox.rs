//! One actor's mailbox: bounded in messages and bytes, in the order of sending, overtaken by orders only.
//!
//! It is one queue under one short lock; its owner is one task. A slot is taken before the sender's event is appended
//! and filled after it. Who waits for room gets a slot in the order of asking, before anybody who asks later.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{SetOnce, oneshot};

use super::activity::Activity;
use super::dead::DeadReason;
use super::error::MessageError;
use super::message::Message;
use super::peer::Peer;
use super::tally::Tally;
use super::waits::WaitEdge;
use crate::limits;

/// How much a mailbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) messages: u32,
    pub(crate) bytes: u64,
}

/// How full a mailbox is.
pub(crate) struct Depth {
    pub(crate) messages: usize,
    pub(crate) bytes: u64,
    pub(crate) is_busy: bool,
}

/// What overtakes messages; a later one is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// End, because nothing is left to do.
    Finish,
    /// End after the call in hand.
    Stop,
    /// End at once.
    Kill,
}

/// What an actor does next.
pub(crate) enum Next {
    Order(Order),
    Look(Onlooker),
    Message(Message),
}

/// Somebody outside who wants to see the actor's state, as a graph. It overtakes messages, and is no event.
pub(crate) type Onlooker = oneshot::Sender<Vec<u8>>;

/// The mailbox.
pub(crate) struct Mailbox {
    bounds: Bounds,
    activity: Arc<Activity>,
    inner: Mutex<Inner>,
    /// Set when the owner is gone.
    is_left: SetOnce<()>,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Message>,
    /// Messages and bytes that are queued or have a slot.
    messages: u32,
    bytes: u64,
    order: Option<Order>,
    /// Who gave the order: the actor's supervisor, or somebody else.
    is_ordered_by_parent: bool,
    is_closed: bool,
    /// Whether the owner counts as active.
    is_busy: bool,
    owner: Option<Waker>,
    /// In the order of their tickets.
    waiting: VecDeque<Waiting>,
    next_ticket: u64,
    onlookers: VecDeque<Onlooker>,
    tally: Tally,
}

/// A sender that waits for room.
struct Waiting {
    ticket: u64,
    bytes: u64,
    edge: WaitEdge,
    grant: oneshot::Sender<Slot>,
}

/// The right to the next room that suits. Giving it up leaves nothing behind.
pub(crate) struct Room {
    peer: Arc<Peer>,
    ticket: u64,
    edge: WaitEdge,
    granted: oneshot::Receiver<Slot>,
}

impl Room {
    /// Waits for the room; none if the actor ends first.
    pub(crate) async fn granted(&mut self) -> Option<Slot> {
        (&mut self.granted).await.ok()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.edge.remove();
        self.peer.give_up(self.ticket);
    }
}

/// A place in a mailbox. A message that has one is delivered; a slot that is dropped is free again.
pub(crate) struct Slot {
    peer: Arc<Peer>,
    bytes: u64,
    is_filled: bool,
}

impl Slot {
    fn new(peer: &Arc<Peer>, bytes: u64) -> Self {
        Self { peer: Arc::clone(peer), bytes, is_filled: false }
    }

    /// Puts a message into the slot. If the actor has ended since, the message is a dead letter.
    pub(crate) fn fill(mut self, message: Message) {
        self.is_filled = true;
        self.peer.put(message, |_| {});
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.is_filled {
            self.peer.free(self.bytes);
        }
    }
}

impl Mailbox {
    /// Returns an empty mailbox, whose owner is starting.
    pub(crate) fn new(bounds: Bounds, activity: Arc<Activity>) -> Self {
        activity.enter();
        let inner = Inner { is_busy: true, ..Inner::default() };
        Self { bounds, activity, inner: Mutex::new(inner), is_left: SetOnce::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is going on under the actor's root.
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Gives an order. A weaker one than before changes nothing.
    pub(crate) fn order(&self, order: Order) {
        self.order_as(order, false);
    }

    /// Gives an order, and says whether the actor's supervisor gives it.
    pub(crate) fn order_as(&self, order: Order, is_by_parent: bool) {
        let mut inner = self.lock();
        if inner.is_closed && order != Order::Kill {
            return;
        }
        if inner.order.is_none_or(|before| before < order) {
            inner.order = Some(order);
            inner.is_ordered_by_parent = is_by_parent;
        }
        let owner = self.rouse(&mut inner);
        drop(inner);
        wake(owner);
    }

    /// Returns whether it was the actor's supervisor that told it to end.
    pub(crate) fn is_ordered_by_parent(&self) -> bool {
        self.lock().is_ordered_by_parent
    }

    /// Makes the owner count as active.
    fn rouse(&self, inner: &mut Inner) -> Option<Waker> {
        if !inner.is_busy && !inner.is_closed {
            inner.is_busy = true;
            self.activity.enter();
        }
        inner.owner.take()
    }

    /// Waits for an order to end at once. For the owner only.
    pub(crate) async fn killed(&self) {
        poll_fn(|context| {
            let mut inner = self.lock();
            if inner.order == Some(Order::Kill) {
                return Poll::Ready(());
            }
            keep_waker(&mut inner, context);
            Poll::Pending
        })
        .await;
    }

    /// Says that the message in hand could not be delivered after all.
    pub(crate) fn was_undeliverable(&self) {
        let mut inner = self.lock();
        inner.tally.handled -= 1;
        inner.tally.dead += 1;
    }

    /// Takes no message any more, and returns those that are left: dead letters from now on.
    pub(crate) fn close(&self) -> Vec<Message> {
        let mut inner = self.lock();
        inner.is_closed = true;
        let left: Vec<Message> = inner.queue.drain(..).collect();
        inner.tally.dead += left.len() as u64;
        let waiting = (std::mem::take(&mut inner.waiting), std::mem::take(&mut inner.onlookers));
        drop(inner);
        // Whoever waits for room, or for a look, hears of the end by losing the other half.
        drop(waiting);
        left
    }

    /// Says that the owner is gone.
    pub(crate) fn leave(&self) {
        let mut inner = self.lock();
        let was_busy = std::mem::replace(&mut inner.is_busy, false);
        drop(inner);
        if was_busy {
            self.activity.leave();
        }
        // An owner leaves once.
        self.is_left.set(()).ok();
    }

    /// Waits until the owner is gone.
    pub(crate) async fn left(&self) {
        self.is_left.wait().await;
    }

    /// Returns the counts of the messages to this mailbox.
    pub(crate) fn tally(&self) -> Tally {
        let inner = self.lock();
        Tally { queued: inner.queue.len() as u64, ..inner.tally }
    }

    /// Returns how full it is, and whether the owner is in a call.
    pub(crate) fn depth(&self) -> Depth {
        let inner = self.lock();
        Depth { messages: inner.queue.len(), bytes: inner.bytes, is_busy: inner.is_busy }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Gives back a message's room, and takes it for those who wait.
    fn release(&self, inner: &mut Inner, bytes: u64) -> Vec<Waiting> {
        inner.messages -= 1;
        inner.bytes -= bytes;
        self.grant(inner)
    }

    /// Takes the room that there is for those who wait, and returns them.
    fn grant(&self, inner: &mut Inner) -> Vec<Waiting> {
        let mut granted = Vec::new();
        while let Some(bytes) = inner.waiting.front().map(|first| first.bytes) {
            if !inner.has_room(self.bounds, bytes) {
                break;
            }
            inner.take(bytes);
            granted.extend(inner.waiting.pop_front());
        }
        granted
    }
}

impl Inner {
    fn take(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    fn has_room(&self, bounds: Bounds, bytes: u64) -> bool {
        self.messages < bounds.messages && self.bytes.saturating_add(bytes) <= bounds.bytes
    }
}

impl Peer {
    /// Waits for the next order or message. For the owner only.
    pub(crate) async fn next(self: &Arc<Self>) -> Next {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(self: &Arc<Self>, context: &mut Context<'_>) -> Poll<Next> {
        let mailbox = self.mailbox();
        let mut inner = mailbox.lock();
        if let Some(order) = inner.order {
            return Poll::Ready(Next::Order(order));
        }
        if let Some(onlooker) = inner.onlookers.pop_front() {
            return Poll::Ready(Next::Look(onlooker));
        }
        if let Some(message) = inner.queue.pop_front() {
            inner.tally.handled += 1;
            let granted = mailbox.release(&mut inner, message.bytes());
            drop(inner);
            self.hand_over(granted);
            return Poll::Ready(Next::Message(message));
        }
        keep_waker(&mut inner, context);
        let was_busy = std::mem::replace(&mut inner.is_busy, false);
        drop(inner);
        if was_busy {
            mailbox.activity.leave();
        }
        Poll::Pending
    }

    /// Asks for the actor's state as it is between two calls. The answer does not come if the actor ends.
    pub(crate) fn look(&self) -> Result<oneshot::Receiver<Vec<u8>>, MessageError> {
        let (onlooker, seen) = oneshot::channel();
        let mailbox = self.mailbox();
        let mut inner = mailbox.lock();
        if inner.is_closed {
            return Ok(seen);
        }
        if inner.onlookers.len() >= limits::ONLOOKERS_MAX {
            inner.onlookers.retain(|onlooker| !onlooker.is_closed());
            if inner.onlookers.len() >= limits::ONLOOKERS_MAX {
                let (actor, most) = (self.path().clone(), limits::ONLOOKERS_MAX);
                return Err(MessageError::TooMany { actor, most, what: "onlookers" });
            }
        }
        inner.onlookers.push_back(onlooker);
        let owner = mailbox.rouse(&mut inner);
        drop(inner);
        wake(owner);
        Ok(seen)
    }

    /// Takes a slot for a message of so many bytes.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Result<Slot, MessageError> {
        let mailbox = self.mailbox();
        let bounds = mailbox.bounds;
        let too_large =
            || MessageError::TooLarge { actor: self.path().clone(), bytes, bytes_max: bounds.bytes };
        let mut inner = mailbox.lock();
        if inner.is_closed {
            return Err(MessageError::NoActor(self.path().to_string()));
        }
        if bytes > bounds.bytes {
            return Err(too_large());
        }
        if !inner.waiting.is_empty() || !inner.has_room(bounds, bytes) {
            let actor = self.path().clone();
            return Err(MessageError::Full { actor, messages: bounds.messages, bytes: bounds.bytes });
        }
        inner.take(bytes);
        drop(inner);
        Ok(Slot::new(self, bytes))
    }

    /// Asks for a slot as soon as there is one. `edge` goes away when it is granted or given up. An actor waits in one
    /// place at a time, which bounds how many wait.
    pub(crate) fn reserve_later(self: &Arc<Self>, bytes: u64, edge: WaitEdge) -> Room {
        let (grant, granted) = oneshot::channel();
        let mailbox = self.mailbox();
        let mut inner = mailbox.lock();
        let ticket = inner.next_ticket;
        inner.next_ticket += 1;
        let room = Room { peer: Arc::clone(self), ticket, edge: edge.clone(), granted };
        if !inner.is_closed {
            inner.waiting.push_back(Waiting { ticket, bytes, edge, grant });
        }
        // Room may have come since it was refused.
        let granted = mailbox.grant(&mut inner);
        drop(inner);
        self.hand_over(granted);
        room
    }

    /// Somebody does not wait for room any more; those behind may fit.
    fn give_up(self: &Arc<Self>, ticket: u64) {
        let mailbox = self.mailbox();
        let mut inner = mailbox.lock();
        let Ok(place) = inner.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket) else { return };
        let given_up = inner.waiting.remove(place);
        let granted = mailbox.grant(&mut inner);
        drop(inner);
        drop(given_up);
        self.hand_over(granted);
    }

    /// Puts in a message of the runtime's own. It takes room like any other and is not refused for want of it: how many
    /// there are is bounded by what they are about, as a channel has one close and a child has one end.
    pub(crate) fn post(self: &Arc<Self>, message: Message) {
        let bytes = message.bytes();
        self.put(message, |inner| inner.take(bytes));
    }

    fn put(self: &Arc<Self>, message: Message, make_room: impl FnOnce(&mut Inner)) {
        let mailbox = self.mailbox();
        let mut inner = mailbox.lock();
        if inner.is_closed {
            drop(inner);
            if let Some(run) = self.run() {
                run.undelivered(self, message, DeadReason::Ended);
            }
            return;
        }
        make_room(&mut inner);
        inner.tally.sent += 1;
        inner.queue.push_back(message);
        let owner = mailbox.rouse(&mut inner);
        drop(inner);
        wake(owner);
    }

    fn free(self: &Arc<Self>, bytes: u64) {
        let mailbox = self.mailbox();
        let granted = mailbox.release(&mut mailbox.lock(), bytes);
        self.hand_over(granted);
    }

    fn hand_over(self: &Arc<Self>, granted: Vec<Waiting>) {
        for waiting in granted {
            waiting.edge.remove();
            // Who does not wait any more gives the slot back by dropping it.
            drop(waiting.grant.send(Slot::new(self, waiting.bytes)));
        }
    }
}

fn keep_waker(inner: &mut Inner, context: &Context<'_>) {
    match &inner.owner {
        Some(waker) if waker.will_wake(context.waker()) => {}
        Some(_) | None => inner.owner = Some(context.waker().clone()),
    }
}

fn wake(owner: Option<Waker>) {
    if let Some(owner) = owner {
        owner.wake();
    }
}
