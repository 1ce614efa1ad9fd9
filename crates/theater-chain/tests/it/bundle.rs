//! A run in one file: the same bytes each time, opened by common tools, read in place, and refused if it is hostile.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use theater_chain::{
    Bundle, BundleError, Hash, Integrity, MemoryFiles, Pattern, Payload, Redacted, Run, RunStatus, Selection,
    VerifyOptions, export, verify, verify_files,
};

use crate::second::{second, to_disk};
use crate::support::signer;
use crate::tamper::{copy, known, record};

fn bundle_of(files: &MemoryFiles) -> Vec<u8> {
    let mut to = Cursor::new(Vec::new());
    let exported = export(files, &mut to).unwrap();
    assert_eq!(exported.bytes, to.get_ref().len() as u64);
    to.into_inner()
}

fn open(bytes: &[u8]) -> Result<Bundle, BundleError> {
    Bundle::from_source(Box::new(Cursor::new(bytes.to_vec())))
}

#[test]
fn a_bundle_is_read_as_its_directory_is() {
    let (files, closed) = record(Some(signer()), "x");
    files.insert("lock", Vec::new());
    files.insert("blobs/0.tmp", b"half".to_vec());
    let bytes = bundle_of(&files);
    assert_eq!(bytes, bundle_of(&copy(&files)), "the same run gives the same bytes");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.theater");
    fs::write(&path, &bytes).unwrap();
    let options = VerifyOptions { threads: 2, head: Some(closed.head), ..known() };
    let report = verify(&path, &options).unwrap();
    assert_eq!(
        (report.verdict(), report.events, report.chains),
        (0, closed.events, u64::from(closed.chains))
    );
    let run = Run::open(&path).unwrap();
    assert_eq!(run.status(), RunStatus::Closed);
    let events = |run: Run| run.all_events().collect::<Result<Vec<_>, _>>().unwrap();
    let original = Run::open_files(Arc::new(files)).unwrap();
    assert_eq!(run.chains().unwrap(), original.chains().unwrap());
    assert_eq!(events(run), events(original));
}

