//! A chat room. Whoever is asked to join becomes an actor, which opens a channel to the room; what comes through one
//! channel goes out through all.

mod bindings {
    theater_guest::generate!("wit");
}

use bindings::exports::theater::simple::actor::Guest;
use bindings::exports::theater::simple::handle_channel_close::Guest as HandleChannelClose;
use bindings::exports::theater::simple::handle_channel_message::Guest as HandleChannelMessage;
use bindings::exports::theater::simple::handle_channel_open::{ChannelAccept, Guest as HandleChannelOpen};
use bindings::exports::theater::simple::handle_request::Guest as HandleRequest;
use bindings::theater::simple::message_server_host::{respond_to_request, send, send_on_channel};
use bindings::theater::simple::runtime::log;
use bindings::theater::simple::supervisor::spawn;
use serde::{Deserialize, Serialize};

/// Who is in the room, and who is about to be.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Room {
    path: String,
    present: Vec<Present>,
    expected: Vec<Expected>,
}

/// A visitor that was started, and the request that is answered when it has come in.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    name: String,
    actor: String,
    request: String,
}

/// One visitor, and the channel that leads to it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Present {
    name: String,
    channel: String,
}

/// What the room can be asked for.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Wish {
    /// Let somebody in; the answer names the actor that speaks for them.
    Join { name: String },
    /// The names of all who are here.
    Who,
}

type State = Option<Vec<u8>>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Room {
    fn read(state: State) -> Result<Self, String> {
        serde_json::from_slice(&state.ok_or("the room has no state")?).map_err(text)
    }

    fn write(&self) -> Result<State, String> {
        serde_json::to_vec(self).map(Some).map_err(text)
    }

    /// Says something to everybody. Who cannot take it misses it; the others do not wait.
    fn tell(&self, line: &str) {
        for Present { name, channel } in &self.present {
            if let Err(why) = send_on_channel(channel, line.as_bytes()) {
                log(&format!("{name} misses a line: {why}"));
            }
        }
    }

    fn is_taken(&self, name: &str) -> bool {
        self.present.iter().any(|present| present.name == name)
            || self.expected.iter().any(|expected| expected.name == name)
    }

    fn name(&self, channel: &str) -> Option<&str> {
        let is_it = |present: &&Present| present.channel == channel;
        self.present.iter().find(is_it).map(|present| present.name.as_str())
    }
}

struct Component;

impl Guest for Component {
    fn init(_state: State, (path,): (String,)) -> Result<(State,), String> {
        log("the room is open");
        Ok((Room { path, ..Room::default() }.write()?,))
    }
}

impl HandleRequest for Component {
    fn handle_request(
        state: State,
        (request, wish): (String, Vec<u8>),
    ) -> Result<(State, (Option<Vec<u8>>,)), String> {
        let mut room = Room::read(state)?;
        let answer = match serde_json::from_slice(&wish).map_err(text)? {
            Wish::Join { name } if room.is_taken(&name) => return Err(format!("{name} is here already")),
            Wish::Join { name } => {
                let visitor = serde_json::json!({"name": name, "room": room.path}).to_string();
                let actor = spawn("visitor/manifest.toml", Some(visitor.as_bytes()))?;
                // It opens its channel when this call is over: while it waited for the room, the room would wait for it.
                send(&actor, b"enter")?;
                room.expected.push(Expected { name, actor, request });
                None
            }
            Wish::Who => {
                let names: Vec<&str> = room.present.iter().map(|present| present.name.as_str()).collect();
                Some(serde_json::to_vec(&names).map_err(text)?)
            }
        };
        Ok((room.write()?, (answer,)))
    }
}

impl HandleChannelOpen for Component {
    fn handle_channel_open(
        state: State,
        (channel, name): (String, Vec<u8>),
    ) -> Result<(State, (ChannelAccept,)), String> {
        let mut room = Room::read(state)?;
        let name = String::from_utf8(name).map_err(text)?;
        let Some(place) = room.expected.iter().position(|expected| expected.name == name) else {
            return Ok((room.write()?, (ChannelAccept { accepted: false, message: None },)));
        };
        let Expected { actor, request, .. } = room.expected.remove(place);
        let answer = serde_json::json!({ "actor": actor }).to_string();
        if let Err(why) = respond_to_request(&request, answer.as_bytes()) {
            log(&format!("nobody waits for {name}: {why}"));
        }
        room.tell(&format!("{name} comes in"));
        room.present.push(Present { name, channel });
        let welcome = format!("welcome, there are {} here", room.present.len());
        Ok((room.write()?, (ChannelAccept { accepted: true, message: Some(welcome.into_bytes()) },)))
    }
}

impl HandleChannelMessage for Component {
    fn handle_channel_message(state: State, (channel, line): (String, Vec<u8>)) -> Result<(State,), String> {
        let room = Room::read(state)?;
        let name = room.name(&channel).ok_or("somebody speaks who is not here")?;
        room.tell(&format!("{name}: {}", String::from_utf8_lossy(&line)));
        Ok((room.write()?,))
    }
}

impl HandleChannelClose for Component {
    fn handle_channel_close(state: State, (channel,): (String,)) -> Result<(State,), String> {
        let mut room = Room::read(state)?;
        let name = room.name(&channel).ok_or("somebody leaves who is not here")?.to_owned();
        room.present.retain(|present| present.channel != channel);
        room.tell(&format!("{name} has left"));
        Ok((room.write()?,))
    }
}

bindings::export!(Component with_types_in bindings);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_comes_in_who_is_not_expected() {
        let room = Room { path: "root".to_owned(), ..Room::default() }.write().expect("it is JSON");
        let opened = Component::handle_channel_open(room, ("c".to_owned(), b"ada".to_vec()));
        let (after, (accept,)) = opened.expect("it answers");
        assert!(!accept.accepted);
        assert_eq!(Room::read(after).expect("it is JSON").present, []);
    }

    #[test]
    fn name_that_is_taken_is_an_error() {
        let present = vec![Present { name: "ada".to_owned(), channel: "c".to_owned() }];
        let room = Room { present, ..Room::default() }.write().expect("it is JSON");
        let wish = br#"{"do": "join", "name": "ada"}"#.to_vec();
        let asked = Component::handle_request(room, ("r".to_owned(), wish));
        assert_eq!(asked.expect_err("it is taken"), "ada is here already");
    }
}
