//! One-way messages: order, bounds, room that is waited for, dead letters.

use theater::messaging::MessageError;

use crate::house::{House, MANIFEST, command};

#[tokio::test(start_paused = true)]
async fn message_arrives_with_its_sender_and_both_chains_have_it() {
    let house = House::new();
    let played = house.play("spawn manifest.toml;send root/puppet-1 sender|hello").await;
    played.has("root: \"root/puppet-1\"");
    played.has("root/puppet-1: sender Some(\"root\")");
    played.has("root/puppet-1: heard hello");
    assert_eq!(played.messages.sent, 1);
    assert!(played.dead.is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_sender_arrive_in_the_order_of_sending() {
    let house = House::new();
    let sends: String = (0..50).map(|number| format!("send root/puppet-1 n{number};")).collect();
    let played = house.play(&format!("spawn manifest.toml;{sends}")).await;
    let heard: Vec<_> =
        played.lines.iter().filter_map(|line| line.strip_prefix("root/puppet-1: heard n")).collect();
    let expected: Vec<_> = (0..50).map(|number: u32| number.to_string()).collect();
    assert_eq!(heard, expected);
}

#[tokio::test(start_paused = true)]
async fn message_from_outside_is_recorded_with_its_origin_and_has_no_sender() {
    let house = House::new();
    let played = house
        .play_with("manifest.toml", "", async |live, _| {
            live.send(&command("root", "sender;hello")).unwrap();
            let missing = live.send(&command("root/nobody", "hello"));
            assert_eq!(missing, Err(MessageError::NoActor("root/nobody".to_owned())));
            house.lines.wait_for("heard hello").await;
        })
        .await;
    played.has("root: sender None");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_there_and_what_is_too_large_is_an_error_of_the_sender() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_bytes = 8\n"));
    let played =
        house.play("send root/nobody hello;spawn small.toml;send root/puppet-1 longer-than-that").await;
    played.has("root: no-actor: there is no actor `root/nobody`");
    played.has("root: too-large: the message has 16 bytes, root/puppet-1 takes at most 8");
    assert_eq!(played.messages.sent, 0);
}

#[tokio::test(start_paused = true)]
async fn full_mailbox_is_an_error_or_is_waited_for_as_the_sender_chose() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_messages = 1\n"));
    // The child is kept busy by waiting for an answer of another, so that its mailbox fills.
    let script =
        "spawn manifest.toml;spawn small.toml;send root/puppet-2 request-timeout root/puppet-1 100 quiet";
    let played = house
        .play_with("manifest.toml", script, async |live, _| {
            house
                .until(|| live.actors().iter().any(|actor| format!("{:?}", actor.doing).contains("Waiting")))
                .await;
            live.send(&command("root/puppet-2", "first")).unwrap();
            let full = live.send(&command("root/puppet-2", "second")).unwrap_err();
            assert!(full.to_string().starts_with("full: the mailbox of root/puppet-2"), "{full}");
            live.send(&command(
                "root",
                "send root/puppet-2 third;send-wait root/puppet-2 5000 fourth;send-wait root/puppet-2 1 a",
            ))
            .unwrap();
            house.lines.wait_for("root/puppet-2: heard fourth").await;
        })
        .await;
    played.has("root: full: the mailbox of root/puppet-2 holds all 1 messages");
    played.has("root/puppet-2: heard first");
    played.has_not("heard third");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_ends_with_its_time() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_messages = 1\n"));
    let script = "spawn manifest.toml;spawn small.toml;send root/puppet-2 request-timeout root/puppet-1 300 quiet;\
                  send root/puppet-2 a;send-wait root/puppet-2 5 b;send-wait root/puppet-2 5 c";
    let played = house.play(script).await;
    played.has("root: timeout: no room from root/puppet-2 within 5 ms");
}

#[tokio::test(start_paused = true)]
async fn who_has_given_up_waiting_for_room_leaves_nothing_behind() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_bytes = 60\n"));
    let (large, many) = ("x".repeat(58), 20_000);
    let script = format!(
        "spawn manifest.toml;spawn small.toml;send root/puppet-2 request-timeout root/puppet-1 40000 quiet;\
         send-wait root/puppet-2 100 quiet;{}send root/puppet-2 small",
        format!("send-wait root/puppet-2 1 {large};").repeat(many)
    );
    let played = house.play(&script).await;
    let given_up = "root: timeout: no room from root/puppet-2 within 1 ms";
    assert_eq!(played.lines.iter().filter(|line| *line == given_up).count(), many);
    played.has("root/puppet-2: heard small");
}

#[tokio::test(start_paused = true)]
async fn messages_to_an_actor_that_ends_are_dead_letters_with_their_reason() {
    let house = House::new();
    let script = "spawn manifest.toml;send root/puppet-1 request-timeout root/puppet-1 1 x|crash now;\
                  send root/puppet-1 unread;send root/puppet-1 unread";
    let played = house.play(script).await;
    played.has("error root/puppet-1 trap");
    let dead = played.dead();
    assert_eq!(dead.iter().filter(|dead| **dead == ("send", "root/puppet-1", "ended")).count(), dead.len());
    assert_eq!(played.messages.dead, dead.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn error_of_handle_send_is_a_warning_or_the_end_as_the_manifest_says() {
    let house = House::new();
    house.write("strict.toml", &format!("on_error = \"exit\"\n{MANIFEST}"));
    let script = "spawn manifest.toml;spawn strict.toml;send root/puppet-1 fail oh|x;send root/puppet-1 alive;\
                  send root/puppet-2 fail no";
    let played = house.play(script).await;
    played.has("root/puppet-1! theater:simple/message-server-client.handle-send failed: oh");
    played.has("root/puppet-1: heard alive");
    played.has("root: error root/puppet-2 error no");
}

impl House {
    /// Lets others run until something is so.
    pub(crate) async fn until(&self, is_so: impl Fn() -> bool) {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    }
}
