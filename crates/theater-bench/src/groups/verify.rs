//! A run of many events, verified on one thread and on two, beside the hashes alone on as many.

use theater_chain::{Closed, Directory, Durability, JournalOptions, VerifyOptions, verify_files};

use super::chain::Writing;
use super::{Bench, Failure, Plan};
use crate::figure::Unit;
use crate::hashes::Preimages;
use crate::measure::rate;

const EVENTS: u32 = 1_000_000;
const PAYLOAD_BYTES: usize = 64;
/// Smaller than a run's segments are by default, so that the threads share a run of this length evenly.
const SEGMENT_BYTES: u64 = 8 << 20;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let events = bench.effort.of(EVENTS);
    let dir = tempfile::tempdir()?;
    let run = dir.path().join("run");
    let options =
        JournalOptions { segment_bytes_max: SEGMENT_BYTES, ..JournalOptions::new(Durability::Batched) };
    let writing = Writing::begin_with(&run, options, PAYLOAD_BYTES)?;
    writing.append_all(events)?;
    let closed = writing.close()?;
    drop(writing);
    let files = Directory::new(&run);
    for threads in [1_u32, 2] {
        bench.measure(Plan {
            name: format!("verify/events/{threads}-threads"),
            unit: Unit::PerSecond,
            settings: vec![("payload", "64 B".to_owned()), ("events", events.to_string())],
            subject: Box::new(|| rate(events, || check(&files, &closed, threads))),
            baseline: Some((
                "bare SHA-256 of the same preimages",
                Box::new(move || rate(events, || hash_on(threads, events))),
            )),
        })?;
    }
    Ok(())
}

fn check(files: &Directory, closed: &Closed, threads: u32) -> Result<(), Failure> {
    let options =
        VerifyOptions { head: Some(closed.head), threads: threads as usize, ..VerifyOptions::default() };
    let report = verify_files(files, &options)?;
    if report.is_proven() { Ok(()) } else { Err(format!("the run does not verify:\n{report}").into()) }
}

fn hash_on(threads: u32, events: u32) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || Preimages::new(PAYLOAD_BYTES).hash_all(events / threads));
        }
    });
    Ok(())
}
