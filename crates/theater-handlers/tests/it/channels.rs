//! Channels: opened, accepted with a first message, rejected, sent through, closed by either side or by an end.

use crate::house::{House, MANIFEST};

#[tokio::test(start_paused = true)]
async fn accepted_channel_carries_messages_both_ways() {
    let house = House::new();
    let script = "spawn manifest.toml;open root/puppet-1 heard you|accept first;through from-root;send root/puppet-1 through back";
    let played = house.play(script).await;
    played.has("root/puppet-1: heard heard you");
    played.has("root: opened root#1:");
    played.has("root: heard first");
    played.has("root/puppet-1: heard from-root");
    played.has("root: heard back");
    assert!(played.dead.is_empty(), "{:?}", played.dead);
}

#[tokio::test(start_paused = true)]
async fn channel_is_not_opened_when_the_opener_has_no_room_for_the_first_message() {
    let house = House::new();
    house.write("small.toml", &format!("{MANIFEST}[limits]\nmailbox_messages = 2\nmailbox_bytes = 120\n"));
    let (long, fits) = ("x".repeat(121), "y".repeat(100));
    let script = format!(
        "spawn manifest.toml;spawn small.toml open root/puppet-1 accept {long}|open root/puppet-1 accept {fits}|open root/puppet-1 accept {fits}"
    );
    let played = house.play(&script).await;
    played.has("root/puppet-2: too-large: the message has 121 bytes, root/puppet-2 takes at most 120");
    played.has("root/puppet-2: opened root/puppet-2#1:");
    played.has("root/puppet-2: full: the mailbox of root/puppet-2");
    let closed =
        played.lines.iter().filter(|line| line.starts_with("root/puppet-1: closed root/puppet-2#1:"));
    assert_eq!(closed.count(), 3, "two that were not opened and one that ended: {:#?}", played.lines);
    assert_eq!(played.dead(), [("channel-message", "root/puppet-2", "full"); 2]);
}

#[tokio::test(start_paused = true)]
async fn first_message_to_an_opener_that_has_given_up_is_a_dead_letter() {
    let house = House::new();
    let slow = "request-timeout root/puppet-2 6000 quiet|accept too late";
    let script = format!("spawn manifest.toml;spawn manifest.toml;open root/puppet-1 {slow}");
    let played = house.play(&script).await;
    played.has("root: timeout: no answer from root/puppet-1 within 5000 ms");
    played.has("root/puppet-1: closed root#1:");
    assert_eq!(played.dead(), [("reply", "root", "late"), ("channel-message", "root", "late")]);
}

#[tokio::test(start_paused = true)]
async fn rejected_channel_and_failed_opening_are_errors_of_the_opener() {
    let house = House::new();
    let played = house
        .play("spawn manifest.toml;open root/puppet-1 no thanks;open root/puppet-1 fail not me;open root x")
        .await;
    played.has("root: denied: root/puppet-1 has rejected the channel");
    played.has("root: failed: not me");
    played.has("root: cycle: root would wait for root");
}

#[tokio::test(start_paused = true)]
async fn close_arrives_behind_what_was_sent_and_ends_the_channel() {
    let house = House::new();
    let script = "spawn manifest.toml;open root/puppet-1 accept;through last words;close;through-id x y;\
                  send root/puppet-1 through into the void";
    let played = house.play(script).await;
    let place = |text: &str| played.lines.iter().position(|line| line.contains(text)).unwrap();
    assert!(place("heard last words") < place("puppet-1: closed root#1:"), "{:#?}", played.lines);
    played.has("root: not-found: there is no channel `x`");
    played.has("root/puppet-1: not-found: there is no channel");
}

#[tokio::test(start_paused = true)]
async fn message_to_a_side_that_has_closed_is_a_dead_letter_or_an_error() {
    let house = House::new();
    // Both sides act before they hear of each other: the child sends while the root has closed already.
    let script = "spawn manifest.toml;open root/puppet-1 accept;send root/puppet-1 through a;close";
    let played = house.play(script).await;
    let is_dead = played.dead().contains(&("channel-message", "root", "channel-closed"));
    let is_refused = played.lines.iter().any(|line| line.contains("root/puppet-1: closed: the channel"));
    assert!(is_dead || is_refused, "{:?} {:#?}", played.dead, played.lines);
}

#[tokio::test(start_paused = true)]
async fn end_of_either_side_closes_the_channel() {
    let house = House::new();
    let script = "spawn manifest.toml;spawn manifest.toml;open root/puppet-1 accept;send root/puppet-1 crash now;\
                  send root/puppet-2 open root/puppet-3 x";
    let played = house.play(script).await;
    played.has("root: closed root#1:");
    played.has("root: error root/puppet-1 trap");
}

#[tokio::test(start_paused = true)]
async fn opener_that_gives_up_leaves_no_half_of_a_channel() {
    let house = House::new();
    // The opening waits behind a call that takes longer than the opener lives.
    let script = "spawn manifest.toml;spawn manifest.toml;spawn manifest.toml;\
                  send root/puppet-1 request-timeout root/puppet-2 300 quiet;send root/puppet-3 open root/puppet-1 accept";
    let played = house
        .play_with("manifest.toml", script, async |live, _| {
            house
                .until(|| {
                    live.actors().iter().any(|actor| {
                        actor.path.as_str() == "root/puppet-3"
                            && format!("{:?}", actor.doing).contains("Waiting")
                    })
                })
                .await;
            live.kill("test", "root/puppet-3").await.unwrap();
        })
        .await;
    played.has("root/puppet-3 ended: killed");
    assert_eq!(played.dead(), [("channel-open", "root/puppet-1", "late")]);
}
