//! A journal whose storage stops at the k-th operation, for every k: what is left is a prefix of what was
//! recorded, and nothing that was acknowledged is lost.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use theater_chain::{
    Append, ChainIndex, Durability, EventDraft, Files, Journal, JournalError, JournalOptions, Kind,
    MemoryFiles, ReadAt, ReadError, Run, Storage, VerifyOptions, verify_files,
};

use crate::support::{begin, begin_actor, block_on, end, exchange, init, options, signer};

#[derive(Clone, Default)]
struct ModelFile {
    bytes: Vec<u8>,
    synced: usize,
}

type SharedFile = Arc<Mutex<ModelFile>>;

/// Names and bytes as they are, and the names as they would be after a power failure.
#[derive(Default)]
struct Model {
    current: BTreeMap<String, SharedFile>,
    durable: BTreeMap<String, SharedFile>,
    operations: u32,
}

/// Stops working at one of its operations.
#[derive(Clone)]
struct Fragile {
    model: Arc<Mutex<Model>>,
    stops_at: u32,
    /// Only that one operation fails.
    recovers: bool,
}

/// What a power failure leaves of bytes that were written and not synced.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    Nothing,
    Half,
    Zeros,
    All,
}

impl Fragile {
    fn new(stops_at: u32, recovers: bool) -> Self {
        Self { model: Arc::default(), stops_at, recovers }
    }

    fn operation(&self) -> io::Result<()> {
        let mut model = self.model.lock().unwrap();
        model.operations += 1;
        let stops =
            if self.recovers { model.operations == self.stops_at } else { model.operations >= self.stops_at };
        if stops { Err(io::Error::other("the storage has stopped")) } else { Ok(()) }
    }

    fn operations(&self) -> u32 {
        self.model.lock().unwrap().operations
    }

    fn survivors(&self, leaves: Leaves) -> MemoryFiles {
        let model = self.model.lock().unwrap();
        let names = if matches!(leaves, Leaves::Nothing) { &model.durable } else { &model.current };
        let files = MemoryFiles::new();
        for (name, file) in names {
            let ModelFile { mut bytes, synced } = file.lock().unwrap().clone();
            match leaves {
                Leaves::Nothing => bytes.truncate(synced),
                Leaves::Half => bytes.truncate(synced + (bytes.len() - synced) / 2),
                Leaves::Zeros => bytes[synced..].fill(0),
                Leaves::All => {}
            }
            files.insert(name, bytes);
        }
        files
    }
}

impl Files for Fragile {
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadAt>> {
        let file = self.model.lock().unwrap().current.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        let bytes = file.lock().unwrap().bytes.clone();
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let model = self.model.lock().unwrap();
        Ok(model.current.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect())
    }
}

struct FragileFile {
    storage: Fragile,
    file: SharedFile,
}

impl Append for FragileFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stopped = self.storage.operation();
        let written = if stopped.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        self.file.lock().unwrap().bytes.extend_from_slice(written);
        stopped
    }

    fn sync(&mut self) -> io::Result<()> {
        self.storage.operation()?;
        let mut file = self.file.lock().unwrap();
        file.synced = file.bytes.len();
        Ok(())
    }
}

