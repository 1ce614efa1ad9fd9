//! The codec in 32 bits: a guest reads what no encoder writes, and says the same as the 64-bit host, without a trap.

#[path = "../../../../pack-abi/tests/corpus/golden.rs"]
mod golden;
#[path = "../../../../pack-abi/tests/corpus/hostile.rs"]
#[expect(dead_code, reason = "what the published decoder does is for the tests of the codec")]
mod hostile;
#[path = "../../../../pack-abi/tests/corpus/ways.rs"]
mod ways;

use std::path::Path;

use wasm_toolchain::{GuestBuild, InstallPolicy, Quiet};
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

/// As on the host: in proportion to the bytes, and a little for a start.
const REFUSED_TIMES_MAX: usize = 16;
const READ_TIMES_MAX: usize = 100;
const START_BYTES: usize = 1024;

/// Returns the guest beside the tests, built for wasm32 with arithmetic that traps when it wraps.
fn reader() -> Vec<u8> {
    let home = wasm_toolchain::default_home().expect("a home folder");
    let toolchain = wasm_toolchain::find_or_install(&home, InstallPolicy::from_env(), &mut Quiet)
        .unwrap_or_else(|error| panic!("no wasm toolchain: {error}"));
    let mut build = GuestBuild::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader"));
    build.target_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader"));
    let artifacts = toolchain.build(&build, &mut Quiet).unwrap_or_else(|error| panic!("{error:?}"));
    std::fs::read(&artifacts[0].path).unwrap()
}

/// A live reader.
struct Reader {
    store: Store<()>,
    instance: Instance,
    read: TypedFunc<u32, u32>,
}

impl Reader {
    fn new() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, reader()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let read = instance.get_typed_func(&mut store, "read").unwrap();
        Self { store, instance, read }
    }

    fn put(&mut self, bytes: &[u8]) {
        let room = self.instance.get_typed_func::<u32, u32>(&mut self.store, "room").unwrap();
        let at = room.call(&mut self.store, u32::try_from(bytes.len()).unwrap()).unwrap();
        let memory = self.instance.get_memory(&mut self.store, "memory").unwrap();
        memory.write(&mut self.store, at as usize, bytes).unwrap();
    }

    /// Reads what was put there; returns what came of it and the most bytes that were allocated at one time.
    fn read(&mut self, way: usize) -> (String, usize) {
        let peak = self.read.call(&mut self.store, u32::try_from(way).unwrap()).unwrap();
        let mut ask = |name: &str| {
            let function = self.instance.get_typed_func::<(), u32>(&mut self.store, name).unwrap();
            function.call(&mut self.store, ()).unwrap() as usize
        };
        let (at, length) = (ask("answer"), ask("answer_bytes"));
        let memory = self.instance.get_memory(&mut self.store, "memory").unwrap();
        let text = memory.data(&self.store)[at..at + length].to_vec();
        (String::from_utf8(text).unwrap(), peak as usize)
    }

    /// Reads a buffer in every way, here and there.
    fn assert_same(&mut self, name: &str, bytes: &[u8], times_max: usize) {
        self.put(bytes);
        for (number, (way, read)) in ways::ALL.iter().enumerate() {
            let (answer, peak) = self.read(number);
            assert_eq!(answer, read(bytes), "{name}, read as {way}");
            let most = times_max * bytes.len() + START_BYTES;
            assert!(peak <= most, "{name}, read as {way}: {} bytes took {peak}, at most {most}", bytes.len());
        }
    }
}

#[test]
fn a_32_bit_guest_refuses_hostile_buffers_as_its_host_does_without_a_trap_and_at_their_price() {
    let mut reader = Reader::new();
    let value = ways::ALL.iter().position(|(name, _)| *name == "value").unwrap();
    for case in hostile::cases() {
        reader.assert_same(&case.name, &case.bytes, REFUSED_TIMES_MAX);
        let (answer, _) = reader.read(value);
        assert_eq!(answer, format!("{:?} at {}", case.cause, case.offset), "{}", case.name);
    }
}

#[test]
fn a_32_bit_guest_reads_what_encoders_write_as_its_host_does() {
    let mut reader = Reader::new();
    for (name, hex) in golden::ALL {
        let bytes = golden::bytes(hex);
        reader.assert_same(name, &bytes, READ_TIMES_MAX);
        for length in 0..bytes.len() {
            reader.assert_same(&format!("{length} bytes of {name}"), &bytes[..length], READ_TIMES_MAX);
        }
    }
    for (name, bytes) in hostile::heavy() {
        reader.assert_same(name, &bytes, READ_TIMES_MAX);
    }
}
