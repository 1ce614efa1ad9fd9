//! Events into the journal, until all of them are written, beside the hashes alone and the bytes alone.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use theater_chain::{Closed, Durability, EventDraft, Journal, JournalOptions, Kind, Outcome, RunInit};

use super::{Bench, Failure, Plan};
use crate::figure::{Figure, Unit};
use crate::hashes::Preimages;
use crate::measure::{rate, time};

/// Chains between which the events take turns, four at a time.
const CHAINS: u32 = 8;
/// What a plain file is written in.
const FILE_BUFFER_BYTES: usize = 256 << 10;

/// Name and bytes of payloads, and how many events with them are written.
const PAYLOADS: [(&str, usize, u32); 4] =
    [("16B", 16, 500_000), ("100B", 100, 500_000), ("1KiB", 1 << 10, 100_000), ("64KiB", 64 << 10, 2000)];
/// Events that are waited for one by one.
const WAITED: u32 = 200;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    for (name, payload_bytes, events) in PAYLOADS {
        in_memory(bench, name, payload_bytes, events)?;
        batched(bench, name, payload_bytes, events)?;
        synced(bench, name, payload_bytes)?;
    }
    overhead(bench)
}

fn settings(payload: &str, durability: &str) -> Vec<(&'static str, String)> {
    vec![("payload", payload.to_owned()), ("durability", durability.to_owned())]
}

fn in_memory(bench: &mut Bench<'_>, name: &str, payload_bytes: usize, events: u32) -> Result<(), Failure> {
    let events = bench.effort.of(events);
    let mut preimages = Preimages::new(payload_bytes);
    bench.measure(Plan {
        name: format!("chain/append/memory/{name}"),
        unit: Unit::PerSecond,
        settings: settings(name, "memory"),
        subject: Box::new(|| written(Durability::Memory, payload_bytes, events)),
        baseline: Some((
            "bare SHA-256 of the same preimages",
            Box::new(move || {
                rate(events, || {
                    preimages.hash_all(events);
                    Ok(())
                })
            }),
        )),
    })?;
    Ok(())
}

fn batched(bench: &mut Bench<'_>, name: &str, payload_bytes: usize, events: u32) -> Result<(), Failure> {
    let events = bench.effort.of(events);
    let bytes = bytes_written(payload_bytes, events)?;
    bench.measure(Plan {
        name: format!("chain/append/batched/{name}"),
        unit: Unit::PerSecond,
        settings: settings(name, "batched"),
        subject: Box::new(|| written(Durability::Batched, payload_bytes, events)),
        baseline: Some((
            "bare file append of as many bytes, one sync",
            Box::new(move || {
                let dir = tempfile::tempdir()?;
                let mut file = File::create(dir.path().join("bare"))?;
                let block = vec![7; FILE_BUFFER_BYTES];
                rate(events, || {
                    let mut left = bytes;
                    while left > 0 {
                        let part = left.min(FILE_BUFFER_BYTES as u64);
                        file.write_all(&block[..usize::try_from(part)?])?;
                        left -= part;
                    }
                    Ok(file.sync_data()?)
                })
            }),
        )),
    })?;
    Ok(())
}

/// Every event is waited for before the next one.
fn synced(bench: &mut Bench<'_>, name: &str, payload_bytes: usize) -> Result<(), Failure> {
    let events = bench.effort.of(WAITED);
    bench.measure(Plan {
        name: format!("chain/append/sync/{name}"),
        unit: Unit::PerSecond,
        settings: [settings(name, "sync"), vec![("waits", "for each event".to_owned())]].concat(),
        subject: Box::new(|| {
            let dir = tempfile::tempdir()?;
            let writing = Writing::begin(dir.path(), Durability::Sync, payload_bytes)?;
            rate(events, || {
                let executor = crate::stage::on_one_thread()?;
                for number in 0..events {
                    let appended = writing.append(number)?;
                    executor.block_on(writing.journal.durable(appended.position))?;
                }
                Ok(())
            })
        }),
        baseline: Some((
            "bare file append and sync of each",
            Box::new(move || {
                let dir = tempfile::tempdir()?;
                let mut file = File::create(dir.path().join("bare"))?;
                let payload = vec![7; payload_bytes];
                rate(events, || {
                    for _ in 0..events {
                        file.write_all(&payload)?;
                        file.sync_data()?;
                    }
                    Ok(())
                })
            }),
        )),
    })?;
    Ok(())
}

