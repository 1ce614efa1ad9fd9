//! Several actors in one run: children of the manifest, spawned ones, what they say to each other, how they end.

use crate::story::{Story, puppet};

/// A manifest of the puppet with this initial script, and what else it says.
pub(crate) fn manifest(name: &str, script: &str, more: &str) -> String {
    let package = puppet().display().to_string();
    format!(
        "name = \"{name}\"\npackage = \"{package}\"\ninitial_state = \"{script}\"\n\
         [[handler]]\ntype = \"runtime\"\n[[handler]]\ntype = \"message-server\"\n[[handler]]\ntype = \"supervisor\"\n{more}"
    )
}

#[test]
fn actors_of_several_manifests_talk_in_one_run_that_replays_as_a_whole() {
    let story = Story::new();
    let children =
        "[[child]]\nid = \"db\"\nmanifest = \"db.toml\"\n[[child]]\nid = \"web\"\nmanifest = \"web.toml\"\n";
    let app = story
        .file("app.toml", manifest("app", "spawn worker.toml;request root/worker-1 reply pong", children));
    story.file("db.toml", manifest("db", "ready", ""));
    story.file("web.toml", manifest("web", "request root/db reply row", ""));
    story.file("worker.toml", manifest("worker", "", ""));
    let answer = story.theater([std::path::Path::new("run"), &app]).fine();
    for line in ["[root] pong", "[root/db] heard ready", "[root/web] row"] {
        assert!(answer.stderr.contains(line), "`{line}` is not in: {}", answer.stderr);
    }
    let replayed = story.theater(["replay"]).fine();
    for actor in ["root#1", "root/worker-1#1", "root/db#1", "root/web#1"] {
        assert!(replayed.text().contains(&format!("{actor}: ")), "{replayed:?}");
    }
    assert!(
        replayed.text().contains("4 messages arrived as they were sent, 0 are dead letters"),
        "{replayed:?}"
    );
    let json = story.theater(["replay", "--json"]).fine().json();
    let causes = json.last().expect("an object");
    assert_eq!((&causes["schema"], &causes["arrived"]), (&"theater.causes.1".into(), &4.into()));
    story.every_run_verifies_and_replays(1);
}

#[test]
fn crash_of_a_child_is_reported_and_the_run_goes_on() {
    let story = Story::new();
    let app =
        story.file("app.toml", manifest("app", "spawn app2.toml;send root/worker-1 crash into the wall", ""));
    story.file("app2.toml", manifest("worker", "", ""));
    let answer = story.theater([std::path::Path::new("run"), &app]).fine();
    for line in [
        "root/worker-1#1 crashed",
        "into the wall",
        "sent by   root, with event",
        "[root] error root/worker-1 trap",
    ] {
        assert!(answer.stderr.contains(line), "`{line}` is not in: {}", answer.stderr);
    }
    story.every_run_verifies_and_replays(1);
}

#[test]
fn child_that_cannot_be_found_is_a_failed_start_that_names_the_manifest() {
    let story = Story::new();
    let app =
        story.file("app.toml", manifest("app", "", "[[child]]\nid = \"db\"\nmanifest = \"missing.toml\"\n"));
    let answer = story.theater([std::path::Path::new("run"), &app]).code(1);
    assert!(answer.stderr.contains("child `db` failed to start: failed: "), "{}", answer.stderr);
    assert!(answer.stderr.contains("missing.toml"), "{}", answer.stderr);
    story.every_run_verifies_and_replays(1);
}
