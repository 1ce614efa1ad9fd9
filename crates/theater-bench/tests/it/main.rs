//! Every group measures something, at the least effort; no time is asserted.

use theater_bench::{Effort, Group, groups, run};

/// Returns the names of the figures of a group; they all begin with its name and have values.
fn names(group: Group, effort: Effort) -> Vec<String> {
    let mut names = Vec::new();
    run(&[group], effort, &mut |figure| {
        let object = figure.to_json();
        assert!(object["value"].as_f64().is_some_and(f64::is_finite), "{object}");
        assert!(figure.name().starts_with(&format!("{group}/")), "{object}");
        names.push(figure.name().to_owned());
        Ok(())
    })
    .expect("the group can be measured");
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "{names:?}");
    names
}

fn has(names: &[String], wanted: &[&str]) {
    for name in wanted {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
}

#[test]
fn codec_is_measured_both_ways() {
    let names = names(Group::Codec, Effort::Tiny);
    has(&names, &["codec/typed/encode/bytes-1MiB", "codec/value/decode/hello"]);
}

#[test]
fn calls_are_measured_with_recording_on_and_off() {
    let names = names(Group::Call, Effort::Tiny);
    has(
        &names,
        &[
            "call/import/unrecorded/64B",
            "call/import/recorded/memory/64B",
            "call/import/recorded/batched/64B",
            "call/export/unrecorded/64B",
            "call/export/recorded/batched",
            "call/contract/64B",
            "call/contract/order",
        ],
    );
}

#[test]
fn a_large_run_is_measured_from_its_writing_to_its_replay() {
    let names = names(Group::Large, Effort::Tiny);
    has(&names, &["large/append", "large/verify/2-threads", "large/look/last-20", "large/replay"]);
}

#[test]
fn loops_are_measured() {
    assert_eq!(names(Group::Compute, Effort::Tiny), ["compute/int-loop", "compute/float-loop"]);
}

#[test]
fn spawning_is_measured_one_by_one_and_on_all_cores() {
    let mut names = names(Group::Spawn, Effort::Tiny);
    names.retain(|name| !name.starts_with("spawn/native/"));
    assert_eq!(
        names,
        [
            "spawn/instantiate",
            "spawn/ready/warm",
            "spawn/ready/ended/p50",
            "spawn/ready/ended/p99",
            "spawn/ready/alive/p50",
            "spawn/ready/alive/p99",
            "spawn/exit/all-cores"
        ]
    );
}

#[test]
fn messages_are_measured_and_none_is_lost() {
    let names = names(Group::Message, Effort::Tiny);
    for figure in [
        "one-way/memory/16B",
        "ask/batched/1KiB",
        "fan-in/batched/16B",
        "ring/batched/16B",
        "beside-a-spinner/1-threads/p99",
        "beside-a-stalled-reader/batched/16B",
    ] {
        has(&names, &[&format!("message/{figure}")]);
    }
}

#[test]
fn appending_is_measured_for_every_durability_and_size() {
    let names = names(Group::Chain, Effort::Tiny);
    for durability in ["memory", "batched", "sync"] {
        for payload in ["16B", "100B", "1KiB", "64KiB"] {
            has(&names, &[&format!("chain/append/{durability}/{payload}")]);
        }
    }
    has(&names, &["chain/overhead/100B"]);
}

#[test]
fn verifying_replaying_and_waiting_are_measured() {
    assert_eq!(names(Group::Verify, Effort::Tiny), ["verify/events/1-threads", "verify/events/2-threads"]);
    assert_eq!(names(Group::Replay, Effort::Tiny), ["replay/host-calls"]);
    assert_eq!(names(Group::Idle, Effort::Tiny), ["idle/actor/resident", "idle/actor/mappings"]);
}

#[test]
fn starting_is_measured_without_a_program_too() {
    has(
        &names(Group::Start, Effort::Tiny),
        &["start/cached/engine", "start/load/first", "start/load/cached"],
    );
}

#[test]
fn groups_are_found_by_name_and_none_means_all() {
    let all: Vec<Group> = Group::ALL.into_iter().filter(|group| *group != Group::Large).collect();
    assert_eq!(groups(&[]).unwrap(), all, "the large one is asked for by name");
    let names = ["verify".to_owned(), "codec".to_owned()];
    assert_eq!(groups(&names).unwrap(), [Group::Verify, Group::Codec]);
    let error = groups(&["cheese".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("`cheese`") && error.contains("codec, call, compute"), "{error}");
}

#[test]
fn measuring_ends_when_nobody_takes_the_figures() {
    let mut taken = 0;
    let broken = run(&[Group::Compute], Effort::Tiny, &mut |_| {
        taken += 1;
        Err(std::io::ErrorKind::BrokenPipe.into())
    });
    assert!(broken.is_err());
    assert_eq!(taken, 1);
}
