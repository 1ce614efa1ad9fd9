//! Native actors of two Rust libraries, `kameo` and `ractor`: the same messages without wasm and without a recording.

use kameo::actor::Spawn as _;
use ractor::{ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::oneshot;

use super::Failure;

/// A library of native actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// `kameo`, with its bounded mailbox.
    Kameo,
    /// `ractor`, whose mailbox has no bound.
    Ractor,
}

impl Peer {
    pub(super) const ALL: [Self; 2] = [Self::Kameo, Self::Ractor];

    /// Returns its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kameo => "kameo",
            Self::Ractor => "ractor",
        }
    }

    /// Sends so many messages to one actor, from one task, and waits until the last is handled.
    pub(super) async fn one_way(self, count: u32, bytes: usize) -> Result<(), Failure> {
        let (done, all) = oneshot::channel();
        let body = vec![7; bytes];
        match self {
            Self::Kameo => {
                let actor = Counter::spawn(Counter { left: count, done: Some(done) });
                for _ in 0..count {
                    actor.tell(Tell(body.clone())).await.map_err(failure)?;
                }
                all.await?;
                actor.stop_gracefully().await.map_err(failure)?;
                actor.wait_for_shutdown().await;
            }
            Self::Ractor => {
                let (actor, end) = ractor::Actor::spawn(None, Echo, (count, done)).await.map_err(failure)?;
                for _ in 0..count {
                    actor.cast(Message::Tell(body.clone())).map_err(failure)?;
                }
                all.await?;
                actor.stop(None);
                end.await?;
            }
        }
        Ok(())
    }

    /// Asks one actor so many times, one after the other.
    pub(super) async fn ask(self, count: u32, bytes: usize) -> Result<(), Failure> {
        let (done, _all) = oneshot::channel();
        let body = vec![7; bytes];
        match self {
            Self::Kameo => {
                let actor = Counter::spawn(Counter { left: 0, done: Some(done) });
                for _ in 0..count {
                    let reply = actor.ask(Ask(body.clone())).await.map_err(failure)?;
                    same_length(&reply, bytes)?;
                }
                actor.stop_gracefully().await.map_err(failure)?;
                actor.wait_for_shutdown().await;
            }
            Self::Ractor => {
                let (actor, end) = ractor::Actor::spawn(None, Echo, (0, done)).await.map_err(failure)?;
                for _ in 0..count {
                    let reply =
                        actor.call(|port| Message::Ask(body.clone(), port), None).await.map_err(failure)?;
                    same_length(&reply.success_or(RECEIVED)?, bytes)?;
                }
                actor.stop(None);
                end.await?;
            }
        }
        Ok(())
    }

    /// Starts and ends so many actors, one after the other.
    pub(super) async fn spawn_and_exit(self, count: u32) -> Result<(), Failure> {
        for _ in 0..count {
            let (done, _all) = oneshot::channel();
            match self {
                Self::Kameo => {
                    let actor = Counter::spawn(Counter { left: 0, done: Some(done) });
                    actor.wait_for_startup().await;
                    actor.stop_gracefully().await.map_err(failure)?;
                    actor.wait_for_shutdown().await;
                }
                Self::Ractor => {
                    let (actor, end) = ractor::Actor::spawn(None, Echo, (0, done)).await.map_err(failure)?;
                    actor.stop(None);
                    end.await?;
                }
            }
        }
        Ok(())
    }
}

const RECEIVED: &str = "an actor did not answer";

/// Their errors carry the message, which is not an error of its own.
fn failure(error: impl std::fmt::Debug) -> Failure {
    format!("{error:?}").into()
}

fn same_length(reply: &[u8], bytes: usize) -> Result<(), Failure> {
    if reply.len() == bytes { Ok(()) } else { Err(RECEIVED.into()) }
}

/// Counts messages down and says when there were enough of them.
#[derive(kameo::Actor)]
struct Counter {
    left: u32,
    done: Option<oneshot::Sender<()>>,
}

struct Tell(Vec<u8>);

struct Ask(Vec<u8>);

impl kameo::message::Message<Tell> for Counter {
    type Reply = ();

    async fn handle(&mut self, Tell(body): Tell, _: &mut kameo::message::Context<Self, ()>) {
        std::hint::black_box(body);
        count_down(&mut self.left, &mut self.done);
    }
}

impl kameo::message::Message<Ask> for Counter {
    type Reply = Vec<u8>;

    async fn handle(&mut self, Ask(body): Ask, _: &mut kameo::message::Context<Self, Vec<u8>>) -> Vec<u8> {
        body
    }
}

fn count_down(left: &mut u32, done: &mut Option<oneshot::Sender<()>>) {
    *left = left.saturating_sub(1);
    if *left == 0
        && let Some(done) = done.take()
    {
        // Whoever waits may have given up.
        done.send(()).ok();
    }
}

struct Echo;

enum Message {
    Tell(Vec<u8>),
    Ask(Vec<u8>, RpcReplyPort<Vec<u8>>),
}

impl ractor::Actor for Echo {
    type Msg = Message;
    type State = (u32, Option<oneshot::Sender<()>>);
    type Arguments = (u32, oneshot::Sender<()>);

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (left, done): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok((left, Some(done)))
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        (left, done): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Tell(body) => {
                std::hint::black_box(body);
                count_down(left, done);
            }
            Message::Ask(body, port) => port.send(body).map_err(|_| "nobody waits for the answer")?,
        }
        Ok(())
    }
}
