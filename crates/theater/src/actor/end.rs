//! The end of an actor: its children first, then its last event, then what others have to hear of it.

use std::sync::Arc;

use theater_chain::{Cause, Exit, ExitReason, Kind};

use super::runtime::{Ending, recording_failed};
use super::{ActorPath, ActorRuntime, CrashReport, ExitReport, is_orderly};
use crate::messaging::{Body, Callback, Channel, ChildEnd, DeadReason, Message, MessageError, Order, Reply};
use crate::record::{ActorChain, Crossing, Recorder};

impl ActorRuntime {
    /// Writes the exit event and the report.
    pub(super) async fn end(mut self, mut recorder: Box<Recorder>, ending: Ending) -> ExitReport {
        let Ending { mut reason, result, trap } = ending;
        let peer = Arc::clone(&self.parts.peer);
        tracing::debug!(actor = %peer.path(), incarnation = peer.incarnation(), %reason, "actor ends");
        let left = peer.mailbox().close();
        // Nobody can reach it through its channels any more; whoever ends first says so to the others only.
        let channels = self.desk().take_channels();
        for channel in &channels {
            channel.close(&peer);
        }
        let children = self.parts.children.stop_all(order_for(&reason)).await;
        let in_hand = if is_orderly(&reason) { None } else { self.describe() };
        let exit = Exit {
            reason: reason.clone(),
            state_hash: recorder.state().hash(),
            result: result.clone(),
            detail: trap.as_ref().map(|trap| trap.exit_detail(in_hand.as_deref())),
        };
        let chain = recorder.chain();
        let last_seq = chain.next_seq().saturating_sub(1);
        let exit_seq = chain.next_seq();
        if let Err(why) = append_exit(chain, &exit) {
            reason = ExitReason::HostFault(why);
        } else {
            peer.set_exit(exit_seq);
            if let Err(error) = recorder.settled().await {
                reason = ExitReason::HostFault(recording_failed(&error));
            }
        }
        let crash = (!is_orderly(&reason)).then(|| CrashReport {
            who: format!("{}#{}", peer.path(), peer.incarnation()),
            reason: reason.to_string(),
            panic: trap.as_ref().and_then(|trap| trap.message.clone()),
            backtrace: trap.map(|trap| trap.backtrace).unwrap_or_default(),
            in_hand,
            sent_by: self.origin.take().map(|origin| told_origin(&origin)),
            mailbox: left.len(),
            children: children.iter().map(ToString::to_string).collect(),
            decision: self.decision(),
            run_id: self.parts.run.kept_run_id(),
            seq: last_seq,
        });
        self.settle_affairs((left, channels), &reason, result.as_deref());
        let report = ExitReport {
            actor: peer.path().clone(),
            incarnation: peer.incarnation(),
            reason,
            result,
            answer: self.answer.take(),
            crash,
        };
        self.parts.run.options.log.ended(&report);
        // Whoever has to hear of the end is active by now.
        peer.mailbox().leave();
        report
    }

    /// Returns the call in hand as text.
    fn describe(&self) -> Option<String> {
        let (export, arguments) = self.in_hand.as_ref()?;
        let export = self.parts.prepared.package().exports().get(export.0 as usize);
        Some(arguments.text(export.map_or("?", |export| &export.symbol)))
    }

    fn decision(&self) -> String {
        match &self.parts.siblings {
            None => "none: the root actor has no supervisor, so the run ends".to_owned(),
            Some(siblings) if !self.is_started => format!("its start has failed: {} is told", siblings.of()),
            Some(siblings) => format!("not restarted, as it is temporary: {} is told", siblings.of()),
        }
    }

    /// Tells everybody who expected something of the actor.
    fn settle_affairs(
        &mut self,
        (left, channels): (Vec<Message>, Vec<Arc<Channel>>),
        reason: &ExitReason,
        result: Option<&[u8]>,
    ) {
        let (peer, run) = (Arc::clone(&self.parts.peer), Arc::clone(&self.parts.run));
        let cause = peer.exit();
        let ended = || MessageError::Ended { actor: peer.path().clone(), reason: reason.to_string() };
        let requests = self.desk().take_requests();
        // Whoever does not wait any more has had its answer: it was too late.
        for request in requests.into_iter().filter(|request| !request.is_abandoned()) {
            request.answer(&peer, Reply { result: Err(ended()), cause });
        }
        if let Some(opening) = self.owed.take() {
            opening.answer(&peer, Reply { result: Err(ended()), cause });
        }
        for channel in channels {
            let other = Arc::clone(channel.other(&peer));
            if !channel.is_closed(&other) {
                other.post(Message {
                    cause,
                    sender: Some(peer.path().clone()),
                    body: Body::Close { channel },
                });
            }
        }
        let why = reason.to_string();
        for message in left {
            run.bury(&peer, message, DeadReason::Ended, &why);
        }
        self.tell_supervisor(cause, reason, result);
        run.settle(&peer);
    }

    /// A supervisor hears of the end of a child that it has not ended itself and does not wait for.
    fn tell_supervisor(&self, cause: Option<Cause>, reason: &ExitReason, result: Option<&[u8]>) {
        let Some(siblings) = &self.parts.siblings else { return };
        let peer = &self.parts.peer;
        siblings.remove(peer);
        if self.parts.is_waited_for || !self.is_started || peer.mailbox().is_ordered_by_parent() {
            return;
        }
        let end = match reason {
            ExitReason::Normal => ChildEnd::Exit(result.map(<[u8]>::to_vec)),
            ExitReason::Shutdown => ChildEnd::Stopped,
            ExitReason::Error(_)
            | ExitReason::Trap(_)
            | ExitReason::Limit(_)
            | ExitReason::HostFault(_)
            | ExitReason::Killed
            | ExitReason::NoActor => ChildEnd::Error(reason.clone()),
        };
        let callback = match &end {
            ChildEnd::Exit(_) => Callback::ChildExit,
            ChildEnd::Error(_) => Callback::ChildError,
            ChildEnd::Stopped => Callback::ChildStopped,
        };
        // A supervisor that does not want to know is not asked.
        if siblings.peer().callback(callback).is_some() {
            let body = Body::Child { child: peer.path().clone(), end };
            siblings.peer().post(Message { cause, sender: Some(peer.path().clone()), body });
        }
    }
}

/// Returns what the children of an actor are told when it ends.
fn order_for(reason: &ExitReason) -> Order {
    match reason {
        ExitReason::Normal => Order::Finish,
        ExitReason::Killed => Order::Kill,
        ExitReason::Shutdown
        | ExitReason::Error(_)
        | ExitReason::Trap(_)
        | ExitReason::Limit(_)
        | ExitReason::HostFault(_)
        | ExitReason::NoActor => Order::Stop,
    }
}

fn told_origin((sender, cause): &(Option<ActorPath>, Option<Cause>)) -> String {
    let sender = sender.as_ref().map_or("outside", ActorPath::as_str);
    match cause {
        Some(cause) => format!("{sender}, with event {} of chain {}", cause.seq, cause.chain),
        None => sender.to_owned(),
    }
}

fn append_exit(chain: &mut ActorChain, exit: &Exit) -> Result<(), String> {
    let payload = exit.encode().map_err(|error| error.to_string())?;
    chain.append(Crossing::bare(Kind::Exit), &[], &[&payload]).map_err(|error| recording_failed(&error))
}
