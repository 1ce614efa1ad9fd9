//! Messages between actors of a run: one way, asked and answered, of two sizes, from many to one, around a ring, and
//! beside an actor that spins or a reader that has stopped.
//!
//! The baselines are native actors, which have no sandbox and record nothing, and the bare engine, which crosses its
//! boundary as often and does nothing else: an import of the sender, an export of the receiver.

use std::time::Duration;

use theater::actor::ActorHandle;
use theater::{Command, LiveRun};
use theater_chain::{Durability, Follow, Followed};

use super::{Bench, Failure, Plan};
use crate::bare::{self, Hashing};
use crate::figure::{Figure, Unit};
use crate::machine;
use crate::measure::{Round, rate, time};
use crate::stage::{Cast, Stage, escaped, guest};

/// Messages of a round.
const MESSAGES: u32 = 100_000;
/// Requests of a round.
const REQUESTS: u32 = 20_000;
/// Senders that send to one actor, and messages of each.
const SENDERS: u32 = 1000;
const EACH: u32 = 50;
/// Nodes of a ring, and how often the token is handed on in a round.
const NODES: u32 = 1000;
const HOPS: u32 = 100_000;
/// What is looked for to find where a token is in what is sent.
const TOKEN: [u8; 16] = [0xA7; 16];
/// Requests to an actor beside one that spins.
const ASKED_BESIDE: u32 = 5000;
/// Crossings of the bare engine.
const CROSSINGS: u32 = 50_000;

const SPAWN: &str = "bench:guest/messages.spawn";
const SEND: &str = "bench:guest/messages.send";
const ASK: &str = "bench:guest/messages.ask";
const MANIFEST: &str = "name = \"bench\"\n[[handler]]\ntype = \"message-server\"\n[[handler]]\ntype = \"supervisor\"\n\
                        [limits]\nchildren = 2000\n";
/// The first child of the root, to which everybody speaks.
const RECEIVER: &str = "root/bench-1";

