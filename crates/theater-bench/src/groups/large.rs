//! A run of ten million events: written, verified, looked up in, read after a crash, executed again. On request only.

use std::fs::{self, OpenOptions};
use std::path::Path;

use theater::manifest::Limits;
use theater::replay::{ReplayOptions, Replayed, replay};
use theater_chain::{ChainIndex, Durability, Integrity, Kind, Query, Run, VerifyOptions, verify};

use super::chain::Writing;
use super::{Bench, Failure};
use crate::figure::{Figure, Unit};
use crate::machine;
use crate::measure::time;
use crate::stage::{ARGUMENT_BYTES, LOOP, Stage, guest, on_one_thread};

const EVENTS: u32 = 10_000_000;
const PAYLOAD_BYTES: usize = 64;
/// Bytes of the trailer's frame, which a run that crashed lacks.
const TRAILER_FRAME_BYTES: u64 = 96;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let events = bench.effort.of(EVENTS);
    let dir = tempfile::tempdir()?;
    let run = dir.path().join("run");
    let mut shown = Large { bench, events };
    shown.written(&run)?;
    shown.verified(&run)?;
    shown.looked_up(&run)?;
    shown.crashed(&run)?;
    fs::remove_dir_all(&run)?;
    shown.replayed()
}

/// Something to look up; it returns how much it found.
type Look<'a> = &'a dyn Fn() -> Result<usize, Failure>;

struct Large<'a, 'b> {
    bench: &'a mut Bench<'b>,
    events: u32,
}

impl Large<'_, '_> {
    fn show(&mut self, name: &str, value: f64, unit: Unit) -> Result<(), Failure> {
        let settings = vec![("payload", format!("{PAYLOAD_BYTES} B")), ("events", self.events.to_string())];
        self.bench.show(&Figure { name: format!("large/{name}"), value, unit, baseline: None, settings })
    }

    fn per_second(&mut self, name: &str, took: std::time::Duration) -> Result<(), Failure> {
        self.show(name, f64::from(self.events) / took.as_secs_f64(), Unit::PerSecond)
    }

    /// Shows a figure, and the most memory that the process held while it was made.
    fn with_memory<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let is_fresh = machine::forget_peak();
        let (took, result) = time(work)?;
        self.per_second(name, took)?;
        if let (true, Some(peak)) = (is_fresh, machine::peak_kib()) {
            self.show(&format!("{name}/peak-memory"), peak, Unit::Kibibytes)?;
        }
        Ok(result)
    }

    fn written(&mut self, run: &Path) -> Result<(), Failure> {
        let events = self.events;
        let closed = self.with_memory("append", || {
            let writing = Writing::begin(run, Durability::Batched, PAYLOAD_BYTES)?;
            writing.append_all(events)?;
            writing.close()
        })?;
        self.show("size", closed.bytes as f64 / f64::from(events), Unit::Bytes)?;
        let mut side = 0;
        for entry in fs::read_dir(run.join("index"))? {
            side += entry?.metadata()?.len();
        }
        self.show("index", side as f64 / f64::from(events), Unit::Bytes)
    }

    fn verified(&mut self, run: &Path) -> Result<(), Failure> {
        let events = u64::from(self.events);
        for threads in [1, 2] {
            self.with_memory(&format!("verify/{threads}-threads"), || {
                let report = verify(run, &VerifyOptions { threads, ..VerifyOptions::default() })?;
                let is_whole = matches!(report.integrity, Integrity::Intact) && report.events >= events;
                if is_whole { Ok(()) } else { Err(format!("the run does not verify:\n{report}").into()) }
            })?;
        }
        Ok(())
    }

    fn looked_up(&mut self, run: &Path) -> Result<(), Failure> {
        let middle = u64::from(self.events / 16);
        let find = |query: Query, count: usize| {
            Ok(Run::open(run)?.select(query).take(count).collect::<Result<Vec<_>, _>>()?.len())
        };
        let looks: [(&str, Look<'_>); 4] = [
            ("list", &|| Ok(Run::open(run)?.uses()?.len())),
            ("last-20", &|| Ok(Run::open(run)?.last(&Query::default(), 20, |_| true)?.len())),
            ("kind", &|| find(Query::default().of_kinds(&[Kind::Genesis]), usize::MAX)),
            ("from-seq", &|| find(Query { from_seq: middle, ..Query::of_chain(ChainIndex(3)) }, 20)),
        ];
        for (name, look) in looks {
            let (took, found) = time(look)?;
            if found == 0 {
                return Err(format!("{name} finds nothing").into());
            }
            self.show(&format!("look/{name}"), took.as_secs_f64() * 1e3, Unit::Milliseconds)?;
        }
        fs::remove_dir_all(run.join("index"))?;
        let (took, _) = time(|| Ok(Run::open(run)?.uses()?.len()))?;
        self.show("look/without-index", took.as_secs_f64() * 1e3, Unit::Milliseconds)
    }

    /// What a reader finds of a run whose writer was killed: no trailer, a torn batch, no index of the last segment.
    fn crashed(&mut self, run: &Path) -> Result<(), Failure> {
        let last = |folder: &str| -> Result<_, Failure> {
            let paths = fs::read_dir(run.join(folder))?
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>, std::io::Error>>()?;
            paths.into_iter().max().ok_or_else(|| Failure::from("the folder is empty"))
        };
        let segment = OpenOptions::new().write(true).open(last("journal")?)?;
        segment.set_len(segment.metadata()?.len() - TRAILER_FRAME_BYTES - 7)?;
        fs::remove_file(last("index")?)?;
        let (took, _) = time(|| Ok(Run::open(run)?.last(&Query::default(), 20, |_| true)?.len()))?;
        self.show("crashed/last-20", took.as_secs_f64() * 1e3, Unit::Milliseconds)?;
        self.with_memory("crashed/verify", || Ok(verify(run, &VerifyOptions::default())?)).map(drop)
    }

    fn replayed(&mut self) -> Result<(), Failure> {
        let events = self.events;
        let engine = self.bench.engine.clone();
        let stage = Stage::open(&engine, on_one_thread()?, guest(events)?, Durability::Batched)?;
        let actor = stage.block_on(stage.spawn())?;
        stage.call(&actor, LOOP)?;
        let (dir, _) = stage.close(actor)?;
        let run = Run::open(dir.path().join("run"))?;
        let options = ReplayOptions { engine, wasm: None, ceiling: Limits::default(), progress: None };
        let executor = on_one_thread()?;
        debug_assert_eq!(ARGUMENT_BYTES, PAYLOAD_BYTES);
        self.with_memory("replay", || match executor.block_on(replay(&run, ChainIndex(1), &options))? {
            Replayed::Same { .. } => Ok(()),
            other @ (Replayed::ResourceEnd { .. } | Replayed::Diverged(_)) => {
                Err(format!("the replay went another way: {other:?}").into())
            }
        })
    }
}
