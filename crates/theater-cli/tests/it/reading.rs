//! Runs read in every way: filtered, followed, as a tree of actors, as what they logged.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use theater_chain::{
    ChainIndex, Durability, EventDraft, Exit, ExitReason, FunctionEntry, FunctionKind, Genesis, Hash,
    Journal, JournalOptions, Kind, Outcome, RunInit, RuntimeGenesis, Setting,
};

use crate::story::{Story, guest};

/// A run that is recorded by hand, with more actors than one.
struct Recording {
    journal: Journal,
    dir: PathBuf,
}

impl Recording {
    fn begin(story: &Story, id: &str) -> Self {
        let dir = story.home().join("runs").join(id);
        fs::create_dir_all(story.home().join("runs")).expect("it can be written");
        let init = RunInit { run_id: id.to_owned(), secret: [7; 32] };
        let journal =
            Journal::create(&dir, init, JournalOptions::new(Durability::Sync), None).expect("it begins");
        let recording = Self { journal, dir };
        let genesis = RuntimeGenesis {
            run_id: id.to_owned(),
            utc_us: 1_700_000_000_000_000,
            version: "0.1.0".to_owned(),
            revision: "unknown".to_owned(),
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            node_key: None,
            user: None,
            note: Some("by hand".to_owned()),
        };
        let chain = recording.journal.open_chain();
        let genesis = genesis.encode().expect("it is small");
        recording.append(chain, &EventDraft { input: &[&genesis], ..EventDraft::new(Kind::Genesis, 0) });
        recording
    }

    fn append(&self, chain: ChainIndex, draft: &EventDraft<'_>) {
        self.journal.append(chain, draft).expect("it fits");
    }

    fn spawn(&self, path: &str, incarnation: u32, parent: Option<&str>) -> ChainIndex {
        let genesis = Genesis {
            run_id: "run".to_owned(),
            path: path.to_owned(),
            incarnation,
            boundary_version: 1,
            predecessor: None,
            parent: parent.map(str::to_owned),
            cause: None,
            package: Hash::of_blob(b"package"),
            manifest: Hash::of_blob(b"manifest"),
            state_hash: Hash::ZERO,
            state: Vec::new(),
            entry: None,
            setting: Setting {
                functions: vec![FunctionEntry {
                    interface: "theater:simple/runtime".to_owned(),
                    name: "log".to_owned(),
                    kind: FunctionKind::Import,
                }],
                ..Setting::default()
            }
            .into(),
        };
        let chain = self.journal.open_chain();
        let genesis = genesis.encode().expect("it is small");
        self.append(chain, &EventDraft { input: &[&genesis], ..EventDraft::new(Kind::Genesis, 10) });
        chain
    }

    fn log(&self, chain: ChainIndex, time_us: u64, text: &str) {
        let text = pack_abi::encode(text).expect("it is small");
        let draft = EventDraft { function: 0, input: &[&text], ..EventDraft::new(Kind::HostCall, time_us) };
        self.append(chain, &draft);
    }

    fn exit(&self, chain: ChainIndex, reason: ExitReason) {
        let exit = Exit { reason, state_hash: Hash::ZERO, result: None, detail: None };
        let exit = exit.encode().expect("it is small");
        self.append(chain, &EventDraft { output: &[&exit], ..EventDraft::new(Kind::Exit, 3_000_000) });
    }
}

/// A root with a worker that lived twice, and a child of that.
fn family(story: &Story, id: &str) -> Recording {
    let recording = Recording::begin(story, id);
    let root = recording.spawn("root", 1, None);
    let worker = recording.spawn("root/worker", 1, Some("root"));
    recording.log(root, 500_000, "hello");
    recording.log(worker, 1_000_000, "one\ntwo");
    let draft = EventDraft { outcome: Outcome::Trap, ..EventDraft::new(Kind::Trap, 1_100_000) };
    recording.append(worker, &draft);
    recording.exit(worker, ExitReason::Trap("wasm unreachable".to_owned()));
    let again = recording.spawn("root/worker", 2, Some("root"));
    let child = recording.spawn("root/worker/child", 1, Some("root/worker"));
    recording.log(again, 2_000_000, "once more");
    for chain in [child, again, root] {
        recording.exit(chain, ExitReason::Normal);
    }
    recording.exit(ChainIndex(0), ExitReason::Normal);
    recording
}

fn lines(story: &Story, args: &[&str]) -> Vec<String> {
    story.theater(args).fine().text().lines().map(str::to_owned).collect()
}