/// Bytes of the journal besides payload.
fn overhead(bench: &mut Bench<'_>) -> Result<(), Failure> {
    for (name, payload_bytes, events) in PAYLOADS {
        let events = bench.effort.of(events);
        let bytes = bytes_written(payload_bytes, events)?;
        let value = bytes as f64 / f64::from(events) - payload_bytes as f64;
        let settings =
            vec![("payload", name.to_owned()), ("one", "event in its segment, batches included".to_owned())];
        let name = format!("chain/overhead/{name}");
        bench.show(&Figure { name, value, unit: Unit::Bytes, baseline: None, settings })?;
    }
    Ok(())
}

fn bytes_written(payload_bytes: usize, events: u32) -> Result<u64, Failure> {
    let writing = Writing::begin(Path::new(""), Durability::Memory, payload_bytes)?;
    writing.append_all(events)?;
    Ok(writing.journal.close()?.bytes)
}

/// Returns the events a second, from the first append until all of them are written and the run is closed.
fn written(durability: Durability, payload_bytes: usize, events: u32) -> Result<f64, Failure> {
    let dir = tempfile::tempdir()?;
    let writing = Writing::begin(&dir.path().join("run"), durability, payload_bytes)?;
    let (took, _) = time(|| {
        writing.append_all(events)?;
        Ok(writing.journal.close()?)
    })?;
    Ok(f64::from(events) / took.as_secs_f64())
}

/// A journal with a few chains, and a payload to append to them.
pub(super) struct Writing {
    pub(super) journal: Journal,
    chains: Vec<theater_chain::ChainIndex>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Writing {
    pub(super) fn begin(dir: &Path, durability: Durability, payload_bytes: usize) -> Result<Self, Failure> {
        Self::begin_with(dir, JournalOptions::new(durability), payload_bytes)
    }

    pub(super) fn begin_with(
        dir: &Path,
        options: JournalOptions,
        payload_bytes: usize,
    ) -> Result<Self, Failure> {
        let init = RunInit { run_id: "bench".to_owned(), secret: [9; 32] };
        let journal = Journal::create(dir, init, options, None)?;
        let mut chains = Vec::new();
        for _ in 0..CHAINS {
            let chain = journal.open_chain();
            journal.append(chain, &EventDraft::new(Kind::Genesis, 0))?;
            chains.push(chain);
        }
        let input = vec![b'i'; payload_bytes / 2];
        let output = vec![b'o'; payload_bytes - input.len()];
        Ok(Self { journal, chains, input, output })
    }

    fn append(&self, number: u32) -> Result<theater_chain::Appended, Failure> {
        let chain = self.chains[(number / 4 % CHAINS) as usize];
        let draft = EventDraft {
            kind: Kind::HostCall,
            outcome: Outcome::Ok,
            time_us: u64::from(number),
            function: number % 7,
            fuel: u64::from(number) * 321,
            input: &[&self.input],
            output: &[&self.output],
        };
        Ok(self.journal.append(chain, &draft)?)
    }

    /// Appends so many events, waiting whenever the journal asks for it.
    pub(super) fn append_all(&self, events: u32) -> Result<(), Failure> {
        let executor = crate::stage::on_one_thread()?;
        for number in 0..events {
            if self.append(number)?.pressed {
                executor.block_on(self.journal.ready())?;
            }
        }
        Ok(())
    }

    pub(super) fn close(&self) -> Result<Closed, Failure> {
        Ok(self.journal.close()?)
    }
}
