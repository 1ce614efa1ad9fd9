//! What froze another runtime of this kind, one test for each: here the run goes on.

use std::time::Duration;

use theater_chain::{ExitReason, Run};

use crate::house::{House, MANIFEST, command};

/// 1. More events in `init` than a subscriber's queue holds.
#[tokio::test(start_paused = true)]
async fn freeze_1_init_that_makes_many_events_ends() {
    let house = House::new();
    let many = "x;".repeat(600);
    let played = house.play(&format!("{many}spawn manifest.toml {}", many.replace(';', "|"))).await;
    assert_eq!(played.report.reason, ExitReason::Normal);
    assert_eq!(played.lines.iter().filter(|line| line.contains("heard x")).count(), 1200);
}

/// 2. A reader of events that does not read.
#[tokio::test(start_paused = true)]
async fn freeze_2_reader_that_stalls_holds_nobody_up() {
    let house = House::new();
    let played = house
        .play_with("manifest.toml", "", async |live, _| {
            let run = Run::open(house.dir.path().join("run")).unwrap();
            let mut stalled = run.all_events();
            drop(stalled.next());
            for number in 0..300 {
                live.send(&command("root", &format!("n{number}"))).unwrap();
                house.until(|| live.actors().iter().all(|actor| actor.queued == 0)).await;
            }
            drop(stalled);
        })
        .await;
    assert_eq!(played.messages.handled, 300);
}

/// 3. A parent asks a child that makes many events while it is watched.
#[tokio::test(start_paused = true)]
async fn freeze_3_parent_asks_a_child_that_makes_many_events() {
    let house = House::new();
    let played = house
        .play(&format!("spawn manifest.toml;request root/puppet-1 {}reply done", "x|".repeat(1100)))
        .await;
    played.has("root: done");
}

/// 4. State and metrics are asked for during a call that needs the runtime itself.
#[tokio::test(start_paused = true)]
async fn freeze_4_status_is_told_during_a_call_that_spawns() {
    let house = House::new();
    let played = house
        .play_with("manifest.toml", "", async |live, _| {
            live.send(&command("root", "spawn manifest.toml request-timeout root/puppet-9 10 x")).unwrap();
            let mut seen = 0;
            while live.actors().len() < 2 {
                seen += live.actors().len();
                tokio::task::yield_now().await;
            }
            assert!(seen > 0);
            house.lines.wait_for("root: \"root/puppet-1\"").await;
        })
        .await;
    assert_eq!(played.report.reason, ExitReason::Normal);
}

/// 5. More than a hundred notices to a supervisor that is busy.
#[tokio::test(start_paused = true)]
async fn freeze_5_busy_supervisor_gets_all_its_notices_later() {
    let house = House::new();
    house.write("one.toml", &format!("{MANIFEST}[limits]\nmailbox_messages = 1\n"));
    // The ends of 150 children come while the root is in the call that makes them.
    let engine =
        pack::Engine::new(&pack::EngineOptions { instances_max: 256, ..Default::default() }).unwrap();
    let house = House { engine, ..house };
    let script = "spawn manifest.toml;".repeat(150)
        + &(1..=150).map(|n| format!("send root/puppet-{n} shutdown x;")).collect::<String>();
    let played = house
        .play_with("one.toml", &script, async |_, _| house.lines.wait_for("exit root/puppet-150").await)
        .await;
    assert_eq!(played.lines.iter().filter(|line| line.starts_with("root: exit ")).count(), 150);
}

/// 6. A crash that takes seconds and stops everybody else meanwhile.
#[tokio::test(start_paused = true)]
async fn freeze_6_crash_costs_no_waiting() {
    let house = House::new();
    let played = house
        .play_with("manifest.toml", "spawn manifest.toml;send root/puppet-1 crash now", async |_, _| {
            let before = tokio::time::Instant::now();
            house.lines.wait_for("root: error root/puppet-1 trap now").await;
            // Time stands still here unless somebody waits for it.
            assert_eq!(before.elapsed(), Duration::ZERO);
        })
        .await;
    assert_eq!(played.report.reason, ExitReason::Normal);
}

/// 7. An error of one call, or a call that makes no sense, that kills the actor.
#[tokio::test(start_paused = true)]
async fn freeze_7_errors_of_calls_do_not_kill() {
    let house = House::new();
    let played = house
        .play_with(
            "manifest.toml",
            "spawn manifest.toml;request root/puppet-1 fail not found",
            async |live, root| {
                assert!(root.call("no:such/function.at-all", pack_abi::Value::unit()).await.is_err());
                let wrong = pack_abi::Value::tuple([pack_abi::Value::U32(1)]);
                let call = root.call("theater:simple/message-server-client.handle-send", wrong).await;
                assert!(call.is_err());
                live.send(&command("root", "alive")).unwrap();
                house.lines.wait_for("root: heard alive").await;
            },
        )
        .await;
    played.has("root: failed: not found");
    assert_eq!(played.report.reason, ExitReason::Normal);
}

/// 8. A run that ends with one actor and not with another.
#[tokio::test(start_paused = true)]
async fn freeze_8_run_ends_with_its_root_however_that_ends() {
    for (script, reason) in
        [("shutdown bye", "normal"), ("crash bye", "trap: bye"), ("fail bye", "error: bye")]
    {
        let house = House::new();
        let played = house.play(&format!("spawn manifest.toml;{script}")).await;
        assert!(played.report.reason.to_string().starts_with(reason), "{script}: {}", played.report.reason);
        assert_eq!(played.lines.iter().filter(|line| line.contains("ended:")).count(), 2);
    }
}

/// 9. Channels that are opened to oneself or to each other, and a slow actor that holds all messages up.
#[tokio::test(start_paused = true)]
async fn freeze_9_channels_in_a_circle_and_slow_actors_hold_nobody_up() {
    let house = House::new();
    let script = "open root x;spawn manifest.toml;spawn manifest.toml;spawn manifest.toml;\
                  send root/puppet-1 open root/puppet-2 open root/puppet-1 x^accept|accept;\
                  send root/puppet-3 request-timeout root/puppet-2 200 quiet;request root/puppet-1 reply swift";
    let played = house.play(script).await;
    played.has("root: cycle: root would wait for root");
    played.has("root/puppet-2: cycle: root/puppet-2 would wait for root/puppet-1");
    played.has("root: swift");
}