#[test]
fn filters_of_events_combine_and_mean_the_same_from_both_ends() {
    let story = Story::new();
    family(&story, "run").journal.close().expect("it closes");
    let count = |args: &[&str]| lines(&story, &[&["events"], args].concat()).len();
    assert_eq!(count(&[]), 14);
    assert_eq!(count(&["--actor", "root/worker"]), 7);
    assert_eq!(count(&["--actor", "root/worker#2"]), 3);
    assert_eq!(count(&["--kind", "genesis,exit"]), 10);
    assert_eq!(count(&["--kind", "genesis", "--kind", "trap"]), 6);
    assert_eq!(count(&["--failing"]), 1);
    assert_eq!(count(&["--grep", "o"]), count(&["--grep", "o", "-n", "99"]));
    assert_eq!(count(&["--grep", "once more", "--actor", "root/worker"]), 1);
    assert_eq!(count(&["--since", "1s", "--until", "1100ms"]), 2);
    assert_eq!(count(&["--function", "log", "--since", "600ms"]), 2);
    assert_eq!(count(&["--from", "2", "--actor", "root/worker"]), 3);
    let all = lines(&story, &["events"]);
    assert_eq!(lines(&story, &["events", "-n", "4"]), all[10..]);
    assert_eq!(lines(&story, &["events", "-n", "4", "--limit", "2"]), all[12..]);
    let traps = lines(&story, &["events", "-n", "1", "--kind", "trap"]);
    assert!(traps[0].contains("root/worker#1") && traps[0].contains("[trap]"), "{traps:?}");
    story.theater(["events", "--since", "soon"]).error(2, "`soon` is not a span of time", "250ms");
    story.theater(["events", "--kind", "exits"]).error(2, "no kind of event", "`exit`");
    story.theater(["export", "-o", "run.theater"]).fine();
    assert_eq!(lines(&story, &["events", "run.theater", "-n", "4"]), all[10..]);
    assert_eq!(lines(&story, &["events", "-f"]), all, "a run that has ended is followed to its end");
    assert_eq!(lines(&story, &["events", "-f", "-n", "4"]), all[10..]);
    assert_eq!(lines(&story, &["events", "run.theater", "-f", "--kind", "trap"]).len(), 1);
}

