//! Hub and node, each with the test as its host.

use std::cell::RefCell;
use std::rc::Rc;

use theater_guest::testing::Host;

use super::{Component, Guest, HandleSend, Role, State, read, write};

fn state(role: &Role) -> State {
    write(role).expect("it is JSON")
}

#[test]
fn hub_builds_the_ring_from_its_end_and_sends_the_token() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let (spawned, sent) = (Rc::clone(&log), Rc::clone(&log));
    let host = Host::new()
        .on("theater:simple/runtime.log", |_: String| ())
        .on(
            "theater:simple/supervisor.spawn",
            move |(manifest, state): (String, Option<Vec<u8>>)| -> Result<String, String> {
                let mut log = spawned.borrow_mut();
                log.push(format!(
                    "{manifest} {}",
                    String::from_utf8(state.unwrap_or_default()).unwrap_or_default()
                ));
                Ok(format!("root/node-{}", log.len()))
            },
        )
        .on(
            "theater:simple/message-server-host.send-wait",
            move |(to, data, _): (String, Vec<u8>, u64)| -> Result<(), String> {
                sent.borrow_mut().push(format!("{to} {}", String::from_utf8(data).unwrap_or_default()));
                Ok(())
            },
        );
    let plan = state(&Role::Plan { nodes: 2, rounds: 3 });
    let (hub,) = host.run(|| Component::init(plan, ("root".to_owned(),))).expect("the ring is built");
    assert_eq!(read(hub), Ok(Role::Hub { first: "root/node-2".to_owned(), rounds_left: 3 }));
    assert_eq!(
        *log.borrow(),
        [r#"node.toml {"next":"root"}"#, r#"node.toml {"next":"root/node-1"}"#, "root/node-2 0"]
    );
}

#[test]
fn what_is_no_token_is_an_error() {
    let node = state(&Role::Node { next: "root".to_owned() });
    assert!(Component::handle_send(node, (b"x".to_vec(),)).is_err());
}

#[test]
fn hub_shuts_down_with_the_hops_of_all_rounds() {
    let host =
        Host::new().on("theater:simple/runtime.shutdown", |data: Option<Vec<u8>>| -> Result<(), String> {
            assert_eq!(data.as_deref(), Some(br#"{"hops":6}"#.as_slice()));
            Ok(())
        });
    let hub = state(&Role::Hub { first: "root/node-1".to_owned(), rounds_left: 1 });
    assert!(host.run(|| Component::handle_send(hub, (b"5".to_vec(),))).is_ok());
}
