//! Requests: answers at once, put off, too late or never; and waiting in a circle.

use std::time::Duration;

use crate::house::{House, MANIFEST, command};

#[tokio::test(start_paused = true)]
async fn answer_comes_back_and_an_error_of_the_other_reaches_who_asked() {
    let house = House::new();
    let played = house
        .play("spawn manifest.toml;request root/puppet-1 sender|reply pong;request root/puppet-1 fail no bread today")
        .await;
    played.has("root/puppet-1: sender Some(\"root\")");
    played.has("root: pong");
    played.has("root: failed: no bread today");
    assert!(played.dead.is_empty());
    // Two requests and their two answers.
    assert_eq!((played.messages.sent, played.messages.handled), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn request_from_outside_is_answered() {
    let house = House::new();
    let played = house
        .play_with("manifest.toml", "", async |live, _| {
            let second = Duration::from_secs(1);
            assert_eq!(live.ask(&command("root", "reply pong"), second).await.unwrap(), b"pong");
            let failed = live.ask(&command("root", "fail why not"), second).await.unwrap_err();
            assert_eq!(failed.to_string(), "failed: why not");
        })
        .await;
    assert_eq!(played.messages.dead, 0);
}

#[tokio::test(start_paused = true)]
async fn answer_that_was_put_off_is_listed_and_given_later() {
    let house = House::new();
    // The first child asks the second, which puts the answer off until it is told to give it.
    let script = "spawn manifest.toml;spawn manifest.toml;send root/puppet-1 request root/puppet-2 quiet;\
                  send-wait root/puppet-2 100 quiet";
    let played = house
        .play_with("manifest.toml", script, async |live, _| {
            house
                .until(|| {
                    live.actors()
                        .iter()
                        .any(|actor| actor.path.as_str() == "root/puppet-2" && actor.calls >= 3)
                })
                .await;
            live.send(&command("root/puppet-2", "outstanding;respond-all here you are;outstanding")).unwrap();
            house.lines.wait_for("root/puppet-1: here you are").await;
        })
        .await;
    played.has("root/puppet-2: outstanding root/puppet-1#1:");
    played.has("root/puppet-2: responded ()");
    assert!(played.lines.iter().any(|line| line == "root/puppet-2: outstanding "), "{:#?}", played.lines);
}

#[tokio::test(start_paused = true)]
async fn request_that_was_put_off_can_be_cancelled() {
    let house = House::new();
    let script = "spawn manifest.toml;spawn manifest.toml;send root/puppet-1 request root/puppet-2 quiet";
    let played = house
        .play_with("manifest.toml", script, async |live, _| {
            house
                .until(|| {
                    live.actors()
                        .iter()
                        .any(|actor| actor.path.as_str() == "root/puppet-2" && actor.calls >= 2)
                })
                .await;
            live.send(&command("root/puppet-2", "cancel-all;cancel-all;respond nobody x")).unwrap();
            house.lines.wait_for("root/puppet-2: not-found").await;
        })
        .await;
    played.has("root/puppet-2: cancelled ()");
    played.has("root/puppet-1: closed: root/puppet-2 has cancelled the request");
    played.has("root/puppet-2: not-found: there is no open request `nobody`");
}

#[tokio::test(start_paused = true)]
async fn answer_that_comes_too_late_is_a_dead_letter() {
    let house = House::new();
    // The second child answers only when its own request has timed out, which takes longer than the first one waits.
    let script = "spawn manifest.toml;spawn manifest.toml;spawn manifest.toml;\
                  request-timeout root/puppet-1 20 request-timeout root/puppet-2 200 quiet|reply sorry";
    let played = house.play(script).await;
    played.has("root: timeout: no answer from root/puppet-1 within 20 ms");
    assert_eq!(played.dead(), [("reply", "root", "late")]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_an_actor_that_ends_hears_of_it() {
    let house = House::new();
    let played =
        house.play("spawn manifest.toml;request root/puppet-1 crash ouch;request root/puppet-1 x").await;
    played.has("root: closed: root/puppet-1 has ended: trap: ");
    played.has("root: no-actor: there is no actor `root/puppet-1`");
}

#[tokio::test(start_paused = true)]
async fn waiting_in_a_circle_is_an_error_that_names_it() {
    let house = House::new();
    let script = "request root x;spawn manifest.toml;spawn manifest.toml;\
                  request root/puppet-1 request root/puppet-2 request root x^reply c|reply b";
    let played = house.play(script).await;
    played.has("root: cycle: root would wait for root");
    played.has("root/puppet-2: cycle: root/puppet-2 would wait for root, which waits for root/puppet-1, which waits for root/puppet-2");
    played.has("root/puppet-1: c");
    played.has("root: b");
}

#[tokio::test(start_paused = true)]
async fn who_has_given_up_waiting_is_in_nobodys_way() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_messages = 1\n"));
    // The first puts its answer off, and asks who does not wait for it any more.
    let answer = "spawn manifest.toml;request-timeout root/puppet-1 20 quiet;\
                  send root/puppet-1 request root reply after the answer;";
    // The second has no room for a while, and then asks who does not wait for room any more.
    let room = "spawn manifest.toml;spawn small.toml;\
                send root/puppet-3 request-timeout root/puppet-2 300 quiet|request root reply after the room;\
                send-wait root/puppet-3 100 x;send-wait root/puppet-3 5 y";
    let played = house.play(&format!("{answer}{room}")).await;
    played.has("root: timeout: no answer from root/puppet-1 within 20 ms");
    played.has("root: timeout: no room from root/puppet-3 within 5 ms");
    played.has("root/puppet-1: after the answer");
    played.has("root/puppet-3: after the room");
}

#[tokio::test(start_paused = true)]
async fn what_an_actor_has_no_function_for_is_refused() {
    let house = House::new();
    house.write("mute.toml", &MANIFEST.replace("puppet.wasm", "mute.wasm").replace("\"puppet\"", "\"mute\""));
    house.mute();
    let script = "spawn mute.toml;send root/mute-1 x;request root/mute-1 x;open root/mute-1 x";
    let played = house.play(script).await;
    for callback in ["handle-send", "handle-request", "handle-channel-open"] {
        played.has(&format!(
            "root: unsupported: root/mute-1 does not export `theater:simple/message-server-client.{callback}`"
        ));
    }
    assert_eq!(played.messages.sent, 0);
}

impl House {
    /// Writes a package that exports `init` and nothing else.
    fn mute(&self) {
        let output = pack_abi::encode(&Ok::<_, String>((None::<Vec<u8>>,))).unwrap();
        let data: String = output.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            "(module (memory (export \"memory\") 4) (data (i32.const 4096) \"{data}\")
               (func (export \"__pack_alloc\") (param i32) (result i32) (i32.const 8192))
               (func (export \"__pack_free\") (param i32 i32))
               (func (export \"theater:simple/actor.init\") (param i32 i32 i32 i32) (result i32)
                 (i32.store (local.get 2) (i32.const 4096)) (i32.store (local.get 3) (i32.const {}))
                 (i32.const 0)))",
            output.len()
        );
        std::fs::write(self.dir.path().join("mute.wasm"), wat::parse_str(text).unwrap()).unwrap();
    }
}