#[test]
fn parameters_are_named_where_the_package_tells_them() {
    let story = Story::new();
    story.theater([Path::new("run"), &guest("calm")]).fine();
    let logs = story.theater(["events", "--function", "runtime.log"]).fine().text();
    assert!(logs.contains("(msg: \"I am root\")"), "{logs}");
    let json = story.theater(["events", "--function", "runtime.log", "--json"]).fine().json();
    assert_eq!(json[0]["parameters"], serde_json::json!(["msg"]));
    assert_eq!(json[0]["input_value"], "I am root");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn a_run_is_followed_from_its_past_to_its_end() {
    let story = Story::new();
    let recording = Recording::begin(&story, "run");
    let root = recording.spawn("root", 1, None);
    let mut child = story.command(["logs", "-f"]).stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    for text in ["first", "second", "third"] {
        recording.log(root, 1, text);
        let line = lines.next().expect("the line comes").expect("it is text");
        assert!(line.ends_with(&format!("[root#1] {text}")), "{line}");
    }
    recording.exit(root, ExitReason::Error("no more".to_owned()));
    let line = lines.next().expect("the end comes").expect("it is text");
    assert!(line.contains("ended: ") && line.contains("no more"), "{line}");
    recording.exit(ChainIndex(0), ExitReason::Normal);
    recording.journal.close().expect("it closes");
    assert!(lines.next().is_none());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_follower_says_so_when_the_writer_is_gone_and_ends_when_it_is_told_to() {
    let story = Story::new();
    let recording = Recording::begin(&story, "run");
    let root = recording.spawn("root", 1, None);
    recording.log(root, 1, "here");
    let follow = |kind: &str| {
        let mut child = story
            .command(["events", "-f", "--kind", kind])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it is text");
        assert!(line.contains("here"), "{line}");
        (child, out)
    };
    let (child, _out) = follow("host-call");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert_eq!(child.wait_with_output().expect("it ends").status.signal(), Some(2));
    let (child, _out) = follow("host-call");
    drop(recording);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("nobody writes it any more"), "{said}");
}

#[test]
fn inspect_shows_the_actors_of_a_run_as_a_tree_with_what_they_did() {
    let story = Story::new();
    family(&story, "run").journal.close().expect("it closes");
    let report = story.theater(["inspect"]).fine().text();
    let tree: Vec<&str> = report.lines().filter(|line| line.trim_start().starts_with("root")).collect();
    assert_eq!(tree.len(), 4, "{report}");
    for (line, start) in
        tree.iter().zip(["root#1", "  root/worker#1", "    root/worker/child#1", "  root/worker#2"])
    {
        assert!(line.starts_with(start), "{report}");
    }
    assert!(tree[1].contains(" trap ") && report.contains("wasm unreachable"), "{report}");
    assert!(
        report.contains("4 actors, 14 events") && report.contains("theater:simple/runtime.log  1 call"),
        "{report}"
    );
    let json = story.theater(["inspect", "run", "--json"]).fine().json().remove(0);
    assert_eq!(json["schema"], "theater.inspect.1");
    assert_eq!((&json["events"], &json["closed"]), (&14.into(), &true.into()));
    let worker =
        json["chains"].as_array().expect("a list").iter().find(|chain| chain["actor"] == "root/worker#1");
    let worker = worker.expect("it is listed");
    assert_eq!(
        (&worker["state"], &worker["events"], &worker["parent"]),
        (&"trap".into(), &4.into(), &"root".into())
    );
    assert_eq!(worker["functions"][0]["function"], "theater:simple/runtime.log");
    story.theater(["export", "-o", "run.theater"]).fine();
    let bundle = story.theater(["inspect", "run.theater", "--json"]).fine().json().remove(0);
    assert_eq!(bundle["chains"], json["chains"]);
    story.theater(["inspect", "--wit"]).error(2, "is a run", "--wit");
}

#[test]
fn logs_are_told_with_time_and_actor() {
    let story = Story::new();
    family(&story, "run").journal.close().expect("it closes");
    assert_eq!(
        lines(&story, &["logs"]),
        [
            "2023-11-14 22:13:20.500 [root#1] hello",
            "2023-11-14 22:13:21.000 [root/worker#1] one",
            "2023-11-14 22:13:21.000 [root/worker#1] two",
            "2023-11-14 22:13:23.000 [root/worker#1] ended: trap: wasm unreachable",
            "2023-11-14 22:13:22.000 [root/worker#2] once more",
        ]
    );
    assert_eq!(lines(&story, &["logs", "run", "root"]), ["2023-11-14 22:13:20.500 [root#1] hello"]);
    let json = story.theater(["logs", "run", "root/worker#2", "--json"]).fine().json();
    assert_eq!(
        (&json[0]["text"], &json[0]["utc_us"]),
        (&"once more".into(), &1_700_000_002_000_000_u64.into())
    );
    story.theater(["logs", "run", "rot"]).error(2, "no actor `rot`", "root");
}

#[test]
fn a_file_that_is_no_run_is_the_same_error_to_every_command() {
    let story = Story::new();
    story.file("no.theater", "no bundle");
    fs::create_dir_all(story.work().join("folder/journal")).expect("it can be written");
    story.file("garbage/journal/000000.seg", "garbage ".repeat(100));
    for command in ["events", "logs", "verify", "replay", "inspect"] {
        for target in ["no.theater", "./folder", "./garbage"] {
            let answer = story.theater([command, target]).code(2);
            assert!(answer.stderr.starts_with("error: "), "{command} {target}: {}", answer.stderr);
            assert!(answer.stderr.contains("cannot be read"), "{command} {target}: {}", answer.stderr);
        }
    }
}

#[test]
fn pruning_says_what_would_go_and_deletes_only_when_told_to() {
    let story = Story::new();
    for id in ["a", "b", "c"] {
        family(&story, id).journal.close().expect("it closes");
    }
    let live = Recording::begin(&story, "d");
    story.theater(["runs", "prune"]).code(2);
    let answer = story.theater(["runs", "prune", "--keep", "2"]).fine();
    assert!(answer.text().starts_with('a') && answer.text().contains("\nb "), "{}", answer.text());
    assert!(answer.stderr.contains("nothing was deleted; with --yes, 2 runs"), "{}", answer.stderr);
    assert_eq!(story.runs().len(), 4);
    assert_eq!(story.theater(["runs", "prune", "--keep", "2", "--larger-than", "1GB"]).fine().text(), "");
    assert_eq!(story.theater(["runs", "prune", "--older-than", "9000w"]).fine().text(), "");
    story.theater(["runs", "prune", "--older-than", "soon"]).error(2, "not a span of time", "30d");
    let answer = story.theater(["runs", "prune", "--older-than", "1d", "--yes"]).fine();
    assert!(answer.stderr.contains("d is being written and stays"), "{}", answer.stderr);
    assert!(answer.stderr.contains("deleted 3 runs"), "{}", answer.stderr);
    assert_eq!(story.runs(), ["d"]);
    story.theater(["runs", "rm", "d"]).error(1, "still being written", "stop it");
    assert!(live.dir.exists());
    drop(live);
    story.theater(["runs", "rm", "d"]).fine();
    let kept = fs::read_to_string(story.home().join("runs/deleted.txt")).expect("it is there");
    let kept: Vec<&str> = kept.lines().collect();
    assert_eq!(kept.len(), 4, "{kept:?}");
    for (line, id) in kept.iter().zip(["a", "b", "c", "d"]) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], id);
        assert_eq!(words[1].contains(':'), id != "d", "a run has its head once it was closed: {line}");
    }
}