impl Storage for Fragile {
    fn create(&self, name: &str) -> io::Result<Box<dyn Append>> {
        self.operation()?;
        let file = SharedFile::default();
        self.model.lock().unwrap().current.insert(name.to_owned(), Arc::clone(&file));
        Ok(Box::new(FragileFile { storage: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operation()?;
        let mut model = self.model.lock().unwrap();
        let file = model.current.remove(from).ok_or(io::ErrorKind::NotFound)?;
        model.current.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync_names(&self, folder: &str) -> io::Result<()> {
        self.operation()?;
        let mut model = self.model.lock().unwrap();
        let is_inside = |name: &str| name.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
        let current = model.current.clone();
        model.durable.retain(|name, _| !is_inside(name));
        model.durable.extend(current.into_iter().filter(|(name, _)| is_inside(name)));
        Ok(())
    }
}

/// What a run recorded before its storage stopped.
#[derive(Default)]
struct Recorded {
    /// In the order in which they were appended.
    events: Vec<(ChainIndex, u64)>,
    acknowledged: usize,
    is_closed: bool,
    error: Option<JournalError>,
}

impl Recorded {
    fn append(
        &mut self,
        journal: &Journal,
        chain: ChainIndex,
        draft: &EventDraft<'_>,
    ) -> Result<(), JournalError> {
        let appended = journal.append(chain, draft)?;
        self.events.push((chain, appended.seq));
        if self.events.len().is_multiple_of(3) {
            block_on(journal.durable(appended.position))?;
            self.acknowledged = self.events.len();
        }
        Ok(())
    }

    fn scenario(&mut self, journal: &Journal) -> Result<(), JournalError> {
        let chains: Vec<_> = (0..3).map(|_| journal.open_chain()).collect();
        for chain in &chains {
            self.append(journal, *chain, &EventDraft::new(Kind::Genesis, 0))?;
        }
        let large = [b'x'; 300];
        for number in 0..24u64 {
            let input: &[u8] = if number % 7 == 3 { &large } else { b"small" };
            let draft = EventDraft { input: &[input], ..EventDraft::new(Kind::HostCall, number) };
            self.append(journal, chains[number as usize % 3], &draft)?;
        }
        for chain in &chains {
            self.append(journal, *chain, &EventDraft::new(Kind::Exit, 100))?;
        }
        journal.close()?;
        self.is_closed = true;
        Ok(())
    }
}

fn record(storage: &Fragile) -> Recorded {
    let options =
        JournalOptions { segment_bytes_max: 900, blob_threshold_bytes: 256, ..options(Durability::Sync) };
    let mut recorded = Recorded::default();
    let result = Journal::create_in(Arc::new(storage.clone()), init(), options, Some(signer()))
        .and_then(|journal| recorded.scenario(&journal));
    recorded.error = result.err();
    recorded
}

fn check(recorded: &Recorded, files: MemoryFiles, case: &str) {
    let options = VerifyOptions { keys: vec![signer().public_key()], threads: 1, ..VerifyOptions::default() };
    let run = match Run::open_files(Arc::new(files.clone())) {
        Ok(run) => run,
        Err(ReadError::NotARun(_) | ReadError::Truncated(_)) => {
            assert_eq!(recorded.acknowledged, 0, "{case}: acknowledged events are gone");
            return;
        }
        Err(error) => panic!("{case}: {error}"),
    };
    let events: Vec<_> =
        run.all_events().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{case}: {error}"));
    let read: Vec<_> = events.iter().map(|event| (event.chain, event.header.seq)).collect();
    assert!(
        read.len() >= recorded.acknowledged,
        "{case}: {} of {} acknowledged",
        read.len(),
        recorded.acknowledged
    );
    assert_eq!(read, recorded.events[..read.len()], "{case}: not a prefix");
    let report = verify_files(&files, &options).unwrap();
    assert_eq!(report.integrity, theater_chain::Integrity::Intact, "{case}: {report}");
    assert_eq!(report.events, read.len() as u64, "{case}");
    if report.verdict() == 0 {
        assert_eq!(read.len(), recorded.events.len(), "{case}: proven and not whole");
    }
    if recorded.is_closed {
        assert_eq!(report.verdict(), 0, "{case}: {report}");
    }
}

#[test]
fn a_run_that_stops_anywhere_is_a_prefix_that_holds_what_was_acknowledged() {
    let whole = Fragile::new(u32::MAX, false);
    let recorded = record(&whole);
    assert!(recorded.is_closed, "{:?}", recorded.error);
    assert!(whole.operations() > 50, "the scenario has too few operations to show anything");
    for stops_at in 1..=whole.operations() + 1 {
        for recovers in [false, true] {
            let storage = Fragile::new(stops_at, recovers);
            let recorded = record(&storage);
            assert_eq!(recorded.is_closed, storage.operations() < stops_at, "operation {stops_at}");
            for leaves in [Leaves::Nothing, Leaves::Half, Leaves::Zeros, Leaves::All] {
                let case = format!("stops at {stops_at}, recovers {recovers}, leaves {leaves:?}");
                check(&recorded, storage.survivors(leaves), &case);
            }
        }
    }
}

#[test]
fn a_failed_journal_says_so_for_ever_after() {
    // The secret takes five operations, the first segment four, the batch one: the eleventh is its sync.
    let storage = Fragile::new(11, true);
    let options = JournalOptions::new(Durability::Sync);
    let journal = Journal::create_in(Arc::new(storage), init(), options, None).unwrap();
    let chain = begin(&journal, None);
    let other = journal.open_chain();
    let draft = EventDraft::new(Kind::HostCall, 1);
    let position = journal.append(chain, &draft).unwrap().position;
    let waiting = journal.durable(position);
    assert!(matches!(block_on(waiting), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(chain, &draft), Err(JournalError::Io { .. })));
    assert!(matches!(
        journal.append(other, &EventDraft::new(Kind::Genesis, 1)),
        Err(JournalError::Io { .. })
    ));
    assert!(matches!(block_on(journal.ready()), Err(JournalError::Io { .. })));
    assert!(matches!(block_on(journal.entries(chain, 0..9)), Err(JournalError::Io { .. })));
    assert!(matches!(journal.close(), Err(JournalError::Io { .. })));
}

#[test]
fn a_journal_that_is_dropped_leaves_an_incomplete_run_with_all_its_events() {
    let storage = Fragile::new(u32::MAX, false);
    let options = JournalOptions::new(Durability::Batched);
    let journal = Journal::create_in(Arc::new(storage.clone()), init(), options, Some(signer())).unwrap();
    let actor = begin_actor(&journal, "root");
    for number in 0..10 {
        exchange(&journal, actor, number);
    }
    end(&journal, actor);
    drop(journal);
    let files = storage.survivors(Leaves::Nothing);
    let options = VerifyOptions { keys: vec![signer().public_key()], ..VerifyOptions::default() };
    let report = verify_files(&files, &options).unwrap();
    assert_eq!((report.verdict(), report.events), (1, 12));
    assert!(report.to_string().contains("incomplete, 12 events verify"), "{report}");
}
