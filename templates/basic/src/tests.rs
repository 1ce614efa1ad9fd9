//! What the actor does, tested on this machine without wasm: the test plays the host.

use theater_guest::testing::Host;

use super::{Component, Guest};

#[test]
fn the_actor_logs_and_keeps_its_state() {
    let host = Host::new().on("theater:simple/runtime.log", |text: String| assert_eq!(text, "Actor initialized!"));
    let state = Some(b"what it starts with".to_vec());
    let returned = host.run(|| Component::init(state.clone(), ("root".to_owned(),)));
    assert_eq!(returned, Ok((state,)));
}
