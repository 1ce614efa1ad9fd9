//! Bundles: a run in one file, taken wherever a run is.

use std::fs;
use std::path::Path;

use crate::story::{Story, guest};

#[test]
fn a_bundle_is_taken_wherever_a_run_is() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let events = story.theater(["events"]).fine().text();
    let written = story.theater(["export", "-o", "run.theater", "--json"]).fine().json().remove(0);
    let path = story.work().join("run.theater");
    assert_eq!(written["bytes"].as_u64(), fs::metadata(&path).ok().map(|file| file.len()));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).expect("written").permissions()) & 0o777,
        0o600
    );
    story.theater(["verify", "run.theater"]).fine();
    story.theater(["replay", "run.theater"]).fine();
    assert_eq!(story.theater(["events", "run.theater"]).fine().text(), events);
    story.theater(["export", "run.theater", "-o", "run.theater"]).error(2, "exists already", "another file");
    fs::write(story.work().join("no.theater"), "no bundle").expect("it can be written");
    story.theater(["verify", "no.theater"]).error(2, "cannot be read", "exported");
}

#[test]
fn a_redacted_bundle_verifies_and_does_not_hold_what_was_removed() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    story.theater(["export", "-o", "run.theater", "--redact", "*.log"]).fine();
    let report = story.theater(["verify", "run.theater"]).fine().text();
    assert!(report.contains("payloads removed; the secret of the run was dropped"), "{report}");
    let logs = story.theater(["events", "run.theater", "--function", "runtime.log"]).fine().text();
    assert!(!logs.is_empty() && logs.lines().all(|line| line.contains("[redacted]")), "{logs}");
    story.theater(["replay", "run.theater"]).error(2, "cannot be replayed", "removed");
    story.theater(["export", "-o", "other.theater", "--redact", "rot"]).error(2, "named \"rot\"", "*");
    assert!(!story.work().join("other.theater").exists());
}

#[test]
fn a_redacted_run_is_replayed_up_to_what_was_removed() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    story.theater(["export", "-o", "logs.theater", "--redact", "*.log"]).fine();
    story.theater(["replay", "logs.theater"]).error(2, "event 2 of chain 1 was removed", "whole of it");
    // Nothing of the only actor is missing: it replays, though the hashes of its states cannot be computed.
    story.theater(["export", "-o", "root.theater", "--actor", "root"]).fine();
    let replayed = story.theater(["replay", "root.theater"]).fine().text();
    assert!(replayed.contains("same; hashes of states not compared"), "{replayed}");
    let report = story.theater(["verify", "root.theater"]).fine().text();
    assert!(report.contains("payloads removed; the secret of the run was dropped"), "{report}");
    let script = crate::story::repository().join("docs/verify.py");
    let key = story.theater(["keys", "export"]).fine().text();
    let second = std::process::Command::new("python3")
        .arg("-B")
        .arg(script)
        .args(["root.theater", "--key", key.trim()])
        .current_dir(story.work())
        .output()
        .expect("python3 is there");
    assert!(second.status.success(), "{second:?}");
    story.theater(["export", "-o", "x.theater", "--actor", "rot"]).error(2, "no actor", "did you mean");
    story.theater(["export", "-o", "x.theater", "--actor", "root", "--redact", "*.log"]).fine();
    story.theater(["replay", "x.theater"]).error(2, "was removed", "whole of it");
}

#[test]
fn a_report_for_a_reader_says_what_is_shown_and_what_is_not() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    story.theater(["verify", "--report", "report.txt"]).fine();
    let text = fs::read_to_string(story.work().join("report.txt")).expect("it was written");
    assert!(text.contains("This record is complete, and nothing in it was changed"), "{text}");
    assert!(text.contains("What this does not show"), "{text}");
    story.theater(["verify", "--report", "report.txt"]).error(2, "exists already", "another file");
    let stranger = Story::new();
    let run = story.home().join("runs").join(&story.runs()[0]);
    stranger.theater([Path::new("verify"), &run, Path::new("--report"), Path::new("report.txt")]).code(1);
    let text = fs::read_to_string(stranger.work().join("report.txt")).expect("it was written");
    assert!(text.contains("Do not rely on this record: nobody whom the checker knows"), "{text}");
}
