//! What an actor does with a message: the callback for it, and what its outcome means to whoever sent it.

use std::sync::Arc;

use pack::{ExportIndex, PackInstance};
use pack_abi::{Value, View, WireType};
use theater_chain::{Cause, ExitReason, Kind};
use tokio::sync::oneshot;

use super::runtime::{Body as Life, Outcome, recording_failed};
use super::{ActorPath, ActorRuntime, Arguments, CallFailure, Decision};
use crate::manifest::OnError;
use crate::messaging::{
    Accepted, Body, Callback, Channel, ChildEnd, DeadLetter, DeadReason, Message, MessageError, MessageKind,
    Opening, Reply, ReplyTo,
};
use crate::record::{ActorChain, Crossing, Recorder};

type Instance = Box<PackInstance<Recorder>>;
type Data = Arc<[u8]>;

/// Where a message comes from, for its chain and its callback.
struct Origin {
    cause: Option<Cause>,
    sender: Option<ActorPath>,
}

impl ActorRuntime {
    /// Handles one message, and says what remains of the actor.
    pub(super) async fn handle(&mut self, instance: Instance, message: Message) -> Life {
        let Message { cause, sender, body } = message;
        let origin = Origin { cause, sender };
        let callback = body.callback().map(|callback| (callback, self.parts.peer.callback(callback)));
        let export = match callback {
            Some((_, Some(export))) => export,
            Some((callback, None)) => {
                self.unsupported(callback, Message { cause, sender: origin.sender, body });
                return Life::Live(instance);
            }
            None => ExportIndex::INSTANTIATE,
        };
        match body {
            Body::Call { export, params, reply } => self.handle_call(instance, (export, params), reply).await,
            Body::Send { data } => {
                let params = Value::tuple([Value::Bytes(data)]);
                self.handle_one_way(instance, export, params, origin).await
            }
            Body::Request { id, data, reply } => {
                self.handle_request(instance, export, (id, data, reply), origin).await
            }
            Body::Open { channel, data, opening } => {
                self.handle_open(instance, export, (channel, data, opening), origin).await
            }
            Body::Data { channel, data } => self.handle_data(instance, export, (channel, data), origin).await,
            Body::Close { channel } => {
                // Closed on this side too: nothing is left to be told.
                if self.desk().take_channel(channel.id()).is_none() {
                    return Life::Live(instance);
                }
                let params = Value::tuple([Value::from(channel.id())]);
                self.handle_one_way(instance, export, params, origin).await
            }
            Body::Child { child, end } => {
                let params = child_params(&child, &end);
                self.handle_one_way(instance, export, params, origin).await
            }
        }
    }

    /// The actor has no function for the message. What only informs it is over with that.
    fn unsupported(&self, callback: Callback, message: Message) {
        match &message.body {
            Body::Close { channel } => drop(self.desk().take_channel(channel.id())),
            Body::Child { .. } => {}
            Body::Call { .. }
            | Body::Send { .. }
            | Body::Request { .. }
            | Body::Open { .. }
            | Body::Data { .. } => {
                self.parts.peer.mailbox().was_undeliverable();
                let why = format!("it does not export `{}`", callback.symbol());
                self.parts.run.bury(&self.parts.peer, message, DeadReason::Unsupported, &why);
            }
        }
    }

    /// Makes the call that a message leads to.
    async fn call_for(
        &mut self,
        mut instance: Instance,
        export: ExportIndex,
        params: Value,
        origin: Origin,
    ) -> (Life, Option<Outcome>) {
        instance.boundary_mut().set_cause(origin.cause);
        self.desk().sender.clone_from(&origin.sender);
        self.origin = Some((origin.sender, origin.cause));
        let ended = self.call(instance, export, Arguments::Params(params)).await;
        self.desk().sender = None;
        ended
    }

    async fn handle_call(
        &mut self,
        instance: Instance,
        (export, params): (ExportIndex, Value),
        reply: oneshot::Sender<Result<Vec<u8>, CallFailure>>,
    ) -> Life {
        let (mut body, outcome) = self.call(instance, export, Arguments::Params(params)).await;
        let settled = body.recorder().settled();
        let answer = match (settled.await, outcome) {
            (Ok(()), Some(Ok(output))) => Ok(output),
            (Ok(()), Some(Err(text))) => Err(CallFailure::Error(text)),
            (Ok(()), None) | (Err(_), _) => Err(CallFailure::Ended(self.parts.peer.path().clone())),
        };
        // The caller may have given up waiting; its answer is in the chain.
        drop(reply.send(answer));
        body
    }

