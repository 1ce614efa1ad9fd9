//! A live run as others see it: states between two calls, and ends that are waited for.

use std::time::Duration;

use pack_abi::Value;
use theater::Doing;
use theater::messaging::MessageError;

use crate::house::{House, command};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn state_is_that_between_two_calls_and_looking_leaves_no_event() {
    let house = House::new();
    house
        .play_with("manifest.toml", "spawn manifest.toml", async |live, _| {
            let state = async |path| {
                let graph = live.state(path, SECOND).await.unwrap();
                pack_abi::decode::<Value>(&graph).unwrap().to_string()
            };
            assert_eq!(state("root").await, "none<list<u8>>");
            live.send(&command("root", "open root/puppet-1 accept")).unwrap();
            house.lines.wait_for("root: opened").await;
            let opened = state("root").await;
            assert!(opened.starts_with("some<list<u8>>(b\"root#1:"), "{opened}");
            // Of a call that runs, the state before it is not shown: it is waited for, at most so long.
            let waits = || {
                let is_waiting =
                    || live.actors().iter().any(|actor| matches!(actor.doing, Doing::Waiting(_)));
                house.until(is_waiting)
            };
            live.send(&command("root/puppet-1", "request-timeout root 50 quiet")).unwrap();
            waits().await;
            live.state("root/puppet-1", SECOND).await.unwrap();
            house.lines.wait_for("within 50 ms").await;
            live.send(&command("root/puppet-1", "request-timeout root 5000 quiet")).unwrap();
            waits().await;
            let late = live.state("root/puppet-1", SECOND).await.unwrap_err();
            assert_eq!(late.to_string(), "timeout: no state from root/puppet-1 within 1000 ms");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn order_from_outside_returns_when_the_actor_has_left_and_onlookers_of_it_hear_that() {
    let house = House::new();
    house
        .play_with("manifest.toml", "spawn manifest.toml spawn manifest.toml", async |live, _| {
            live.send(&command("root/puppet-1", "going;spin")).unwrap();
            house.lines.wait_for("root/puppet-1: heard going").await;
            let (killed, seen) = tokio::join!(
                async {
                    tokio::task::yield_now().await;
                    live.kill("test", "root/puppet-1").await
                },
                live.state("root/puppet-1", SECOND)
            );
            killed.unwrap();
            assert!(matches!(seen, Err(MessageError::NoActor(_))), "{seen:?}");
            assert_eq!(live.actors().len(), 1, "with its child");
            for gone in ["root/puppet-1", "root/puppet-1/puppet-1"] {
                assert!(matches!(live.state(gone, SECOND).await, Err(MessageError::NoActor(_))));
                assert!(matches!(live.stop("test", gone).await, Err(MessageError::NoActor(_))));
            }
        })
        .await;
}
