//! Keys, checkpoints, cosignatures, proofs and the node's log, between machines that do not trust each other.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::story::{Story, guest, repository};

/// A story with one run.
fn with_run() -> Story {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    story
}

/// Asks the second verifier.
fn second(words: &[&str]) -> (Option<i32>, String) {
    let script = repository().join("docs/verify.py");
    let output =
        Command::new("python3").arg("-B").arg(script).args(words).output().expect("python3 is there");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_checkpoint_goes_through_a_witness_and_comes_back() {
    let (node, witness, reader) = (with_run(), Story::new(), Story::new());
    let key = node.theater(["keys", "export"]).fine().text().trim().to_owned();
    let witness_key = witness.theater(["keys", "export", "--witness"]).fine().text().trim().to_owned();
    node.theater(["checkpoint", "-o", "run.checkpoint"]).fine();
    let checkpoint = node.work().join("run.checkpoint");
    let checkpoint = checkpoint.to_str().expect("a path");
    witness.theater(["cosign", checkpoint]).error(1, "signed by nobody known", "keys trust");
    witness.theater(["keys", "trust", &key, "--name", "node"]).fine();
    witness.theater(["cosign", checkpoint, "-o", "cosigned"]).fine();
    witness.theater(["cosign", checkpoint, "-o", "cosigned"]).error(2, "exists already", "another file");
    let cosigned = witness.work().join("cosigned");
    let cosigned = cosigned.to_str().expect("a path");

    node.theater(["export", "-o", "run.theater"]).fine();
    let bundle = node.work().join("run.theater");
    let bundle = bundle.to_str().expect("a path");
    reader.theater(["verify", bundle]).code(1);
    let asks = ["--key", &key, "--witness", &witness_key];
    let without = reader.theater([&["verify", bundle][..], &asks].concat()).code(1).text();
    assert!(without.contains("missing: theater.witness/"), "{without}");
    let shown =
        reader.theater([&["verify", bundle, "--checkpoint", cosigned][..], &asks].concat()).fine().text();
    assert!(shown.contains("signer       signed by theater.node/"), "{shown}");
    assert!(shown.contains("witnesses    theater.witness/"), "{shown}");
    let by_itself = reader.theater([&["verify", cosigned][..], &asks].concat()).fine().text();
    assert!(
        by_itself.starts_with("checkpoint   theater.run/") && by_itself.contains(", closed"),
        "{by_itself}"
    );

    node.theater(["prove", "last", "root:2", "--checkpoint", cosigned, "-o", "event.tlog-proof"]).fine();
    let proof = node.work().join("event.tlog-proof");
    let proof = proof.to_str().expect("a path");
    let shown = reader.theater([&["verify", proof][..], &asks].concat()).fine().text();
    assert!(shown.contains("event        2 of chain 1 of run "), "{shown}");
    let json = reader.theater([&["verify", proof, "--json"][..], &asks].concat()).fine().json().remove(0);
    assert_eq!((&json["proven"], &json["subject"]["event"]["seq"]), (&true.into(), &2.into()), "{json}");
    for words in [&[bundle, "--checkpoint", cosigned][..], &[cosigned], &[proof]] {
        assert_eq!(second(&[words, &asks].concat()).0, Some(0), "{words:?}");
        assert_eq!(
            second(&[words, &["--key", &key, "--head", &format!("9:{}", "0".repeat(64))]].concat()).0,
            Some(1)
        );
    }
    node.theater(["prove", "last", "root:2", "--without-payload", "-o", "bare"]).fine();
    let shown = node.theater(["verify", "bare"]).fine().text();
    assert!(shown.contains("its payload removed"), "{shown}");
    assert!(fs::metadata(node.work().join("bare")).unwrap().len() < fs::metadata(proof).unwrap().len());
}

#[test]
fn a_witness_refuses_a_log_that_was_rewound_or_told_anew() {
    let (node, witness) = (with_run(), Story::new());
    let key = node.theater(["keys", "export"]).fine().text().trim().to_owned();
    node.theater(["checkpoint", "--log", "-o", "one"]).fine();
    node.theater([Path::new("run"), &guest("calm")]).fine();
    let saved = node.work().join("log");
    fs::create_dir(&saved).unwrap();
    for name in ["entries", "checkpoint"] {
        fs::copy(node.home().join("log").join(name), saved.join(name)).unwrap();
    }
    node.theater(["checkpoint", "--log", "-o", "two"]).fine();
    let path = |name: &str| node.work().join(name).to_str().expect("a path").to_owned();
    witness.theater(["cosign", &path("one"), "--key", &key]).fine();
    witness.theater(["cosign", &path("two"), "--key", &key]).error(2, "is not known", "--run");
    witness.theater(["cosign", &path("two"), "--key", &key, "--run", &path("log")]).fine();
    witness.theater(["cosign", &path("one"), "--key", &key, "--run", &path("log")]).error(
        1,
        "it was rewound",
        "keep both",
    );
    // The node forgets both runs and tells another one in their place.
    fs::remove_dir_all(node.home().join("log")).unwrap();
    for _ in 0..3 {
        node.theater([Path::new("run"), &guest("calm")]).fine();
    }
    node.theater(["checkpoint", "--log", "-o", "three"]).fine();
    let log = node.home().join("log");
    let log = log.to_str().expect("a path");
    witness.theater(["cosign", &path("three"), "--key", &key, "--run", log]).error(
        1,
        "there are two of it",
        "keep both",
    );
}

#[test]
fn every_finished_run_is_in_the_log_of_its_node() {
    let story = with_run();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let ids = story.runs();
    let shown = story.theater(["verify", &ids[0]]).fine().text();
    assert!(shown.contains("log          entry 1 of 2 of this node's log"), "{shown}");
    let shown = story.theater(["verify", "--log"]).fine().text();
    assert!(shown.starts_with("log          theater.log/") && shown.contains("2 finished runs"), "{shown}");
    let log = story.home().join("log");
    let key = story.theater(["keys", "export"]).fine().text();
    assert_eq!(second(&[log.to_str().expect("a path"), "--key", key.trim()]).0, Some(0));
    let entries = fs::read_to_string(log.join("entries")).unwrap();
    // A crash between the end of a run and its entry: the log is behind, and can be brought up to date.
    fs::remove_dir_all(&log).unwrap();
    let shown = story.theater(["verify", &ids[0]]).fine().text();
    assert!(shown.contains("not in this node's log"), "{shown}");
    for id in &ids {
        story.theater(["checkpoint", id]).fine();
    }
    assert_eq!(fs::read_to_string(log.join("entries")).unwrap(), entries);
    // Rewound, and told otherwise.
    let first: String = entries.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(log.join("entries"), &first).unwrap();
    story.theater(["verify", "--log"]).error(1, "it had 2 entries and has 1", "compare");
    fs::remove_file(log.join("checkpoint")).unwrap();
    let (id, head) = first.lines().nth(1).and_then(|line| line.split_once(' ')).expect("an entry");
    fs::write(log.join("entries"), first.replace(head, &format!("9:{}", "0".repeat(64)))).unwrap();
    let shown = story.theater(["verify", id]).code(1).text();
    assert!(shown.contains("this node's log has another head of it"), "{shown}");
    let warned = story.theater([Path::new("run"), &guest("calm")]).fine();
    assert!(!warned.stderr.contains("warning"), "another run is another entry: {}", warned.stderr);
}

#[test]
fn a_key_that_was_replaced_still_verifies_what_it_signed() {
    let story = with_run();
    let old = story.theater(["keys", "export"]).fine().text();
    let new = story.theater(["keys", "rotate"]).fine().text();
    assert_ne!(old, new);
    assert_eq!(story.theater(["keys", "export"]).fine().text(), new);
    story.theater([Path::new("run"), &guest("calm")]).fine();
    story.every_run_verifies_and_replays(2);
    let listed = story.theater(["keys"]).fine().text();
    assert!(listed.lines().any(|line| line.starts_with("own ") && line.ends_with(new.trim())), "{listed}");
    assert!(
        listed.lines().any(|line| line.starts_with("retired ") && line.ends_with(old.trim())),
        "{listed}"
    );
    story.theater(["verify", "--log"]).fine();
}

#[test]
fn keys_of_others_are_trusted_by_name_and_forgotten() {
    let (node, reader) = (with_run(), Story::new());
    let run = node.home().join("runs").join(&node.runs()[0]);
    let run = run.to_str().expect("a path");
    let key = node.theater(["keys", "export"]).fine().text();
    reader.theater(["verify", run]).code(1);
    let file = reader.file("node.pub", &key);
    reader.theater(["keys", "trust", file.to_str().expect("a path"), "--name", "node"]).fine();
    reader.theater(["keys", "trust", key.trim(), "--name", "node"]).fine();
    reader.theater(["verify", run]).fine();
    let other = Story::new().theater(["keys", "export"]).fine().text();
    reader.theater(["keys", "trust", other.trim(), "--name", "node"]).error(
        2,
        "another key is known",
        "--name",
    );
    reader.theater(["keys", "trust", other.trim(), "--name", "../node"]).error(
        2,
        "cannot be the name",
        "letters",
    );
    let listed = reader.theater(["keys", "list", "--json"]).fine().json();
    assert_eq!(
        (listed.len(), &listed[0]["name"], &listed[0]["origin"]),
        (1, &"node".into(), &"trusted".into())
    );
    reader.theater(["keys", "forget", "node"]).fine();
    reader.theater(["keys", "forget", "node"]).error(2, "no key is trusted", "theater keys");
    reader.theater(["verify", run]).code(1);
}

#[test]
fn wrong_input_is_one_error_and_leaves_nothing_behind() {
    let story = with_run();
    let note = story.theater(["checkpoint"]).fine().text();
    let key = story.theater(["keys", "export"]).fine().text();
    let key = key.trim();
    story.file("jpeg", [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1]);
    story.file("empty", "");
    story.file("cut", &note[..note.len() - 20]);
    story.file("note", &note);
    story.file("proof", "c2sp.org/tlog-proof@v1\nindex 0\n\n");
    fs::create_dir(story.work().join("folder")).unwrap();
    let before = files(story.work().as_path());
    for name in ["jpeg", "empty", "cut", "./folder", "absent"] {
        story.theater(["verify", name]).code(2);
        story.theater(["cosign", name]).code(2);
        story.theater(["verify", "last", "--checkpoint", name]).code(2);
        story.theater(["prove", "last", "root:1", "--checkpoint", name, "-o", "out"]).code(2);
        if name != "./folder" {
            story.theater(["keys", "trust", name, "--name", "x"]).error(
                2,
                "neither a public key",
                "keys export",
            );
        }
    }
    story.theater(["verify", "jpeg"]).error(2, "cannot be verified", "whole and unchanged");
    story.theater(["verify", "proof"]).error(1, "proves nothing", "altered or cut off");
    story.theater(["verify", "--witness", key]).error(2, "is the key of a node", "--key");
    let witness = story.theater(["keys", "export", "--witness"]).fine().text();
    story.theater(["verify", "--key", witness.trim()]).error(2, "is the key of a witness", "--witness");
    let wrong = key.replacen('+', "x+", 1);
    story.theater(["verify", "--key", &wrong]).error(2, "does not belong to its name", "keys export");
    story.theater(["verify", "note", "--checkpoint", "note"]).error(2, "goes with a run only", "verify FILE");
    for event in ["root", "root:x", ":1"] {
        story.theater(["prove", "last", event, "-o", "out"]).error(2, "names no event", "root:3");
    }
    story.theater(["prove", "last", "root:99", "-o", "out"]).error(2, "there is no event", "theater events");
    story.theater(["prove", "last", "rot:1", "-o", "out"]).error(2, "no actor", "did you mean");
    story.theater(["checkpoint", "-o", "no/such/folder"]).error(
        2,
        "failed to create",
        "folder must be there",
    );
    assert_eq!(files(story.work().as_path()), before);
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_or_replace_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let story = with_run();
    let key = story.home().join("keys/node.key");
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    allow(&key, 0o644);
    story.theater(["checkpoint"]).error(2, "can be read by others", "doctor --fix");
    story.theater([Path::new("run"), &guest("calm")]).error(2, "can be read by others", "doctor --fix");
    story.theater(["doctor", "--fix"]).fine();
    allow(key.parent().unwrap(), 0o777);
    story.theater(["keys", "export"]).error(2, "others can write to", "doctor --fix");
    story.theater(["doctor", "--fix"]).fine();
    story.theater(["keys", "export"]).fine();
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    story.theater(["keys", "export"]).error(2, "is a folder, not a key", "move it away");
}