#[test]
fn unzip_and_python_open_a_bundle_and_what_they_unpack_is_the_run() {
    let (files, _) = record(Some(signer()), "x");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.theater");
    fs::write(&path, bundle_of(&files)).unwrap();
    let unpacked = folder.path().join("unpacked");
    let code = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";
    let run = |program: &str, words: &[&Path]| {
        let words = words.iter().map(|word| word.as_os_str());
        let output = Command::new(program).args(words).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{program} opens bundles, install it: {error}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("python3", &[Path::new("-c"), Path::new(code), &path, &unpacked]);
    assert_eq!(verify(&unpacked, &known()).unwrap().verdict(), 0);
    let unzipped = folder.path().join("unzipped");
    run("unzip", &[Path::new("-q"), &path, Path::new("-d"), &unzipped]);
    assert_eq!(verify(&unzipped, &known()).unwrap().verdict(), 0);
    for name in files.names() {
        assert_eq!(fs::read(unzipped.join(&name)).unwrap(), files.bytes(&name).unwrap(), "{name}");
    }
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_bundle_gives_exit_0_from_either_verifier() {
    let (files, closed) = record(Some(signer()), "x");
    let bytes = bundle_of(&files);
    let verdict = |bytes: &[u8]| {
        let Ok(bundle) = open(bytes) else { return 2 };
        verify_files(&bundle, &known()).map_or(2, |report| report.verdict())
    };
    assert_eq!(verdict(&bytes), 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.theater");
    let (key, head) = (signer().public_key().to_string(), closed.head.to_string());
    let second_verdict = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        second(&[path.to_str().unwrap(), "--key", &key, "--head", &head])
    };
    let answer = second_verdict(&bytes);
    assert_eq!(answer.code, 0, "{}", answer.text);
    // Every bit through the first verifier; the second, in Python, sees a sample spread over all of the file.
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(verdict(&altered), 0, "bit {bit}");
        if bit % 211 == 0 {
            let answer = second_verdict(&altered);
            assert_ne!(answer.code, 0, "bit {bit}: {}", answer.text);
        }
    }
    for length in 0..bytes.len() {
        assert_ne!(verdict(&bytes[..length]), 0, "cut to {length} bytes");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!((verdict(&longer), second_verdict(&longer).code), (2, 2));
    let before = [b"x", bytes.as_slice()].concat();
    assert_eq!((verdict(&before), second_verdict(&before).code), (2, 2));
}

#[test]
fn a_fault_in_a_bundle_is_named_as_in_its_directory() {
    let (files, _) = record(Some(signer()), "x");
    let mut bytes = bundle_of(&files);
    let at = bytes.windows(8).position(|window| window == b"answer 5").unwrap();
    bytes[at] ^= 1;
    let report = verify_files(&open(&bytes).unwrap(), &known()).unwrap();
    let Integrity::Broken(fault) = &report.integrity else { panic!("{report}") };
    assert!(fault.file.starts_with("journal/") && fault.batch.is_some(), "{fault}");
}

/// Writes entries with Python's own writer: what a careless or hostile packer makes.
fn packed(script: &str, files: &MemoryFiles) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let run = to_disk(files, &folder.path().join("run"));
    let path = folder.path().join("packed.zip");
    let prelude = "import sys, os, zipfile, warnings\nwarnings.simplefilter('ignore')\nrun, path = sys.argv[1:]\n\
        names = sorted(os.path.relpath(os.path.join(d, f), run) for d, _, fs in os.walk(run) for f in fs)\n\
        read = lambda name: open(os.path.join(run, name), 'rb').read()\n\
        z = zipfile.ZipFile(path, 'w')\nput = lambda name, data, **more: z.writestr(zipfile.ZipInfo(name), data, **more)\n";
    let output = Command::new("python3")
        .arg("-c")
        .arg(format!("{prelude}{script}\nz.close()"))
        .args([&run, &path])
        .output()
        .expect("python3 packs hostile bundles; install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(path).unwrap()
}

#[test]
fn only_what_an_export_writes_is_a_bundle() {
    let (files, _) = record(Some(signer()), "x");
    let refused = |script: &str, what: &str| {
        let error = open(&packed(script, &files)).err().unwrap_or_else(|| panic!("{script} is accepted"));
        assert!(error.to_string().contains(what), "{script}: {error}");
    };
    assert_eq!(packed("for name in names: put(name, read(name))", &files), bundle_of(&files));
    refused("for name in names[::-1]: put(name, read(name))", "out of order or comes twice");
    refused("for name in names: put(name, read(name)); put(name, read(name))", "out of order or comes twice");
    refused("for name in ['../secret'] + names: put(name, b'')", "not that of a file of a run");
    refused("put('/etc/passwd', b'')", "not that of a file of a run");
    refused("put('blobs/' + 'a' * 64 + '/', b'')", "not that of a file of a run");
    refused("put('blobs/' + 'A' * 64, b'')", "not that of a file of a run");
    refused("put('journal/0000000.seg', b'')", "not that of a file of a run");
    refused("put('n' * 300, b'')", "longer than any");
    refused(
        "put('secret', b'0' * 100000, compress_type=zipfile.ZIP_DEFLATED)",
        "compressed or in another form",
    );
    refused("z.comment = b'hello'\nfor name in names: put(name, read(name))", "directory differs");
    refused("pass", "neither a directory nor a bundle");
    refused(
        "info = zipfile.ZipInfo('secret'); info.extra = b'\\xfe\\xca\\0\\0'; z.writestr(info, b'')",
        "compressed or in another form",
    );
    refused(
        "info = zipfile.ZipInfo('secret', (1999, 1, 1, 0, 0, 0)); z.writestr(info, b'')",
        "in another form",
    );
    assert!(matches!(open(b"").err(), Some(BundleError::NotABundle)));
}

#[test]
fn lengths_that_lie_allocate_nothing_and_are_refused() {
    let bytes = bundle_of(&record(Some(signer()), "x").0);
    let with = |at: usize, with: &[u8]| {
        let mut altered = bytes.clone();
        altered[at..at + with.len()].copy_from_slice(with);
        open(&altered).err().map(|error| error.to_string())
    };
    for (at, bytes) in
        [(18, &[0xff; 8][..]), (18, &[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]), (26, &[0xff; 2])]
    {
        assert!(with(at, bytes).is_some_and(|error| error.contains("longer than")), "{at}");
    }
    let end = bytes.len() - 22;
    for at in [end + 8, end + 10, end + 12, end + 16] {
        assert!(with(at, &[0xff; 2]).is_some_and(|error| error.contains("directory differs")), "{at}");
    }
}

/// A bundle without its zeros: a file of gigabytes in a few pages of memory.
#[derive(Default)]
struct Sparse {
    pieces: std::collections::BTreeMap<u64, Vec<u8>>,
    at: u64,
    length: u64,
}

const PIECE: u64 = 1 << 18;
static ZEROS: [u8; PIECE as usize] = [0; PIECE as usize];

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let within = (self.at % PIECE) as usize;
        let count = bytes.len().min(PIECE as usize - within);
        let number = self.at / PIECE;
        if bytes[..count] != ZEROS[..count] || self.pieces.contains_key(&number) {
            let piece = self.pieces.entry(number).or_insert_with(|| vec![0; PIECE as usize]);
            piece[within..within + count].copy_from_slice(&bytes[..count]);
        }
        self.at += count as u64;
        self.length = self.length.max(self.at);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let within = (self.at % PIECE) as usize;
        let left = (self.length - self.at).min(PIECE - within as u64) as usize;
        let count = buffer.len().min(left);
        match self.pieces.get(&(self.at / PIECE)) {
            Some(piece) => buffer[..count].copy_from_slice(&piece[within..within + count]),
            None => buffer[..count].fill(0),
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.at = match position {
            SeekFrom::Start(at) => at,
            SeekFrom::End(distance) => self.length.checked_add_signed(distance).unwrap(),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance).unwrap(),
        };
        Ok(self.at)
    }
}

