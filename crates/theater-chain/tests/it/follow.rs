//! A run that is followed while it is written: whole batches, in order, and no doubt about a tail that is not whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use theater_chain::{
    Durability, Event, Follow, Followed, Journal, JournalOptions, MemoryFiles, ReadError, Run,
};

use crate::second::to_disk;
use crate::support::{begin, begin_actor, block_on, end, exchange, init, options};
use crate::tamper::{frames, record};

/// Polls until there is nothing new.
fn drain(follow: &mut Follow) -> Result<(Vec<Event>, Followed), ReadError> {
    let mut events = Vec::new();
    loop {
        match follow.poll()? {
            Followed::Events(batch) => events.extend(batch),
            rest => return Ok((events, rest)),
        }
    }
}

#[test]
fn a_follower_sees_every_batch_of_every_segment_once_and_then_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let options = JournalOptions { segment_bytes_max: 1200, ..options(Durability::Batched) };
    let journal = Journal::create(&dir, init(), options, None).unwrap();
    let mut follow = Follow::open(&dir).unwrap();
    assert_eq!(drain(&mut follow).unwrap(), (Vec::new(), Followed::Waiting));
    let runtime = begin(&journal, None);
    let actor = begin_actor(&journal, "root");
    let mut seen = Vec::new();
    for number in 0..30 {
        exchange(&journal, actor, number);
        block_on(journal.chain_head(actor)).unwrap();
        let (events, rest) = drain(&mut follow).unwrap();
        assert_eq!(
            (events.last().map(|event| event.header.seq), rest),
            (Some(u64::from(number) + 1), Followed::Waiting)
        );
        seen.extend(events);
    }
    end(&journal, actor);
    end(&journal, runtime);
    journal.close().unwrap();
    let (events, rest) = drain(&mut follow).unwrap();
    assert_eq!(rest, Followed::Closed);
    seen.extend(events);
    let all = Run::open(&dir).unwrap().all_events().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(seen, all);
    assert!(fs::read_dir(dir.join("journal")).unwrap().count() > 2);
}

/// A directory with the files of a run but its last segment, which grows by hand; a writer holds its lock.
fn growing(files: &MemoryFiles, dir: &Path) -> (File, File, Vec<u8>) {
    let name = files.names().into_iter().rfind(|name| name.starts_with("journal/")).unwrap();
    let bytes = files.bytes(&name).unwrap();
    to_disk(files, dir);
    let lock = File::create(dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    (lock, File::create(dir.join(&name)).unwrap(), bytes)
}

#[test]
fn a_batch_that_comes_byte_by_byte_is_waited_for() {
    let (files, closed) = record(None, "x");
    let folder = tempfile::tempdir().unwrap();
    let (_lock, mut segment, bytes) = growing(&files, folder.path());
    let mut follow = Follow::open(folder.path()).unwrap();
    let mut count = drain(&mut follow).unwrap().0.len();
    for (at, byte) in bytes.iter().enumerate() {
        segment.write_all(&[*byte]).unwrap();
        let (events, rest) = drain(&mut follow).unwrap();
        count += events.len();
        let is_end = at + 1 == bytes.len();
        assert_eq!(rest, if is_end { Followed::Closed } else { Followed::Waiting }, "byte {at}");
    }
    assert_eq!(count as u64, closed.events);
}

#[test]
fn a_torn_tail_is_told_when_its_writer_is_gone_and_a_corrupt_batch_at_once() {
    let (files, _) = record(None, "x");
    let folder = tempfile::tempdir().unwrap();
    let (lock, mut segment, bytes) = growing(&files, folder.path());
    let last = frames(&bytes).pop().unwrap().0;
    segment.write_all(&bytes[..last - 7]).unwrap();
    let mut follow = Follow::open(folder.path()).unwrap();
    assert_eq!(drain(&mut follow).unwrap().1, Followed::Waiting);
    drop(lock);
    assert!(matches!(drain(&mut follow).unwrap().1, Followed::Abandoned { torn_bytes: 1.. }));
    segment.write_all(&bytes[last - 7..]).unwrap();
    assert_eq!(drain(&mut follow).unwrap().1, Followed::Closed);

    let folder = tempfile::tempdir().unwrap();
    let (_lock, mut segment, mut bytes) = growing(&files, folder.path());
    let first = frames(&bytes)[0].0;
    bytes[first + 20] ^= 1;
    segment.write_all(&bytes).unwrap();
    let error = drain(&mut Follow::open(folder.path()).unwrap()).unwrap_err();
    assert!(matches!(&error, ReadError::Faulty(fault) if fault.offset == first as u64), "{error}");
}
