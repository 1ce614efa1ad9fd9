//! An actor that does what its messages say, and logs what came of it.
//!
//! A message is a script: commands with `;` between them. The scripts in a command are written with `|` instead, those
//! in these with `^`. What is no command is heard and logged. The state is the id of the last channel.

mod bindings {
    theater_guest::generate!("wit");
}
mod storm;

use bindings::exports::theater::simple::message_server_client::ChannelAccept;
use bindings::exports::theater::simple::supervisor_handlers::ExitReason;
use bindings::exports::theater::simple::{actor, message_server_client, supervisor_handlers};
use bindings::theater::simple::message_server_host as messages;
use bindings::theater::simple::runtime::{self, log};
use bindings::theater::simple::supervisor;

type State = Option<Vec<u8>>;
type Stated = Result<(State,), String>;

/// What a script leaves behind.
#[derive(Default)]
struct Done {
    channel: Option<String>,
    reply: Option<Vec<u8>>,
    accept: Option<Option<Vec<u8>>>,
}

impl Done {
    fn of(state: &State) -> Self {
        let channel = state.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self { channel, ..Self::default() }
    }

    fn state(self) -> State {
        self.channel.map(String::into_bytes)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the script in a command, one level up.
fn inner(script: &str) -> Vec<u8> {
    script.replace('|', ";").replace('^', "|").into_bytes()
}

fn told<T: std::fmt::Debug>(result: Result<T, String>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error,
    }
}

fn said(result: Result<Vec<u8>, String>) -> String {
    result.map_or_else(|error| error, |bytes| text(&bytes))
}

fn play(script: &[u8], done: &mut Done) -> Result<(), String> {
    for command in text(script).split(';').filter(|command| !command.is_empty()) {
        if let Some(line) = step(command, done)? {
            log(&line);
        }
    }
    Ok(())
}

/// Splits a word from the rest.
fn cut(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn step(command: &str, done: &mut Done) -> Result<Option<String>, String> {
    let (verb, rest) = cut(command);
    let (first, more) = cut(rest);
    let (second, last) = cut(more);
    let number = || second.parse::<u64>().unwrap_or(0);
    Ok(Some(match verb {
        "send" => told(messages::send(first, &inner(more))),
        "send-wait" => told(messages::send_wait(first, &inner(last), number())),
        "request" => said(messages::request(first, &inner(more))),
        "request-timeout" => said(messages::request_timeout(first, &inner(last), number())),
        "sender" => format!("sender {:?}", messages::sender()),
        "outstanding" => format!("outstanding {}", messages::list_outstanding_requests().join(" ")),
        "respond" => told(messages::respond_to_request(first, more.as_bytes())),
        "respond-all" => {
            let open = messages::list_outstanding_requests();
            let answers = open.iter().map(|id| told(messages::respond_to_request(id, rest.as_bytes())));
            format!("responded {}", answers.collect::<Vec<_>>().join(" "))
        }
        "cancel-all" => {
            let open = messages::list_outstanding_requests();
            let answers = open.iter().map(|id| told(messages::cancel_request(id)));
            format!("cancelled {}", answers.collect::<Vec<_>>().join(" "))
        }
        "open" => match messages::open_channel(first, &inner(more)) {
            Ok(id) => {
                let line = format!("opened {id}");
                done.channel = Some(id);
                line
            }
            Err(error) => error,
        },
        "through" => match &done.channel {
            Some(id) => told(messages::send_on_channel(id, &inner(rest))),
            None => "no channel".to_owned(),
        },
        "through-id" => told(messages::send_on_channel(first, more.as_bytes())),
        "close" => match done.channel.take() {
            Some(id) => told(messages::close_channel(&id)),
            None => "no channel".to_owned(),
        },
        "spawn" => told(supervisor::spawn(first, (!more.is_empty()).then(|| inner(more)).as_deref())),
        "spawn-and-wait" => {
            let timeout = if second == "-" { None } else { Some(number()) };
            let result = supervisor::spawn_and_wait(first, Some(&inner(last)), timeout);
            result.map_or_else(|error| error, |bytes| format!("result {}", text(&bytes.unwrap_or_default())))
        }
        "children" => format!("children {}", supervisor::list_children().join(" ")),
        "stop" => told(supervisor::stop_child(first)),
        "shutdown" => told(runtime::shutdown(Some(rest.as_bytes()))),
        "storm" => {
            storm::blow(first.parse().unwrap_or(1), number(), done);
            return Ok(None);
        }
        "fail" => return Err(rest.to_owned()),
        "crash" => panic!("{rest}"),
        "spin" => loop {
            std::hint::black_box(());
        },
        "reply" => {
            done.reply = Some(rest.as_bytes().to_vec());
            return Ok(None);
        }
        "accept" => {
            done.accept = Some((!rest.is_empty()).then(|| inner(rest)));
            return Ok(None);
        }
        "quiet" => return Ok(None),
        _ => format!("heard {command}"),
    }))
}

struct Puppet;

impl actor::Guest for Puppet {
    fn init(state: State, _: (String,)) -> Stated {
        let mut done = Done::default();
        play(&state.unwrap_or_default(), &mut done)?;
        Ok((done.state(),))
    }
}

impl message_server_client::Guest for Puppet {
    fn handle_send(state: State, (data,): (Vec<u8>,)) -> Stated {
        let mut done = Done::of(&state);
        play(&data, &mut done)?;
        Ok((done.state(),))
    }

    fn handle_request(
        state: State,
        (_, data): (String, Vec<u8>),
    ) -> Result<(State, (Option<Vec<u8>>,)), String> {
        let mut done = Done::of(&state);
        play(&data, &mut done)?;
        let reply = done.reply.take();
        Ok((done.state(), (reply,)))
    }

    fn handle_channel_open(
        state: State,
        (id, data): (String, Vec<u8>),
    ) -> Result<(State, (ChannelAccept,)), String> {
        let mut done = Done::of(&state);
        play(&data, &mut done)?;
        let accept = done.accept.take();
        let accepted = ChannelAccept { accepted: accept.is_some(), message: accept.flatten() };
        if accepted.accepted {
            done.channel = Some(id);
        }
        Ok((done.state(), (accepted,)))
    }

    fn handle_channel_message(state: State, (_, data): (String, Vec<u8>)) -> Stated {
        let mut done = Done::of(&state);
        play(&data, &mut done)?;
        Ok((done.state(),))
    }

    fn handle_channel_close(state: State, (id,): (String,)) -> Stated {
        log(&format!("closed {id}"));
        Ok((state,))
    }
}

impl supervisor_handlers::Guest for Puppet {
    fn handle_child_exit(state: State, (child, result): (String, Option<Vec<u8>>)) -> Stated {
        log(&format!("exit {child} {}", text(&result.unwrap_or_default())));
        Ok((state,))
    }

    fn handle_child_error(state: State, (child, reason): (String, ExitReason)) -> Stated {
        let reason = match reason {
            ExitReason::Trap(text) => format!("trap {text}"),
            ExitReason::Error(text) => format!("error {text}"),
            ExitReason::Killed => "killed".to_owned(),
            other => format!("{other:?}"),
        };
        log(&format!("error {child} {reason}"));
        Ok((state,))
    }

    fn handle_child_external_stop(state: State, (child,): (String,)) -> Stated {
        log(&format!("stopped {child}"));
        Ok((state,))
    }
}

bindings::export!(Puppet with_types_in bindings);
