//! A live run from outside: asked, told, looked at, ended, and bothered by visitors who want no good.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::several::manifest;
use crate::story::{Answer, Story};

/// A `theater run --keep` that has come to life.
struct Live {
    child: Child,
    stderr: BufReader<ChildStderr>,
    run: String,
    /// What it has said until then.
    said: String,
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Live {
    /// Starts the puppet with a script for its `init`, and waits until that is over.
    fn start(story: &Story, script: &str) -> Self {
        let app = story.file("app.toml", manifest("app", &format!("{script};up"), ""));
        story.file("worker.toml", manifest("worker", "", ""));
        let mut command = story.command([OsStr::new("run"), OsStr::new("--keep"), app.as_os_str()]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut live = Self { child, stderr, run: String::new(), said: String::new() };
        let line = live.until(" stays: ");
        line.split_whitespace().nth(1).expect("it names the run").clone_into(&mut live.run);
        live.until("[root] heard up");
        live
    }

    /// Reads what it says until a line contains this, and returns that line.
    fn until(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("it speaks UTF-8");
            assert_ne!(read, 0, "`{wanted}` was never said: {}", self.said);
            self.said.push_str(&line);
            if line.contains(wanted) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    /// Waits for its end, and returns everything that it said.
    fn end(mut self) -> Answer {
        let (mut stdout, mut stderr) = (Vec::new(), std::mem::take(&mut self.said));
        self.stderr.read_to_string(&mut stderr).expect("it speaks UTF-8");
        let mut piped = self.child.stdout.take().expect("it is a pipe");
        piped.read_to_end(&mut stdout).expect("it can be read");
        let status = self.child.wait().expect("it ends");
        Answer { code: status.code(), stdout, stderr }
    }

    fn socket(&self) -> PathBuf {
        let homes = fs::read_dir(format!("/tmp/theater-{}", geteuid().as_raw())).expect("there are sockets");
        let mut paths = homes.map(|home| home.expect("a folder").path().join(format!("{}.sock", self.run)));
        paths.find(|path| path.exists()).expect("the run has a socket")
    }

    fn visit(&self) -> UnixStream {
        UnixStream::connect(self.socket()).expect("it listens")
    }

    /// Says something through the socket and returns the answer.
    fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.visit();
        // It may hang up before it has heard all.
        stream.write_all(bytes).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[test]
fn actors_are_asked_told_and_looked_at_while_they_live_and_it_is_recorded_where_that_came_from() {
    let story = Story::new();
    let live = Live::start(&story, "spawn worker.toml");
    assert_eq!(story.theater(["ask", "root", "reply pong"]).fine().text(), "pong");
    let file = story.file("question", b"reply \xc3\xa9t\xc3\xa9");
    let asked = story.theater([
        OsStr::new("ask"),
        OsStr::new("root/worker-1"),
        OsStr::new("--file"),
        file.as_os_str(),
    ]);
    assert_eq!(asked.fine().text(), "été");
    assert_eq!(story.theater_with_input(["ask", "root", "-"], b"reply -1").fine().text(), "-1");
    assert_eq!(story.theater(["ask", "root", "--json", "reply -x"]).fine().json()[0]["answer"], "-x");
    let sent = story.theater(["send", "--json", "root/worker-1", "open root accept"]).fine().json();
    assert_eq!((&sent[0]["schema"], &sent[0]["bytes"]), (&"theater.sent.1".into(), &16.into()));
    // A request is handled after what was sent before it.
    story.theater(["ask", "root/worker-1", "reply done"]).fine();
    let state = story.theater(["state", "root/worker-1"]).fine().text();
    assert!(state.starts_with("root/worker-1#1:"), "the id of its channel: {state}");
    assert_eq!(story.theater(["state", "--json"]).fine().json()[0]["state"], state);

    let listed = story.theater(["ps", "--json"]).fine().json();
    let actors: Vec<_> =
        listed.iter().map(|actor| (&actor["actor"], &actor["state"], &actor["run"])).collect();
    let (idle, run) = ("idle".into(), live.run.as_str().into());
    assert_eq!(actors, [(&"root".into(), &idle, &run), (&"root/worker-1".into(), &idle, &run)]);
    let tree = story.theater(["tree"]).fine().text();
    assert!(tree.contains("└─ worker-1 "), "{tree}");
    assert!(story.theater(["ps"]).fine().text().contains(&live.run));

    story.theater(["stop"]).fine();
    // The run is closed by the time that it is said to have ended.
    story.theater(["verify"]).fine();
    live.end().fine();
    let events = story.theater(["events", "--json"]).fine().text();
    let commands: Vec<&str> = events.lines().filter(|line| line.contains("command")).collect();
    assert_eq!(commands.len(), 7, "four asked, one sent, one asked, one stopped: {events}");
    assert!(commands.iter().all(|line| line.contains("socket")), "{commands:?}");
    story.every_run_verifies_and_replays(1);
}

#[test]
fn what_cannot_be_done_is_said_with_its_reason() {
    let story = Story::new();
    story.theater(["ask", "root", "x"]).error(2, "no run is live", "theater run --keep");
    assert!(story.theater(["ps"]).fine().stderr.contains("no run is live"));
    let live = Live::start(&story, "");
    assert!(story.theater(["ask", "root/x", "y"]).code(1).stderr.contains("no-actor:"));
    assert!(story.theater(["send", "root/x", "y"]).code(1).stderr.contains("no-actor:"));
    assert!(story.theater(["ask", "root", "fail at this"]).code(1).stderr.contains("failed: at this"));
    assert!(
        story.theater(["ask", "--timeout-ms", "20", "root", "quiet"]).code(1).stderr.contains("timeout:")
    );
    assert!(story.theater(["stop", "root/x"]).code(1).stderr.contains("no-actor:"));
    assert!(story.theater(["state", "root/x"]).code(1).stderr.contains("no-actor:"));
    story.theater(["ask", "--run", "2000", "root", "y"]).error(
        2,
        "no live run begins with `2000`",
        "theater ps",
    );
    story.theater(["ask", "root", "--file", "missing"]).code(2);
    story.theater(["ask", "root"]).code(2);
    let other = Live::start(&story, "");
    story.theater(["ask", "root", "y"]).error(2, "2 runs are live", "--run");
    assert_eq!(story.theater(["ask", "--run", &other.run, "root", "reply me"]).fine().text(), "me");
    for live in [live, other] {
        story.theater(["stop", "--run", &live.run]).fine();
        live.end().fine();
    }
    story.every_run_verifies_and_replays(2);
}

#[test]
fn a_child_is_stopped_or_killed_and_its_run_goes_on() {
    let story = Story::new();
    let mut live = Live::start(&story, "spawn worker.toml;spawn worker.toml");
    let stopped = story.theater(["stop", "root/worker-1", "--json"]).fine().json();
    assert_eq!(
        (&stopped[0]["actor"], &stopped[0]["run"]),
        (&"root/worker-1".into(), &live.run.as_str().into())
    );
    live.until("stopped root/worker-1");
    story.theater(["send", "root/worker-2", "spin"]).fine();
    let busy = story.theater(["ps", "--json"]).fine().json();
    assert_eq!(busy[1]["state"], "busy", "{busy:?}");
    story.theater(["kill", "root/worker-2"]).fine();
    live.until("error root/worker-2 killed");
    assert_eq!(story.theater(["ask", "root", "children;reply alone"]).fine().text(), "alone");
    story.theater(["stop"]).fine();
    live.end().fine();
    story.every_run_verifies_and_replays(1);
}

#[test]
fn visitors_who_want_no_good_disturb_nobody() {
    let story = Story::new();
    let live = Live::start(&story, "");
    let silent: Vec<UnixStream> = (0..100).map(|_| live.visit()).collect();
    let mut halfway = live.visit();
    halfway.write_all(br#"{"schema":"theater.control.1","said":"#).expect("it listens");
    let request = |said: &str, bytes: u64| {
        format!("{{\"schema\":\"theater.control.1\",\"said\":{said},\"bytes\":{bytes}}}\n")
    };
    let hostile: [(Vec<u8>, &str); 8] = [
        (b"hello\n".to_vec(), "failed"),
        (Vec::new(), "in the middle of a line"),
        (vec![b'x'; 2 << 20], "too long"),
        (request(r#"{"do":"dance"}"#, 0).into_bytes(), "unknown variant"),
        (request(r#"{"do":"actors","more":1}"#, 0).into_bytes(), "failed"),
        (request(r#"{"do":"actors"}"#, u64::MAX).into_bytes(), "are more than"),
        (request(r#"{"do":"send","to":"root"}"#, 1 << 20).into_bytes(), ""),
        (request(r#"{"do":"actors"}"#, 0).replace("control.1", "control.9").into_bytes(), "control.9"),
    ];
    for (bytes, wanted) in hostile {
        let answer = live.say(&bytes);
        assert!(answer.contains(wanted), "`{wanted}` is not in: {answer}");
    }
    assert_eq!(story.theater(["ask", "root", "reply fine"]).fine().text(), "fine");
    drop((silent, halfway));
    story.theater(["stop"]).fine();
    let answer = live.end().fine();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    story.every_run_verifies_and_replays(1);
}

#[test]
fn sigterm_ends_children_first_and_a_second_interrupt_ends_them_at_once() {
    let story = Story::new();
    let live = Live::start(&story, "spawn worker.toml;spawn worker.toml");
    live.signal(Signal::TERM);
    live.end().fine();
    let mut exits = story.theater(["events", "--json"]).fine().json();
    exits.retain(|event| event["kind"] == "exit");
    let order: Vec<_> = exits.iter().filter_map(|event| event["actor"].as_str()).collect();
    assert_eq!(order, ["root/worker-2#1", "root/worker-1#1", "root#1", "/"]);

    let mut live = Live::start(&story, "spawn worker.toml");
    story.theater(["send", "root/worker-1", "spin"]).fine();
    live.signal(Signal::INT);
    live.until("once more to end it now");
    live.signal(Signal::INT);
    live.end().code(130);
    story.every_run_verifies_and_replays(2);
}

#[test]
fn a_run_whose_process_was_killed_is_not_live() {
    let story = Story::new();
    let live = Live::start(&story, "");
    let socket = live.socket();
    live.signal(Signal::KILL);
    live.end();
    assert!(socket.exists(), "nobody was left to delete it");
    assert!(story.theater(["ps"]).fine().stderr.contains("no run is live"));
    assert!(!socket.exists(), "whoever finds it deletes it");
}
