//! Writes ten million synthetic events, verifies them, and says what that took.
//!
//! `cargo run --release -p theater-chain --example ten-million -- [EVENTS] [PAYLOAD_BYTES] [memory|batched|sync] [CHAINS]`

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use theater_chain::{
    Closed, Durability, EventDraft, Files, Journal, JournalError, JournalOptions, Kind, Outcome, RunInit,
    VerifyOptions, verify_files,
};

struct Settings {
    events: u64,
    payload_bytes: usize,
    durability: Durability,
    chains: u64,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn settings() -> Result<Settings, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let events = next("10000000").parse()?;
    let payload_bytes = next("64").parse()?;
    let durability = match next("batched").as_str() {
        "memory" => Durability::Memory,
        "batched" => Durability::Batched,
        "sync" => Durability::Sync,
        other => return Err(format!("no such durability: {other}").into()),
    };
    Ok(Settings { events, payload_bytes, durability, chains: next("8").parse()? })
}

fn write(journal: &Journal, settings: &Settings) -> Result<(Took, Closed), JournalError> {
    let watch = Stopwatch::start();
    let input = vec![b'i'; settings.payload_bytes / 2];
    let output = vec![b'o'; settings.payload_bytes - input.len()];
    let mut chains = Vec::new();
    for _ in 0..settings.chains {
        let chain = journal.open_chain();
        journal.append(chain, &EventDraft::new(Kind::Genesis, 0))?;
        chains.push(chain);
    }
    for number in 0..settings.events.saturating_sub(settings.chains) {
        let draft = EventDraft {
            kind: Kind::HostCall,
            outcome: Outcome::Ok,
            time_us: number,
            function: (number % 7) as u32,
            fuel: number * 321,
            input: &[&input],
            output: &[&output],
        };
        let chain = chains[(number / 4 % settings.chains) as usize];
        if journal.append(chain, &draft)?.pressed {
            block_on(journal.ready())?;
        }
    }
    let closed = journal.close()?;
    Ok((watch.stop(), closed))
}

/// The same blocks through SHA-256 and nothing else: salt, commitment and event of each event.
fn bare_sha256(settings: &Settings) -> Took {
    let watch = Stopwatch::start();
    let (salt, event) = ([1; 40], [2; 102]);
    let mut payload = vec![3; 24 + settings.payload_bytes];
    for number in 0..settings.events {
        payload[..8].copy_from_slice(&number.to_le_bytes());
        black_box(Sha256::digest(black_box(salt)));
        black_box(Sha256::digest(black_box(&payload)));
        black_box(Sha256::digest(black_box(event)));
    }
    watch.stop()
}

/// Wall clock and processor time: the second tells more where the machine is shared.
struct Stopwatch {
    start: Instant,
    processor: Duration,
}

struct Took {
    wall: Duration,
    processor: Duration,
}

impl Stopwatch {
    fn start() -> Self {
        Self { start: Instant::now(), processor: processor_time() }
    }

    fn stop(&self) -> Took {
        Took { wall: self.start.elapsed(), processor: processor_time().saturating_sub(self.processor) }
    }
}

/// User and system time of this process, in ticks of a hundredth of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn memory_peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = settings()?;
    let dir = std::env::temp_dir().join(format!("ten-million-{}", std::process::id()));
    let init = RunInit { run_id: "ten-million".to_owned(), secret: [9; 32] };
    let journal = Journal::create(&dir, init, JournalOptions::new(settings.durability), None)?;
    let (took, closed) = write(&journal, &settings)?;
    let show = |what: &str, took: &Took, note: &str| {
        let Took { wall, processor } = took;
        let rate = settings.events as f64 / wall.as_secs_f64() / 1e6;
        let each = processor.as_nanos() as f64 / settings.events as f64;
        println!("{what} {wall:.2?}, {rate:.2} M events/s, processor {each:.0} ns each; {note}");
    };
    let overhead = closed.bytes as f64 / settings.events as f64 - settings.payload_bytes as f64;
    let memory = memory_peak();
    show("write", &took, &format!("{overhead:.1} bytes each besides payload, memory {memory}"));
    let bare = bare_sha256(&settings);
    show("bare SHA-256", &bare, "one thread");
    let memory = journal.memory();
    let directory = theater_chain::Directory::new(&dir);
    let files: &dyn Files = memory.as_ref().map_or(&directory, |memory| memory);
    for threads in [1, 2] {
        let watch = Stopwatch::start();
        let options = VerifyOptions { head: Some(closed.head), threads, ..VerifyOptions::default() };
        let report = verify_files(files, &options)?;
        let took = watch.stop();
        let share = 100.0 * bare.processor.as_secs_f64() / took.processor.as_secs_f64();
        let (verdict, memory) = (report.verdict(), memory_peak());
        let note = format!("{threads} threads, {share:.0} % of bare, exit {verdict}, memory {memory}");
        show("verify", &took, &note);
    }
    drop(journal);
    if settings.durability != Durability::Memory {
        std::fs::remove_dir_all(&dir)?;
    }
    Ok(())
}
