//! A visitor of the chat room: says what it is asked to say, and keeps what it hears until it is asked for it.

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::exports::theater::simple::handle_channel_close::Guest as HandleChannelClose;
use bindings::exports::theater::simple::handle_channel_message::Guest as HandleChannelMessage;
use bindings::exports::theater::simple::handle_request::Guest as HandleRequest;
use bindings::exports::theater::simple::handle_send::Guest as HandleSend;
use bindings::theater::simple::message_server_host::{close_channel, open_channel, send_on_channel};
use bindings::theater::simple::runtime::{log, shutdown};
use serde::{Deserialize, Serialize};

/// What a visitor knows.
#[derive(Serialize, Deserialize)]
struct Visitor {
    name: String,
    room: String,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    heard: Vec<String>,
}

/// What a visitor can be asked for.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Wish {
    /// Say something to the room.
    Say { text: String },
    /// What was heard since this was asked last.
    Read,
    /// Leave, for good.
    Leave,
}

type State = Option<Vec<u8>>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Visitor {
    fn read(state: State) -> Result<Self, String> {
        serde_json::from_slice(&state.ok_or("a visitor has a name and a room")?).map_err(text)
    }

    fn write(&self) -> Result<State, String> {
        serde_json::to_vec(self).map(Some).map_err(text)
    }

    fn channel(&self) -> Result<&str, String> {
        self.channel.as_deref().ok_or_else(|| format!("{} is not in the room", self.name))
    }
}

struct Component;

impl Guest for Component {
    fn init(state: State, _params: (String,)) -> Result<(State,), String> {
        Ok((Visitor::read(state)?.write()?,))
    }
}

impl HandleSend for Component {
    /// The room is ready for the visitor.
    fn handle_send(state: State, _message: (Vec<u8>,)) -> Result<(State,), String> {
        let mut visitor = Visitor::read(state)?;
        if visitor.channel.is_none() {
            visitor.channel = Some(open_channel(&visitor.room, visitor.name.as_bytes())?);
            log(&format!("{} is in", visitor.name));
        }
        Ok((visitor.write()?,))
    }
}

impl HandleRequest for Component {
    fn handle_request(
        state: State,
        (_id, wish): (String, Vec<u8>),
    ) -> Result<(State, (Option<Vec<u8>>,)), String> {
        let mut visitor = Visitor::read(state)?;
        let answer = match serde_json::from_slice(&wish).map_err(text)? {
            Wish::Say { text } => {
                send_on_channel(visitor.channel()?, text.as_bytes())?;
                b"said".to_vec()
            }
            Wish::Read => serde_json::to_vec(&std::mem::take(&mut visitor.heard)).map_err(text)?,
            Wish::Leave => {
                close_channel(visitor.channel()?)?;
                visitor.channel = None;
                shutdown(None)?;
                b"left".to_vec()
            }
        };
        Ok((visitor.write()?, (Some(answer),)))
    }
}

impl HandleChannelMessage for Component {
    fn handle_channel_message(state: State, (_channel, line): (String, Vec<u8>)) -> Result<(State,), String> {
        let mut visitor = Visitor::read(state)?;
        visitor.heard.push(String::from_utf8(line).map_err(text)?);
        Ok((visitor.write()?,))
    }
}

impl HandleChannelClose for Component {
    fn handle_channel_close(state: State, _channel: (String,)) -> Result<(State,), String> {
        let mut visitor = Visitor::read(state)?;
        visitor.channel = None;
        visitor.heard.push("the room is closed".to_owned());
        Ok((visitor.write()?,))
    }
}

bindings::export!(Component with_types_in bindings);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_told_once() {
        let ask = |state: State| {
            let (state, (answer,)) =
                Component::handle_request(state, (String::new(), br#"{"do": "read"}"#.to_vec()))
                    .expect("it answers");
            (state, String::from_utf8(answer.unwrap_or_default()).expect("it is JSON"))
        };
        let state = Some(br#"{"name": "ada", "room": "root", "heard": ["bob: hello"]}"#.to_vec());
        let (state, first) = ask(state);
        assert_eq!(first, r#"["bob: hello"]"#);
        assert_eq!(ask(state).1, "[]");
    }

    #[test]
    fn nobody_speaks_who_is_not_in_the_room() {
        let state = Some(br#"{"name": "ada", "room": "root"}"#.to_vec());
        let said =
            Component::handle_request(state, (String::new(), br#"{"do": "say", "text": "hi"}"#.to_vec()));
        assert!(said.is_err_and(|error| error.contains("not in the room")));
    }
}