/// An actor that speaks to `root/bench-1`: `send` and `ask` do so REPEAT times, and so does the answer to a request if
/// it is a sender; a receiver echoes. A message makes a spinner spin, and a node of a ring hand it on: the first, a long
/// one, tells it how.
const GUEST: &str = r#"(module
    (import "theater:simple/supervisor" "spawn" (func $spawn (param i32 i32 i32 i32) (result i32)))
    (import "theater:simple/message-server-host" "send-wait" (func $send (param i32 i32 i32 i32) (result i32)))
    (import "theater:simple/message-server-host" "request-timeout" (func $ask (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 40)
    (data (i32.const 2048) "CHILD")
    (data (i32.const 4096) "STATED")
    (data (i32.const 8192) "MESSAGE")
    (data (i32.const 16384) "ANSWER")
    (func (export "__pack_alloc") (param $size i32) (result i32)
        (select (i32.const 1056768) (i32.const 1064960) (i32.eq (local.get $size) (i32.const 4111))))
    (func (export "__pack_free") (param i32 i32))
    (func $stated (param $out i32) (param $out_len i32) (result i32)
        (i32.store (local.get $out) (i32.const 4096))
        (i32.store (local.get $out_len) (i32.const STATED_LENGTH))
        (i32.const 0))
    (func $answer (param $out i32) (param $out_len i32) (result i32)
        (i32.store (local.get $out) (i32.const 16384))
        (i32.store (local.get $out_len) (i32.const ANSWER_LENGTH))
        (i32.const 0))
    (func $send_all (local $n i32)
        (local.set $n (i32.const REPEAT))
        (loop $again
            (drop (call $send (i32.const 8192) (i32.const MESSAGE_LENGTH) (i32.const 32) (i32.const 36)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    ;; A message is at 40, its length at 36. How to hand it on: where the hops are in what is sent (kept at 40), and that.
    (func $pass (param $in i32) (local $left i64)
        (if (i32.gt_u (i32.load offset=36 (local.get $in)) (i32.const 16))
            (then
                (i32.store (i32.const 40) (i32.load offset=40 (local.get $in)))
                (i32.store (i32.const 44) (i32.sub (i32.load offset=36 (local.get $in)) (i32.const 4)))
                (memory.copy (i32.const 8192) (i32.add (local.get $in) (i32.const 44)) (i32.load (i32.const 44))))
            (else
                (local.set $left (i64.load offset=40 (local.get $in)))
                (if (i64.ne (local.get $left) (i64.const 0))
                    (then
                        (i64.store
                            (i32.add (i32.const 8192) (i32.load (i32.const 40)))
                            (i64.sub (local.get $left) (i64.const 1)))
                        (drop (call $send (i32.const 8192) (i32.load (i32.const 44)) (i32.const 32) (i32.const 36))))))))
    (func $ask_once
        (drop (call $ask (i32.const 8192) (i32.const MESSAGE_LENGTH) (i32.const 32) (i32.const 36))))
    (func (export "theater:simple/actor.init") (param i32 i32 i32 i32) (result i32)
        (call $stated (local.get 2) (local.get 3)))
    (func (export "theater:simple/handle-send.handle-send") (param i32 i32 i32 i32) (result i32)
        (if (i32.const IS_SPINNER) (then (loop $again (br $again))))
        (if (i32.const IS_NODE) (then (call $pass (local.get 0))))
        (call $stated (local.get 2) (local.get 3)))
    (func (export "theater:simple/handle-request.handle-request") (param i32 i32 i32 i32) (result i32)
        (if (i32.const IS_SENDER) (then (call $send_all)))
        (call $answer (local.get 2) (local.get 3)))
    (func (export "bench:guest/messages.spawn") (param i32 i32 i32 i32) (result i32)
        (drop (call $spawn (i32.const 2048) (i32.const CHILD_LENGTH) (i32.const 32) (i32.const 36)))
        (call $stated (local.get 2) (local.get 3)))
    (func (export "bench:guest/messages.send") (param i32 i32 i32 i32) (result i32)
        (call $send_all)
        (call $stated (local.get 2) (local.get 3)))
    (func (export "bench:guest/messages.ask") (param i32 i32 i32 i32) (result i32)
        (local $n i32)
        (local.set $n (i32.const REPEAT))
        (loop $again
            (call $ask_once)
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $stated (local.get 2) (local.get 3)))
    (@custom "pack:sdk" "\01\01"))"#;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    for (bytes, size) in [(16, "16B"), (1024, "1KiB")] {
        for (durability, name) in [(Durability::Memory, "memory"), (Durability::Batched, "batched")] {
            pair(bench, (bytes, size), (durability, name))?;
        }
    }
    fan_in(bench)?;
    ring(bench)?;
    beside_a_spinner(bench)?;
    beside_a_stalled_reader(bench)?;
    bare(bench)
}

/// What the guest is besides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Receiver,
    Sender,
    Spinner,
    Node,
}

/// What is measured of two actors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Messages one way.
    Send,
    /// Requests, each answered before the next.
    Ask,
}

/// Returns a cast in which everybody speaks with messages of so many bytes.
fn cast(bytes: usize, repeat: u32, role: Role) -> Result<Cast, Failure> {
    let (body, none) = (vec![7_u8; bytes], None::<Vec<u8>>);
    let stated = pack_abi::encode(&Ok::<_, String>((none.clone(),)))?;
    let answer = pack_abi::encode(&Ok::<_, String>((none.clone(), (Some(body.clone()),))))?;
    let message = pack_abi::encode(&(RECEIVER, body, 60_000_u64))?;
    let child = pack_abi::encode(&("bench.toml", none))?;
    let mut text = GUEST.replace("REPEAT", &repeat.to_string());
    for (flag, what) in [("IS_SENDER", Role::Sender), ("IS_SPINNER", Role::Spinner), ("IS_NODE", Role::Node)]
    {
        text = text.replace(flag, if role == what { "1" } else { "0" });
    }
    for (name, data) in [("STATED", stated), ("ANSWER", answer), ("MESSAGE", message), ("CHILD", child)] {
        text = text.replace(&format!("{name}_LENGTH"), &data.len().to_string());
        text = text.replace(&format!("\"{name}\""), &format!("\"{}\"", escaped(&data)));
    }
    Ok(Cast { manifest: MANIFEST, wasm: wat::parse_str(text)? })
}

fn on_all_cores() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Two actors of a run of their own, the first of which speaks to the second.
struct Two {
    stage: Stage,
    root: ActorHandle,
    way: Way,
    count: u32,
    rounds: u64,
}

impl Two {
    fn new(
        bench: &Bench<'_>,
        (way, count): (Way, u32),
        bytes: usize,
        durability: Durability,
    ) -> Result<Self, Failure> {
        let cast = cast(bytes, count, Role::Receiver)?;
        let stage = Stage::of(&bench.engine, on_all_cores()?, cast, durability)?;
        let root = stage.block_on(stage.spawn())?;
        stage.call(&root, SPAWN)?;
        Ok(Self { stage, root, way, count, rounds: 0 })
    }

    /// Messages a second.
    fn round(&mut self) -> Result<f64, Failure> {
        self.rounds += 1;
        let live = self.stage.live();
        let handled = live.messages().handled + u64::from(self.count);
        rate(self.count, || match self.way {
            Way::Ask => self.stage.call(&self.root, ASK),
            Way::Send => {
                self.stage.call(&self.root, SEND)?;
                self.stage.block_on(until_handled(&live, handled));
                Ok(())
            }
        })
    }

    fn close(self) -> Result<(), Failure> {
        // The call itself is a message; a request is two.
        let each = u64::from(1 + if self.way == Way::Send { self.count } else { 2 * self.count });
        let (_, closed) = self.stage.close(self.root)?;
        let (handled, expected) = (closed.messages.handled, 1 + self.rounds * each);
        if handled != expected {
            return Err(format!("{handled} messages were handled, not {expected}").into());
        }
        Ok(())
    }
}

fn pair(
    bench: &mut Bench<'_>,
    (bytes, size): (usize, &str),
    (durability, recorded): (Durability, &str),
) -> Result<(), Failure> {
    for (way, name, full) in [(Way::Send, "one-way", MESSAGES), (Way::Ask, "ask", REQUESTS)] {
        let count = bench.effort.of(full);
        let mut two = Two::new(bench, (way, count), bytes, durability)?;
        let baseline = if bench.effort.has_peers() { peer(durability, way, count, bytes)? } else { None };
        bench.measure(Plan {
            name: format!("message/{name}/{recorded}/{size}"),
            unit: Unit::PerSecond,
            settings: vec![("between", "two actors".to_owned()), ("cores", machine::cores().to_string())],
            subject: Box::new(|| two.round()),
            baseline,
        })?;
        two.close()?;
    }
    Ok(())
}

/// Messages of a run of which somebody has read the beginning and reads no further, and in turns those of another run.
fn beside_a_stalled_reader(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let way = (Way::Send, bench.effort.of(MESSAGES));
    let mut two = Two::new(bench, way, 16, Durability::Batched)?;
    let mut unread = Two::new(bench, way, 16, Durability::Batched)?;
    two.round()?;
    let mut reader = Follow::open(two.stage.run_dir())?;
    if !matches!(reader.poll()?, Followed::Events(_)) {
        return Err("the reader has nothing to stop at".into());
    }
    bench.measure(Plan {
        name: "message/beside-a-stalled-reader/batched/16B".to_owned(),
        unit: Unit::PerSecond,
        settings: vec![("cores", machine::cores().to_string())],
        subject: Box::new(|| two.round()),
        baseline: Some(("a run that nobody reads", Box::new(|| unread.round()))),
    })?;
    drop(reader);
    two.close()?;
    unread.close()
}

/// Waits until so many messages of a run are handled: a millisecond longer at most, of a round of hundreds.
async fn until_handled(live: &LiveRun, count: u64) {
    while live.messages().handled < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Many actors send to one at once.
fn fan_in(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let senders = bench.effort.of(SENDERS).min(bench.effort.instances_max() / 2);
    let stage =
        Stage::of(&bench.engine, on_all_cores()?, cast(16, EACH, Role::Sender)?, Durability::Batched)?;
    let root = stage.block_on(stage.spawn())?;
    for _ in 0..=senders {
        stage.call(&root, SPAWN)?;
    }
    let live = stage.live();
    let paths: Vec<String> = (2..=senders + 1).map(|number| format!("root/bench-{number}")).collect();
    bench.measure(Plan {
        name: "message/fan-in/batched/16B".to_owned(),
        unit: Unit::PerSecond,
        settings: vec![("senders", senders.to_string()), ("cores", machine::cores().to_string())],
        subject: Box::new(|| {
            rate(senders * EACH, || {
                stage.block_on(async {
                    let asked = paths.iter().map(|path| {
                        let live = live.clone();
                        async move {
                            let start = Command { origin: "bench", to: path, data: b"" };
                            live.ask(&start, Duration::from_secs(60)).await
                        }
                    });
                    all(asked.collect()).await
                })
            })
        }),
        baseline: None,
    })?;
    stage.close(root)?;
    Ok(())
}

/// A token goes from actor to actor.
fn ring(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let (nodes, hops) = (bench.effort.of(NODES).min(bench.effort.instances_max() / 2), bench.effort.of(HOPS));
    let stage = Stage::of(&bench.engine, on_all_cores()?, cast(16, 1, Role::Node)?, Durability::Batched)?;
    let root = stage.block_on(stage.spawn())?;
    let live = stage.live();
    for node in 1..=nodes {
        stage.call(&root, SPAWN)?;
        let next = format!("root/bench-{}", node % nodes + 1);
        let message = pack_abi::encode(&(next.as_str(), TOKEN.to_vec(), 60_000_u64))?;
        let place =
            message.windows(TOKEN.len()).position(|bytes| bytes == TOKEN).ok_or("the token is lost")?;
        let how = [&u32::try_from(place)?.to_le_bytes(), message.as_slice()].concat();
        live.send(&Command { origin: "bench", to: &format!("root/bench-{node}"), data: &how })?;
    }
    bench.measure(Plan {
        name: "message/ring/batched/16B".to_owned(),
        unit: Unit::PerSecond,
        settings: vec![("nodes", nodes.to_string()), ("cores", machine::cores().to_string())],
        subject: Box::new(|| {
            let token = [u64::from(hops).to_le_bytes(), [0; 8]].concat();
            rate(hops, || {
                stage.block_on(async {
                    let arrived = live.messages().handled + u64::from(hops) + 1;
                    live.send(&Command { origin: "bench", to: RECEIVER, data: &token })?;
                    until_handled(&live, arrived).await;
                    Ok(())
                })
            })
        }),
        baseline: None,
    })?;
    stage.close(root)?;
    Ok(())
}

/// An actor answers while another one spins, with a thread for each and with one thread for both.
fn beside_a_spinner(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(ASKED_BESIDE);
    for threads in [1, 2] {
        let executor =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        let stage = Stage::of(&bench.engine, executor, cast(16, 1, Role::Spinner)?, Durability::Batched)?;
        let root = stage.block_on(stage.spawn())?;
        stage.call(&root, SPAWN)?;
        stage.call(&root, SPAWN)?;
        let (live, spinner) = (stage.live(), "root/bench-2");
        let told = |to| Command { origin: "bench", to, data: b"" };
        live.send(&told(spinner))?;
        let mut took = Vec::new();
        for _ in 0..count {
            let asked = time(|| Ok(stage.block_on(live.ask(&told(RECEIVER), Duration::from_secs(60)))?))?;
            took.push(asked.0.as_secs_f64() * 1e6);
        }
        took.sort_by(f64::total_cmp);
        for (name, percent) in [("p50", 50), ("p99", 99)] {
            let value = took.get(took.len() * percent / 100).copied().unwrap_or(f64::NAN);
            let settings = vec![("requests", count.to_string()), ("threads", threads.to_string())];
            let name = format!("message/beside-a-spinner/{threads}-threads/{name}");
            bench.show(&Figure { name, value, unit: Unit::Microseconds, baseline: None, settings })?;
        }
        stage.block_on(live.kill("bench", spinner))?;
        stage.close(root)?;
    }
    Ok(())
}

/// Waits for all of them, which go on at once.
async fn all<T, E: Into<Failure>>(futures: Vec<impl Future<Output = Result<T, E>>>) -> Result<(), Failure> {
    let mut waiting: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        let mut failed = None;
        waiting.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(result) => {
                failed = failed.take().or(result.err());
                false
            }
        });
        match failed {
            Some(error) => std::task::Poll::Ready(Err(error.into())),
            None if waiting.is_empty() => std::task::Poll::Ready(Ok(())),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

/// What the crossings of a message cost the bare engine: an import of the sender and an export of the receiver.
fn bare(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let count = bench.effort.of(CROSSINGS);
    let rounds = (
        bare::imports(&guest(count)?, count, Hashing::None)?,
        bare::exports(&guest(1)?, count, Hashing::None)?,
    );
    let (Some(mut import), Some(mut export)) = rounds else { return Ok(()) };
    if !bench.effort.has_peers() {
        return Ok(());
    }
    let each = import()? + export()?;
    bench.show(&Figure {
        name: "message/one-way/bare-crossings".to_owned(),
        value: 1e9 / each,
        unit: Unit::PerSecond,
        baseline: None,
        settings: vec![(
            "what",
            "bare wasmtime: an async import and an export, nothing between them".to_owned(),
        )],
    })
}

/// Returns native actors to be beside: one library for each durability.
#[cfg(feature = "actors")]
fn peer(
    durability: Durability,
    way: Way,
    count: u32,
    bytes: usize,
) -> Result<Option<(&'static str, Round<'static>)>, Failure> {
    use super::message_peer::Peer;

    let peer = if durability == Durability::Memory { Peer::Kameo } else { Peer::Ractor };
    let executor = on_all_cores()?;
    let round: Round<'static> = Box::new(move || {
        rate(count, || {
            executor.block_on(async {
                match way {
                    Way::Send => peer.one_way(count, bytes).await,
                    Way::Ask => peer.ask(count, bytes).await,
                }
            })
        })
    });
    Ok(Some((peer.name(), round)))
}

#[cfg(not(feature = "actors"))]
fn peer(_: Durability, _: Way, _: u32, _: usize) -> Result<Option<(&'static str, Round<'static>)>, Failure> {
    Ok(None)
}