/// A run with a package of two gigabytes.
struct Huge(MemoryFiles);

impl theater_chain::Files for Huge {
    fn open(&self, name: &str) -> io::Result<Box<dyn theater_chain::ReadAt>> {
        if name == HUGE {
            return Ok(Box::new(Sparse { length: (1 << 31) - 1, ..Sparse::default() }));
        }
        self.0.open(name)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = self.0.list(folder)?;
        names.extend((folder == "blobs").then(|| HUGE["blobs/".len()..].to_owned()));
        Ok(names)
    }
}

const HUGE: &str = "blobs/0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn files_behind_two_gigabytes_are_found() {
    let (files, _) = record(Some(signer()), "x");
    let mut to = Sparse::default();
    export(&Huge(files), &mut to).unwrap();
    assert!(to.length > 1 << 31);
    let bundle = Bundle::from_source(Box::new(to)).unwrap();
    let run = Run::open_files(Arc::new(bundle)).unwrap();
    assert!(run.all_events().all(|event| event.is_ok()));
}

#[test]
fn more_files_than_16_bits_count_are_found() {
    let (files, _) = record(Some(signer()), "x");
    let run = copy(&files);
    for number in 0..66_000u32 {
        let content = number.to_le_bytes();
        files.insert(&format!("blobs/{}", Hash::of_blob(&content)), content.to_vec());
    }
    let bytes = bundle_of(&files);
    assert_eq!(verify_files(&open(&bytes).unwrap(), &known()).unwrap().verdict(), 0);
    let script = "import hashlib, struct\nnumbers = [struct.pack('<I', n) for n in range(66000)]\n\
        more = {'blobs/' + hashlib.sha256(n).hexdigest(): n for n in numbers}\n\
        for name in sorted([*names, *more]): put(name, more.get(name) or read(name))";
    assert!(packed(script, &run) == bytes, "Python writes the same bytes");
}

#[test]
fn a_redacted_bundle_shows_what_was_kept_and_counts_what_was_not() {
    let (files, closed) = record(Some(signer()), "x");
    let patterns: Vec<Pattern> = vec!["ro*".parse().unwrap()];
    let selection = Selection::find(&files, &patterns).unwrap();
    let keeps = |chain, header: &theater_chain::Header| !selection.contains(chain, header);
    let redacted = Redacted::new(&files, &keeps).unwrap();
    let mut to = Cursor::new(Vec::new());
    export(&redacted, &mut to).unwrap();
    let bytes = to.into_inner();
    let bundle = open(&bytes).unwrap();
    let report = verify_files(&bundle, &VerifyOptions { head: Some(closed.head), ..known() }).unwrap();
    assert_eq!((report.verdict(), report.redactions.payloads), (0, redacted.removed()), "{report}");
    assert!(redacted.removed() > 9);
    for event in Run::open_files(Arc::new(bundle)).unwrap().all_events() {
        let event = event.unwrap();
        assert_eq!(matches!(event.payload, Payload::Redacted { .. }), event.chain.0 == 1);
    }
    for gone in [&b"answer 5"[..], b"xxxxxxxx", b"secret", b"package", b"manifest"] {
        assert!(!bytes.windows(gone.len()).any(|window| window == gone), "{}", String::from_utf8_lossy(gone));
    }
    let misspelt: Vec<Pattern> = vec!["rot".parse().unwrap()];
    assert!(Selection::find(&files, &misspelt).is_err());
}