    /// A message whose sender expects nothing: an error is a warning, or the end, as the manifest says.
    async fn handle_one_way(
        &mut self,
        instance: Instance,
        export: ExportIndex,
        params: Value,
        origin: Origin,
    ) -> Life {
        let (body, outcome) = self.call_for(instance, export, params, origin).await;
        match outcome {
            Some(Err(text)) => {
                let symbol = self.parts.prepared.package().exports().get(export.0 as usize);
                let symbol = symbol.map_or("?", |export| export.symbol.as_str());
                self.parts.run.options.log.warn(self.parts.peer.path(), &format!("{symbol} failed: {text}"));
                match self.parts.on_error {
                    OnError::Warn => body,
                    OnError::Exit => body.end(ExitReason::Error(text)),
                }
            }
            Some(Ok(_)) | None => body,
        }
    }

    async fn handle_request(
        &mut self,
        instance: Instance,
        export: ExportIndex,
        (id, data, reply): (String, Data, ReplyTo),
        origin: Origin,
    ) -> Life {
        let peer = Arc::clone(&self.parts.peer);
        if self.desk().is_full_of_requests() {
            let most = crate::limits::OPEN_REQUESTS_MAX;
            let error = MessageError::TooMany { actor: peer.path().clone(), most, what: "open requests" };
            reply.answer(&peer, Reply { result: Err(error), cause: None });
            return Life::Live(instance);
        }
        let params = Value::tuple([Value::from(id.as_str()), Value::Bytes(data)]);
        self.desk().keep_request(id.clone(), reply);
        let (body, outcome) = self.call_for(instance, export, params, origin).await;
        // If the call did not come to its end, the actor's end is the answer.
        let answer = match outcome {
            Some(Ok(output)) => match reply_in(&output) {
                Ok(None) => return body,
                Ok(Some(data)) => Ok(data),
                Err(text) => Err(MessageError::Failed(text)),
            },
            Some(Err(text)) => Err(MessageError::Failed(text)),
            None => return body,
        };
        let cause = self.ended_at.map(|seq| peer.event(seq));
        let taken = self.desk().take_request(&id);
        match taken {
            Some(reply) => {
                reply.answer(&peer, Reply { result: answer, cause });
            }
            // It was answered by `respond-to-request` before.
            None if answer.is_ok() => {
                peer.replied();
                peer.reply_was_lost();
                let from = Some(peer.path().to_string());
                let letter = DeadLetter::new(cause, (from, asker(&id)), MessageKind::Reply, DeadReason::Late);
                self.parts.run.record_dead(&letter);
            }
            None => {}
        }
        body
    }

    async fn handle_open(
        &mut self,
        instance: Instance,
        export: ExportIndex,
        (channel, data, opening): (Arc<Channel>, Data, Opening),
        origin: Origin,
    ) -> Life {
        let peer = Arc::clone(&self.parts.peer);
        let opener = Arc::clone(channel.other(&peer));
        if opening.is_abandoned() || channel.is_closed(&opener) {
            peer.mailbox().was_undeliverable();
            let ends = (Some(opener.path().to_string()), peer.path().to_string());
            let letter = DeadLetter::new(origin.cause, ends, MessageKind::ChannelOpen, DeadReason::Late);
            self.parts.run.record_dead(&letter);
            return Life::Live(instance);
        }
        self.owed = Some(opening);
        let params = Value::tuple([Value::from(channel.id()), Value::Bytes(data)]);
        let (body, outcome) = self.call_for(instance, export, params, origin).await;
        let accepted = match outcome {
            Some(Ok(output)) => accept_in(&output).map_err(MessageError::Failed),
            Some(Err(text)) => Err(MessageError::Failed(text)),
            // If the call did not come to its end, the actor's end is the answer.
            None => return body,
        };
        let Some(opening) = self.owed.take() else { return body };
        let cause = self.ended_at.map(|seq| peer.event(seq));
        let is_accepted = matches!(accepted, Ok(Accept { accepted: true, .. }));
        // The opener needs room for what it is accepted with.
        let (result, first) = match accepted {
            Ok(Accept { accepted: true, message: None }) => (Ok(None), None),
            Ok(Accept { accepted: true, message: Some(data) }) => {
                (opener.reserve(data.len() as u64).map(Some), Some(data))
            }
            Ok(Accept { accepted: false, .. }) => (Err(MessageError::Rejected(peer.path().clone())), None),
            Err(error) => (Err(error), None),
        };
        if is_accepted {
            self.desk().add_channel(&channel);
        }
        let (slot, result) = match result {
            Ok(slot) => (slot, Ok(Accepted)),
            Err(error) => (None, Err(error)),
        };
        let is_ready = result.is_ok();
        let is_open = opening.answer(&peer, Reply { result, cause }) && is_ready;
        if let Some(data) = first {
            let body = Body::Data { channel: Arc::clone(&channel), data: data.into() };
            let message = Message { cause, sender: Some(peer.path().clone()), body };
            match slot {
                Some(slot) if is_open => slot.fill(message),
                Some(_) => self.parts.run.undelivered(&opener, message, DeadReason::Late),
                None if opener.mailbox().is_closed() => {
                    self.parts.run.undelivered(&opener, message, DeadReason::Ended);
                }
                None => self.parts.run.undelivered(&opener, message, DeadReason::Full),
            }
        }
        if is_accepted && !is_open {
            // The opener has given up, or has no room: this side hears that the channel is closed.
            let sender = Some(opener.path().clone());
            peer.post(Message { cause, sender, body: Body::Close { channel } });
        }
        body
    }

