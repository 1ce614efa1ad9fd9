//! `message-server`: messages, requests and channels between the actors of a run.

use pack_abi::types::Interface;
use theater::handler::{
    ActorContext, Call, ConfigError, Effect, Handler, HandlerFactory, HostFault, Reply, Response,
};
use theater::limits;
use theater::messaging::{Answering, Delivery, MessageError, Messages, Sending};

mod host {
    //! The interface, from its text.
    #![allow(
        missing_docs,
        clippy::allow_attributes,
        reason = "generated; the docs are in the interface text"
    )]

    pack_macros::host! {
        path: "../../wit/theater-simple",
        interface: "theater:simple/message-server-host",
        handler: ::theater::handler,
    }
}

/// Makes `message-server` handlers.
pub struct MessageServerFactory;

impl HandlerFactory for MessageServerFactory {
    fn kind(&self) -> &'static str {
        "message-server"
    }

    fn interfaces(&self) -> Vec<Interface> {
        vec![host::interface()]
    }

    fn open(&self, config: &toml::Table, actor: &ActorContext) -> Result<Box<dyn Handler>, ConfigError> {
        if let Some(key) = config.keys().next() {
            let message = format!("unknown key `{key}`; it has no settings");
            return Err(ConfigError { kind: self.kind().to_owned(), message });
        }
        Ok(host::handler(MessageServer { messages: actor.messages.clone() }))
    }
}

struct MessageServer {
    messages: Messages,
}

/// What is delivered after the answer, or the error.
fn delivered(delivery: Result<Delivery, MessageError>) -> Reply<Result<(), String>> {
    match delivery {
        Ok(delivery) => Reply::Then(Ok(()), Effect::Deliver(delivery)),
        Err(error) => Reply::Now(Err(error.to_string())),
    }
}

/// What is delivered before the answer is waited for, or the error.
fn asked<T>(asked: Result<(Delivery, Answering<T>), MessageError>) -> Reply<Result<T, String>>
where
    T: Send + 'static,
    Result<T, String>: pack_abi::Encode,
{
    match asked {
        Ok((delivery, answer)) => Reply::ask(Some(Effect::Deliver(delivery)), answered(answer)),
        Err(error) => Reply::Now(Err(error.to_string())),
    }
}

async fn answered<T>(answer: Answering<T>) -> Result<Response<Result<T, String>>, HostFault> {
    let reply = answer.await;
    let result = reply.result.map_err(|error| error.to_string());
    Ok(Response { result, cause: reply.cause, effect: None })
}

impl host::Handler for MessageServer {
    fn send(&mut self, call: &Call<'_>, actor_id: &str, msg: &[u8]) -> Reply<host::results::Send> {
        delivered(self.messages.send(call.seq, actor_id, msg))
    }

    fn send_wait(
        &mut self,
        call: &Call<'_>,
        actor_id: &str,
        msg: &[u8],
        timeout_ms: u64,
    ) -> Reply<host::results::SendWait> {
        match self.messages.send_wait(call.seq, actor_id, msg, timeout_ms) {
            Ok(Sending::Now(delivery)) => delivered(Ok(delivery)),
            Ok(Sending::Later(granted)) => Reply::ask(None, async move {
                let (result, effect) = match granted.await {
                    Ok(delivery) => (Ok(()), Some(Effect::Deliver(delivery))),
                    Err(error) => (Err(error.to_string()), None),
                };
                Ok(Response { result, cause: None, effect })
            }),
            Err(error) => delivered(Err(error)),
        }
    }

    fn request(&mut self, call: &Call<'_>, actor_id: &str, msg: &[u8]) -> Reply<host::results::Request> {
        asked(self.messages.request(call.seq, actor_id, msg, limits::ANSWER_MS))
    }

    fn request_timeout(
        &mut self,
        call: &Call<'_>,
        actor_id: &str,
        msg: &[u8],
        timeout_ms: u64,
    ) -> Reply<host::results::RequestTimeout> {
        asked(self.messages.request(call.seq, actor_id, msg, timeout_ms))
    }

    fn sender(&mut self, _: &Call<'_>) -> Reply<host::results::Sender> {
        Reply::Now(self.messages.sender().map(|sender| sender.to_string()))
    }

    fn list_outstanding_requests(&mut self, _: &Call<'_>) -> Reply<host::results::ListOutstandingRequests> {
        Reply::Now(self.messages.open_requests())
    }

    fn respond_to_request(
        &mut self,
        call: &Call<'_>,
        request_id: &str,
        response: &[u8],
    ) -> Reply<host::results::RespondToRequest> {
        delivered(self.messages.respond(call.seq, request_id, response))
    }

    fn cancel_request(&mut self, call: &Call<'_>, request_id: &str) -> Reply<host::results::CancelRequest> {
        delivered(self.messages.cancel(call.seq, request_id))
    }

    fn open_channel(
        &mut self,
        call: &Call<'_>,
        actor_id: &str,
        initial_msg: &[u8],
    ) -> Reply<host::results::OpenChannel> {
        asked(self.messages.open_channel(call.seq, actor_id, initial_msg, limits::ANSWER_MS))
    }

    fn send_on_channel(
        &mut self,
        call: &Call<'_>,
        channel_id: &str,
        msg: &[u8],
    ) -> Reply<host::results::SendOnChannel> {
        delivered(self.messages.send_on_channel(call.seq, channel_id, msg))
    }

    fn close_channel(&mut self, call: &Call<'_>, channel_id: &str) -> Reply<host::results::CloseChannel> {
        delivered(self.messages.close_channel(call.seq, channel_id))
    }
}
