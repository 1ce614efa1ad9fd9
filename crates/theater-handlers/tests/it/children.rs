//! Children: paths, starts that fail, ends that are told, ordered shutdown, and what a manifest names.

use theater_chain::{ExitReason, Genesis, Kind, Run};

use crate::house::{House, MANIFEST};

#[tokio::test(start_paused = true)]
async fn children_have_paths_of_their_parent_and_a_chain_that_names_it() {
    let house = House::new();
    let script = "spawn manifest.toml spawn manifest.toml|children;spawn manifest.toml;children";
    let played = house.play(script).await;
    played.has("root: children root/puppet-1 root/puppet-2");
    played.has("root/puppet-1: children root/puppet-1/puppet-1");
    let run = Run::open(house.dir.path().join("run")).unwrap();
    let chains = run.chains().unwrap();
    let paths: Vec<_> = chains.iter().filter_map(|chain| chain.path.clone()).collect();
    assert_eq!(paths, ["/", "root", "root/puppet-1", "root/puppet-1/puppet-1", "root/puppet-2"]);
    let event = run.events(chains[3].index).next().unwrap().unwrap();
    let genesis = Genesis::decode(event.payload.input().unwrap()).unwrap();
    assert_eq!(genesis.parent.as_deref(), Some("root/puppet-1"));
    let cause = genesis.cause.unwrap();
    let asked = run.events(cause.chain).nth(usize::try_from(cause.seq).unwrap()).unwrap().unwrap();
    assert_eq!((cause.chain, asked.header.kind), (chains[2].index, Kind::HostRequest));
}

#[tokio::test(start_paused = true)]
async fn start_that_fails_is_the_answer_of_spawn_and_no_notice_follows() {
    let house = House::new();
    let played = house
        .play("spawn manifest.toml fail no luck;spawn manifest.toml crash hard;spawn nowhere.toml")
        .await;
    played.has("root: failed: error: no luck");
    played.has("root: failed: trap: ");
    played.has("root: failed: `nowhere.toml`: ");
    played.has_not("root: error root/puppet");
}

#[tokio::test(start_paused = true)]
async fn child_is_not_granted_more_than_its_parent() {
    let house = House::new();
    house.write("weak.toml", "name = \"weak\"\npackage = \"puppet.wasm\"\n[[handler]]\ntype = \"runtime\"\n");
    house.write("greedy.toml", &format!("{MANIFEST}[[handler]]\ntype = \"oracle\"\n"));
    let played = house.play("spawn greedy.toml;spawn weak.toml").await;
    // What does not exist here is refused before it is compared.
    played.has("root: failed: `greedy.toml`: the manifest grants `oracle`, but there is no such handler");
    played.has("root: failed: `weak.toml`: the package imports");
}

#[tokio::test(start_paused = true)]
async fn manifest_outside_of_the_granted_folders_is_denied() {
    let house = House::new();
    std::fs::create_dir(house.dir.path().join("inner")).unwrap();
    let inner = MANIFEST.replace("puppet.wasm", "../puppet.wasm");
    house.write("inner/manifest.toml", &inner);
    let opened = inner.replace("type = \"supervisor\"", "type = \"supervisor\"\nfolders = [\"..\"]");
    house.write("inner/open.toml", &opened);
    let played = house
        .play("spawn inner/manifest.toml spawn ../manifest.toml;spawn inner/open.toml spawn ../manifest.toml")
        .await;
    played.has("root/puppet-1: denied: `../manifest.toml` is in none of the folders");
    played.has("root/puppet-2: \"root/puppet-2/puppet-1\"");
}

#[tokio::test(start_paused = true)]
async fn supervisor_hears_how_children_end_but_not_of_those_that_it_stops() {
    let house = House::new();
    let script = "spawn manifest.toml;spawn manifest.toml;spawn manifest.toml;spawn manifest.toml;\
                  stop root/puppet-4;children;stop root/puppet-4;send root/puppet-1 shutdown done;send root/puppet-2 crash aua";
    let played = house
        .play_with("manifest.toml", script, async |live, _| {
            house.lines.wait_for("root: error root/puppet-2").await;
            live.stop("test", "root/puppet-3").await.unwrap();
            house.lines.wait_for("root: stopped root/puppet-3").await;
        })
        .await;
    played.has("root: exit root/puppet-1 done");
    played.has("root: error root/puppet-2 trap aua");
    played.has("root: children root/puppet-1 root/puppet-2 root/puppet-3");
    played.has("root: no-actor: there is no actor `root/puppet-4, as a child of root`");
    played.has_not("stopped root/puppet-4");
    assert_eq!(played.report.reason, ExitReason::Normal);
}

