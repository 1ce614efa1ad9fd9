//! A ring of actors: the hub starts the nodes, sends a token around so many times, and shuts down with the number of
//! hops. Hub and nodes are the same package; their states say which of the two an actor is.

mod bindings {
    theater_guest::generate!("wit");
}
#[cfg(test)]
mod tests;

use bindings::exports::theater::simple::actor::Guest;
use bindings::exports::theater::simple::handle_send::Guest as HandleSend;
use bindings::theater::simple::message_server_host::send_wait;
use bindings::theater::simple::runtime::{log, shutdown};
use bindings::theater::simple::supervisor::spawn;
use serde::{Deserialize, Serialize};

/// How long a full mailbox is waited for.
const PATIENCE_MS: u64 = 5000;

/// What an actor starts with, and what it is from then on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Role {
    /// Starts the ring.
    Plan { nodes: u32, rounds: u32 },
    /// Sends the token to the first node until all rounds are over.
    Hub { first: String, rounds_left: u32 },
    /// Hands the token on.
    Node { next: String },
}

type State = Option<Vec<u8>>;

fn read(state: State) -> Result<Role, String> {
    let json = state.ok_or("there is no state: it says how large the ring is")?;
    serde_json::from_slice(&json).map_err(|error| format!("no role in the ring: {error}"))
}

fn write(role: &Role) -> Result<State, String> {
    serde_json::to_vec(role).map(Some).map_err(|error| error.to_string())
}

fn pass(to: &str, hops: u64) -> Result<(), String> {
    send_wait(to, hops.to_string().as_bytes(), PATIENCE_MS)
}

/// Starts the nodes, the last one first, so that each knows the next; the one before it closes the ring.
fn build(nodes: u32, hub: &str) -> Result<String, String> {
    let mut next = hub.to_owned();
    for _ in 0..nodes {
        let state = write(&Role::Node { next })?;
        next = spawn("node.toml", state.as_deref())?;
    }
    Ok(next)
}

struct Component;

impl Guest for Component {
    fn init(state: State, (path,): (String,)) -> Result<(State,), String> {
        let role = match read(state)? {
            Role::Plan { nodes, rounds } if nodes > 0 && rounds > 0 => {
                let first = build(nodes, &path)?;
                log(&format!("{nodes} nodes, {rounds} rounds"));
                pass(&first, 0)?;
                Role::Hub { first, rounds_left: rounds }
            }
            Role::Plan { .. } => return Err("a ring has nodes and rounds".to_owned()),
            role => role,
        };
        Ok((write(&role)?,))
    }
}

impl HandleSend for Component {
    fn handle_send(state: State, (token,): (Vec<u8>,)) -> Result<(State,), String> {
        let hops = std::str::from_utf8(&token).ok().and_then(|token| token.parse::<u64>().ok());
        let hops = hops.ok_or("this is not the token")? + 1;
        let role = match read(state)? {
            Role::Hub { first, rounds_left: 1 } => {
                shutdown(Some(format!("{{\"hops\":{hops}}}").as_bytes()))?;
                Role::Hub { first, rounds_left: 0 }
            }
            Role::Hub { first, rounds_left } => {
                pass(&first, hops)?;
                Role::Hub { first, rounds_left: rounds_left.saturating_sub(1) }
            }
            Role::Node { next } => {
                pass(&next, hops)?;
                Role::Node { next }
            }
            Role::Plan { .. } => return Err("the ring is not built yet".to_owned()),
        };
        Ok((write(&role)?,))
    }
}

bindings::export!(Component with_types_in bindings);
