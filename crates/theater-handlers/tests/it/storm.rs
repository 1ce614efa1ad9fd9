//! Storms: actors that spawn, send, ask, open channels, crash and stop by chance, under a seed.
//!
//! `THEATER_STORMS` says how many seeds; one that fails is named, and played alone with `THEATER_STORM_SEED`.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::house::{House, command};

/// Storms in an ordinary test run.
const STORMS: u64 = 6;
/// Generations of messages that follow from one.
const STRENGTH: u64 = 5;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_storm_loses_a_message_and_every_chain_of_it_replays() {
    let seeds = match number("THEATER_STORM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..1 + number("THEATER_STORMS").unwrap_or(STORMS),
    };
    let mut sent = 0;
    for seed in seeds {
        let mut house = House::new();
        // An actor that hides something outside its state would be found out.
        house.recreate_every = NonZeroU32::new(u32::try_from(seed % 4).unwrap());
        let blow = async |house: &House| {
            house
                .play_with("manifest.toml", "spawn manifest.toml;spawn manifest.toml", async |live, _| {
                    for gust in 0..8 {
                        let script = format!("storm {} {STRENGTH}", seed * 1000 + gust);
                        let to = ["root", "root/puppet-1", "root/puppet-2"][gust as usize % 3];
                        // An actor that was struck by lightning is not there any more.
                        drop(live.send(&command(to, &script)));
                        drop(live.ask(&command(to, &script), Duration::from_millis(5)).await);
                    }
                })
                .await
        };
        let played = tokio::time::timeout(Duration::from_secs(120), blow(&house)).await;
        let played = played.unwrap_or_else(|_| panic!("storm {seed} does not end: {:#?}", house.lines.all()));
        sent += played.messages.sent;
    }
    assert!(sent > 0);
}