    async fn handle_data(
        &mut self,
        instance: Instance,
        export: ExportIndex,
        (channel, data): (Arc<Channel>, Data),
        origin: Origin,
    ) -> Life {
        let peer = Arc::clone(&self.parts.peer);
        if channel.is_closed(&peer) {
            peer.mailbox().was_undeliverable();
            let ends = (origin.sender.map(|sender| sender.to_string()), peer.path().to_string());
            let reason = DeadReason::ChannelClosed;
            let letter = DeadLetter::new(origin.cause, ends, MessageKind::ChannelMessage, reason);
            self.parts.run.record_dead(&letter);
            return Life::Live(instance);
        }
        let params = Value::tuple([Value::from(channel.id()), Value::Bytes(data)]);
        self.handle_one_way(instance, export, params, origin).await
    }

    /// Starts the children that the manifest names. One that does not start is the actor's failed start.
    pub(super) async fn start_children(&mut self, mut instance: Instance) -> Life {
        for spec in std::mem::take(&mut self.parts.declared) {
            let chain = instance.boundary_mut().chain();
            let cause = self.parts.peer.event(chain.next_seq());
            if let Err(why) = decide(chain, &Decision::StartChild { id: spec.id.clone() }) {
                return Life::Live(instance).end(ExitReason::HostFault(why));
            }
            let starting = self.parts.children.start_declared(&spec, cause);
            let started = tokio::select! {
                biased;
                started = starting => started,
                () = self.parts.peer.mailbox().killed() => {
                    return Life::Live(instance).end(ExitReason::Killed);
                }
            };
            if let Err(why) = started {
                let failed = Decision::ChildFailed { id: spec.id, reason: why.clone() };
                let decided = decide(instance.boundary_mut().chain(), &failed);
                let reason = match decided {
                    Ok(()) => ExitReason::Error(why),
                    Err(why) => ExitReason::HostFault(why),
                };
                return Life::Live(instance).end(reason);
            }
        }
        Life::Live(instance)
    }
}

/// Appends what the runtime decided for an actor, before it is done.
fn decide(chain: &mut ActorChain, decision: &Decision) -> Result<(), String> {
    let payload = pack_abi::encode(&decision.to_value()).map_err(|error| error.to_string())?;
    let crossing = Crossing::bare(Kind::Decision);
    chain.append(crossing, &[], &[&payload]).map_err(|error| recording_failed(&error))
}

/// Returns what a supervisor is told of a child's end.
fn child_params(child: &ActorPath, end: &ChildEnd) -> Value {
    let child = Value::from(child.as_str());
    match end {
        ChildEnd::Exit(result) => {
            let result = result.as_deref().map(|result| Value::Bytes(result.into()));
            Value::tuple([child, Value::option(WireType::List(Box::new(WireType::U8)), result)])
        }
        ChildEnd::Error(reason) => Value::tuple([child, reason.to_value()]),
        ChildEnd::Stopped => Value::tuple([child]),
    }
}

/// Returns the path of who asked, from the name of the request.
fn asker(request: &str) -> String {
    request.rsplit_once('#').map_or("/", |(path, _)| path).to_owned()
}

/// What `handle-channel-open` says.
struct Accept {
    accepted: bool,
    message: Option<Vec<u8>>,
}

/// Reads the second part of `ok((state, (part,)))`.
fn part_in<T>(output: &[u8], read: impl FnOnce(pack_abi::NodeRef<'_, '_>) -> Option<T>) -> Result<T, String> {
    let view = View::parse(output, &pack_abi::Limits::default()).map_err(|error| error.to_string())?;
    let part = || {
        let payload = view.root().result().ok()?.ok()?;
        let [_, rest] = payload.tuple_of::<2>().ok()?;
        let [part] = rest.tuple_of::<1>().ok()?;
        read(part)
    };
    part().ok_or_else(|| "its answer is of another type than the interface says".to_owned())
}

/// Reads what `handle-request` answers; none puts the answer off.
fn reply_in(output: &[u8]) -> Result<Option<Vec<u8>>, String> {
    part_in(output, |part| Some(part.decode::<Option<&[u8]>>().ok()?.map(<[u8]>::to_vec)))
}

fn accept_in(output: &[u8]) -> Result<Accept, String> {
    part_in(output, |part| {
        let value: Value = part.decode().ok()?;
        let Some(Value::Bool(accepted)) = value.field("accepted") else { return None };
        let message = match value.field("message")? {
            Value::Option(option) => match option.value() {
                Some(Value::Bytes(bytes)) => Some(bytes.to_vec()),
                Some(_) => return None,
                None => None,
            },
            _ => return None,
        };
        Some(Accept { accepted: *accepted, message })
    })
}