#[tokio::test(start_paused = true)]
async fn spawn_and_wait_returns_the_result_or_stops_what_takes_too_long() {
    let house = House::new();
    let script = "spawn-and-wait manifest.toml 1000 shutdown 42;spawn-and-wait manifest.toml - fail oh no;\
                  spawn-and-wait manifest.toml 20 quiet;children";
    let played = house.play(script).await;
    played.has("root: result 42");
    played.has("root: failed: root/puppet-2 ended: error: oh no");
    played.has("root: timeout: no end from root/puppet-3 within 20 ms");
    assert!(played.lines.iter().any(|line| line == "root: children "), "{:#?}", played.lines);
    played.has_not("root: exit");
}

#[tokio::test(start_paused = true)]
async fn children_end_before_their_parents_and_in_reverse_order() {
    let house = House::new();
    let script = "spawn manifest.toml spawn manifest.toml;spawn manifest.toml";
    let played = house
        .play_with("manifest.toml", script, async |live, _| live.stop("test", "root").await.unwrap())
        .await;
    let ends: Vec<_> = played.lines.iter().filter(|line| line.contains("ended:")).cloned().collect();
    assert_eq!(
        ends,
        [
            "root/puppet-2 ended: shutdown",
            "root/puppet-1/puppet-1 ended: shutdown",
            "root/puppet-1 ended: shutdown",
            "root ended: shutdown"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn quiescent_run_ends_normally_children_first() {
    let house = House::new();
    let played = house.play("spawn manifest.toml").await;
    assert_eq!(played.report.reason, ExitReason::Normal);
    assert_eq!(played.lines[played.lines.len() - 2..], ["root/puppet-1 ended: normal", "root ended: normal"]);
}

#[tokio::test(start_paused = true)]
async fn children_of_the_manifest_start_in_file_order_after_init() {
    let house = House::new();
    house.write(
        "db.toml",
        &MANIFEST.replace("\"puppet\"", "\"db\"").replace("package", "initial_state = \"up db\"\npackage"),
    );
    house.write(
        "web.toml",
        &MANIFEST.replace("\"puppet\"", "\"web\"").replace("package", "initial_state = \"up web\"\npackage"),
    );
    house.write(
        "app.toml",
        &format!("{MANIFEST}[[child]]\nid = \"db\"\nmanifest = \"db.toml\"\n[[child]]\nid = \"web\"\nmanifest = \"web.toml\"\n"),
    );
    let played = house.play_with("app.toml", "ready", async |_, _| {}).await;
    assert_eq!(played.lines[..3], ["root: heard ready", "root/db: heard up db", "root/web: heard up web"]);
}

#[tokio::test(start_paused = true)]
async fn child_of_the_manifest_that_does_not_start_is_a_failed_start_of_all() {
    let house = House::new();
    house.write("bad.toml", &MANIFEST.replace("package", "initial_state = \"fail no disk\"\npackage"));
    house.write(
        "app.toml",
        &format!("{MANIFEST}[[child]]\nid = \"a\"\nmanifest = \"manifest.toml\"\n[[child]]\nid = \"b\"\nmanifest = \"bad.toml\"\n"),
    );
    let played = house.play_with("app.toml", "", async |_, _| {}).await;
    let ExitReason::Error(why) = &played.report.reason else { panic!("{:?}", played.report.reason) };
    assert_eq!(why, "child `b` failed to start: failed: error: no disk");
    played.has("root/a ended: shutdown");
}

#[tokio::test(start_paused = true)]
async fn crash_report_tells_the_message_the_mailbox_and_the_children() {
    let house = House::new();
    let script =
        "spawn manifest.toml;send root/puppet-1 spawn manifest.toml|crash at last;send root/puppet-1 a";
    house.play(script).await;
    let played = house.lines.crashes().join("\n");
    assert!(played.contains("root/puppet-1#1 crashed"), "{played}");
    assert!(played.contains("at last"), "{played}");
    assert!(played.contains("sent by   root, with event"), "{played}");
    assert!(played.contains("mailbox   1 left unhandled"), "{played}");
    assert!(played.contains("children  ended with it: root/puppet-1/puppet-1"), "{played}");
    assert!(played.contains("decision  not restarted, as it is temporary: root is told"), "{played}");
}
