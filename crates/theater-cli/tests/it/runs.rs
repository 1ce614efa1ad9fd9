//! Runs: made, listed, read, verified, replayed, compared, deleted.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::story::{Story, guest, repository};

#[test]
fn wordcount_counts_what_wc_counts() {
    let story = Story::new();
    let mut text = String::new();
    for line in 0..20_000 {
        text.push_str(&format!("line {line} says  Größe, \"größe\" and\tmore; ünd  so weiter\n"));
    }
    text.push_str("and an end without newline");
    let path = story.file("text.txt", &text);
    let example = repository().join("examples/wordcount");
    let answer = story.theater([Path::new("run"), &example, Path::new("--state"), &path]).fine();
    let report = answer.json().remove(0);
    let wc = std::process::Command::new("wc")
        .args(["-l", "-w", "-c"])
        .arg(&path)
        .env("LC_ALL", "C.UTF-8")
        .output();
    let wc = String::from_utf8(wc.expect("wc runs").stdout).expect("wc prints text");
    let wc: Vec<u64> =
        wc.split_whitespace().take(3).map(|number| number.parse().expect("a number")).collect();
    assert_eq!(
        [&report["lines"], &report["words"], &report["bytes"]].map(|n| n.as_u64()),
        [0, 1, 2].map(|i| Some(wc[i]))
    );
    assert_eq!(report["most_frequent"][0]["word"], "größe");
    assert_eq!(report["most_frequent"][0]["count"], 40_000);
    assert!(answer.stderr.contains("[root] counting"), "{}", answer.stderr);

    let from_stdin = story.theater_with_input(
        [Path::new("run"), &example, Path::new("--state"), Path::new("-")],
        text.as_bytes(),
    );
    assert_eq!(from_stdin.fine().stdout, answer.stdout);
    story.every_run_verifies_and_replays(2);
}

