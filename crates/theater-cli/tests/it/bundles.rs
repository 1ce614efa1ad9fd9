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
