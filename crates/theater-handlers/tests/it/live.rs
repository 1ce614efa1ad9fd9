//! A live run as others see it: states between two calls, and ends that are waited for.

use pack_abi::Value;
use theater::messaging::MessageError;

use crate::house::{House, command};

#[tokio::test(start_paused = true)]
async fn state_is_that_between_two_calls_and_looking_leaves_no_event() {
    let house = House::new();
    house
        .play_with("manifest.toml", "spawn manifest.toml", async |live, _| {
            let state = async |path| {
                let graph = live.state(path).await.unwrap();
                pack_abi::decode::<Value>(&graph).unwrap().to_string()
            };
            assert_eq!(state("root").await, "none<list<u8>>");
            live.send(&command("root", "open root/puppet-1 accept")).unwrap();
            house.lines.wait_for("root: opened").await;
            let opened = state("root").await;
            assert!(opened.starts_with("some<list<u8>>(b\"root#1:"), "{opened}");
            // Of a call that runs, the state before it is not shown: it is waited for.
            live.send(&command("root/puppet-1", "request-timeout root 50 quiet")).unwrap();
            let (seen, during) = (live.state("root/puppet-1"), live.actors());
            assert_eq!(during.len(), 2);
            seen.await.unwrap();
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
                live.state("root/puppet-1")
            );
            killed.unwrap();
            assert!(matches!(seen, Err(MessageError::NoActor(_))), "{seen:?}");
            assert_eq!(live.actors().len(), 1, "with its child");
            for gone in ["root/puppet-1", "root/puppet-1/puppet-1"] {
                assert!(matches!(live.state(gone).await, Err(MessageError::NoActor(_))));
                assert!(matches!(live.stop("test", gone).await, Err(MessageError::NoActor(_))));
            }
        })
        .await;
}
