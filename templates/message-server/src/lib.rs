mod bindings { theater_guest::generate!("wit"); }
#[cfg(test)]
mod tests;

use bindings::exports::theater::simple::actor::Guest;
use bindings::exports::theater::simple::message_server_client::{ChannelAccept, Guest as MessageServerClient};
use bindings::theater::simple::message_server_host::send_on_channel;
use bindings::theater::simple::runtime::log;
use serde::{Deserialize, Serialize};

/// What the actor remembers: its state is this, as JSON.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Notebook {
    notes: Vec<String>,
    /// Channels whose other ends are told of every new note.
    listeners: Vec<String>,
}

/// What `theater ask` may say.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Question {
    /// `{"do": "list"}` answers with all notes.
    List,
    /// `{"do": "find", "text": "milk"}` answers with those that contain the text.
    Find { text: String },
}

type State = Option<Vec<u8>>;

impl Notebook {
    fn read(state: State) -> Result<Self, String> {
        state.map_or_else(|| Ok(Self::default()), |json| serde_json::from_slice(&json).map_err(|error| error.to_string()))
    }

    fn write(&self) -> Result<State, String> {
        serde_json::to_vec(self).map(Some).map_err(|error| error.to_string())
    }

    fn answer(&self, question: &Question) -> Vec<&String> {
        let fits = |note: &&String| match question {
            Question::List => true,
            Question::Find { text } => note.contains(text),
        };
        self.notes.iter().filter(fits).collect()
    }
}

struct Component;

impl Guest for Component {
    fn init(state: State, _params: (String,)) -> Result<(State,), String> {
        let notebook = Notebook::read(state)?;
        log(&format!("ready, with {} notes", notebook.notes.len()));
        Ok((notebook.write()?,))
    }
}

impl MessageServerClient for Component {
    /// A message is a new note.
    fn handle_send(state: State, (note,): (Vec<u8>,)) -> Result<(State,), String> {
        let mut notebook = Notebook::read(state)?;
        // A listener whose mailbox is full misses a note; the notebook goes on.
        for listener in &notebook.listeners {
            if let Err(why) = send_on_channel(listener, &note) {
                log(&format!("{listener} was not told: {why}"));
            }
        }
        notebook.notes.push(String::from_utf8(note).map_err(|_| "a note is text")?);
        Ok((notebook.write()?,))
    }

    /// A request is a question in JSON, and so is its answer.
    fn handle_request(state: State, (_id, question): (String, Vec<u8>)) -> Result<(State, (Option<Vec<u8>>,)), String> {
        let notebook = Notebook::read(state)?;
        let question = serde_json::from_slice(&question).map_err(|error| format!("no question: {error}"))?;
        let answer = serde_json::to_vec(&notebook.answer(&question)).map_err(|error| error.to_string())?;
        Ok((notebook.write()?, (Some(answer),)))
    }

    /// Whoever opens a channel is told of every new note.
    fn handle_channel_open(
        state: State,
        (id, _hello): (String, Vec<u8>),
    ) -> Result<(State, (ChannelAccept,)), String> {
        let mut notebook = Notebook::read(state)?;
        notebook.listeners.push(id);
        Ok((notebook.write()?, (ChannelAccept { accepted: true, message: None },)))
    }

    fn handle_channel_message(state: State, (id, _message): (String, Vec<u8>)) -> Result<(State,), String> {
        log(&format!("{id} speaks, though it should listen"));
        Ok((state,))
    }

    fn handle_channel_close(state: State, (id,): (String,)) -> Result<(State,), String> {
        let mut notebook = Notebook::read(state)?;
        notebook.listeners.retain(|listener| *listener != id);
        Ok((notebook.write()?,))
    }
}
bindings::export!(Component with_types_in bindings);