#[test]
fn the_closing_line_gives_the_head_that_verify_expects() {
    let story = Story::new();
    let answer = story.theater([Path::new("run"), &guest("calm")]).fine();
    let id = story.runs().remove(0);
    let closing = answer.stderr.lines().last().expect("there is a closing line");
    assert!(closing.contains(&id), "{closing}");
    let head = closing.split_whitespace().last().expect("it ends with the head");
    story.theater(["verify", "--head", head]).fine();
    let other = head.replace(|c: char| c.is_ascii_hexdigit(), "0");
    story.theater(["verify", "--head", &format!("1:{}", "0".repeat(64))]).code(1);
    assert_ne!(other, head);
    story.theater(["verify", "--head", "nonsense"]).code(2);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn events_are_filtered_and_shown_with_their_values() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let all = story.theater(["events"]).fine().text();
    assert!(all.contains("I am root"), "{all}");
    let logs = story.theater(["events", "--function", "runtime.log"]).fine().text();
    assert_eq!(logs.lines().count(), 1, "{logs}");
    let json = story.theater(["events", "--json", "--actor", "root"]).fine().json();
    assert!(json.len() >= 3, "{json:?}");
    assert!(json.iter().all(|event| event["schema"] == "theater.event.1" && event["actor"] == "root#1"));
    let seqs: Vec<_> = json.iter().map(|event| event["seq"].as_u64()).collect();
    assert_eq!(seqs, (0..json.len() as u64).map(Some).collect::<Vec<_>>());
    let log = json.iter().find(|event| event["function"] == "theater:simple/runtime.log").unwrap();
    assert_eq!(log["input_value"], "I am root");
    assert_eq!(log["output_value"], serde_json::json!({ "tuple": [] }));
    assert_eq!(
        story.theater(["events", "--kind", "exit", "--actor", "root#1"]).fine().text().lines().count(),
        1
    );
    assert_eq!(story.theater(["events", "--limit", "2"]).fine().text().lines().count(), 2);
    story.theater(["events", "--kind", "exits"]).error(2, "no kind of event is called `exits`", "`exit`");
    story.theater(["events", "--actor", "rot"]).error(2, "no actor `rot`", "root");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn another_package_diverges_at_its_first_difference_and_the_same_one_does_not() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let with = |name: &str| format!("root={}", guest(name).display());
    story.theater(["replay", "last", "--wasm", &with("calm")]).fine();
    let answer = story.theater(["replay", "last", "--wasm", &with("other")]).code(1);
    let said = format!("{}{}", answer.text(), answer.stderr);
    for part in ["diverged", "I am root", "You may call me root", "runtime.log"] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    story.theater(["replay", "last", "--wasm", "nobody=x.wasm"]).error(2, "no actor `nobody`", "root");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn an_altered_run_does_not_verify() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let dir = story.home().join("runs").join(story.runs().remove(0));
    let segment = dir.join("journal/000000.seg");
    let good = fs::read(&segment).expect("it is there");
    let place = good.windows(9).position(|bytes| bytes == b"I am root").expect("the log is recorded");
    let mut altered = good.clone();
    altered[place] ^= 1;
    fs::write(&segment, altered).expect("it is ours");
    let report = story.theater(["verify"]).code(1).text();
    assert!(report.contains("journal/000000.seg") && report.contains(", batch "), "{report}");
    fs::write(&segment, &good[..good.len() - 200]).expect("it is ours");
    let report = story.theater(["verify"]).code(1).text();
    // How many events share the last batch is a matter of timing.
    assert!(report.contains("incomplete, ") && report.contains(" events verify"), "{report}");
    fs::write(&segment, good).expect("it is ours");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn runs_are_listed_and_deleted_only_when_asked() {
    let story = Story::new();
    assert_eq!(story.theater(["runs"]).fine().text(), "");
    for _ in 0..3 {
        story.theater([Path::new("run"), &guest("calm"), Path::new("--note"), Path::new("a remark")]).fine();
    }
    story.every_run_verifies_and_replays(3);
    let ids = story.runs();
    let listed = story.theater(["runs", "--json"]).fine().json();
    let listed_ids: Vec<_> =
        listed.iter().map(|run| run["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(listed_ids.len(), 3);
    assert!(ids.iter().all(|id| listed_ids.contains(id)));
    assert!(
        listed.iter().all(|run| run["schema"] == "theater.run.1"
            && run["closed"] == true
            && run["note"] == "a remark")
    );
    let table = story.theater(["runs"]).fine().text();
    assert!(ids.iter().all(|id| table.contains(id.as_str())), "{table}");
    story.theater(["runs", "rm", &ids[1]]).fine();
    assert_eq!(story.runs(), [ids[0].clone(), ids[2].clone()]);
    story.theater(["runs", "prune", "--keep", "1", "--yes"]).fine();
    assert_eq!(story.runs(), [ids[2].clone()]);
}

#[test]
fn a_run_in_memory_leaves_nothing_and_works() {
    let story = Story::new();
    let answer = story
        .theater([Path::new("run"), &guest("calm"), Path::new("--durability"), Path::new("memory")])
        .fine();
    assert!(answer.stderr.contains("[root] I am root"), "{}", answer.stderr);
    assert_eq!(story.runs(), [""; 0]);
}

#[test]
fn a_run_that_is_synced_verifies_like_any_other() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm"), Path::new("--durability"), Path::new("sync")]).fine();
    story.every_run_verifies_and_replays(1);
}

#[test]
fn the_result_as_json_says_how_the_run_ended() {
    let story = Story::new();
    let answer = story.theater([Path::new("run"), &guest("panics"), Path::new("--json")]).code(1);
    let json = answer.json().remove(0);
    assert_eq!(json["schema"], "theater.result.1");
    assert_eq!(json["reason"], "trap");
    assert_eq!(json["run"], story.runs().remove(0));
    story.every_run_verifies_and_replays(1);
}

#[test]
fn doctor_says_what_is_there_and_repairs_an_exposed_key() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let checks = story.theater(["doctor", "--json"]).fine().json();
    assert!(
        checks.iter().all(|check| check["schema"] == "theater.doctor.1" && check["state"] != "fail"),
        "{checks:?}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = story.home().join("keys/node.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("it is ours");
        let exposed = story.theater(["doctor"]).fine().text();
        assert!(
            exposed.lines().any(|line| line.starts_with("warn") && line.contains("node.key")),
            "{exposed}"
        );
        story.theater([Path::new("run"), &guest("calm")]).error(2, "node.key", "doctor --fix");
        story.theater(["doctor", "--fix"]).fine();
        let mode = fs::metadata(&key).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }
    story.every_run_verifies_and_replays(1);
}

#[test]
fn a_second_interrupt_ends_a_spinning_actor_and_the_run_is_closed() {
    let story = Story::new();
    let mut child = story
        .command([Path::new("run"), &guest("spins")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
    let mut wait_for = |text: &str| {
        let found = lines.any(|line| line.expect("stderr is text").contains(text));
        assert!(found, "`{text}` was not said");
    };
    let interrupt = || {
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill runs").success());
    };
    wait_for("spins");
    interrupt();
    wait_for("once more");
    interrupt();
    wait_for("killed");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    story.every_run_verifies_and_replays(1);
}

#[test]
fn an_actor_reads_its_own_chain_up_to_the_call_that_reads_it() {
    let story = Story::new();
    let answer = story.theater([Path::new("run"), &guest("reads")]).fine();
    assert_eq!(answer.text(), "root");
    for line in [
        "[root] kinds [0, 1, 4], none is longer than 3",
        "[root] from 2: 4",
        "[root] behind: 0",
        // An encoded string of five characters, and an encoded unit.
        "[root] event 2: 33 in, 28 out",
        "[root] event 3: denied: event 3 is itself a chain read",
        "[root] event 1000: not-found: there is no event 1000 before this call",
    ] {
        assert!(answer.stderr.contains(line), "`{line}` is not in: {}", answer.stderr);
    }
    story.every_run_verifies_and_replays(1);
}
