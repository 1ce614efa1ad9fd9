//! From a process that starts to the first line of its actor's log, with compiled code in the cache. What it takes to
//! load a package with many functions: to compile it, to check it, to read its description.
//!
//! The line is printed after the guest has run its first instructions and the call is recorded, so the figure is an
//! upper bound for the first instruction. It needs the `theater` program, which is looked for beside this one.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pack::{CacheDir, Engine, EngineOptions, InstanceLimits, PackInstance, Package};
use pack_abi::metadata::Metadata;
use pack_abi::types::{Field, Function, Interface, Param, Type, TypeDef, TypeDefKind};

use super::{Bench, Failure, Plan};
use crate::bare;
use crate::figure::Unit;
use crate::measure::time;
use crate::stage::{FUEL, NONE, Unrecorded, block_on, guest};

/// Rounds are short here, and their spread is wide.
const STARTS: u32 = 5;
/// Instances of an engine that is to run one actor.
const INSTANCES_FEW: u32 = 64;

const LOGGER: &str = r#"(module
    (import "theater:simple/runtime" "log" (func $log (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 2048) "TEXT")
    (data (i32.const 4096) "RESULT")
    (func (export "__pack_alloc") (param $size i32) (result i32)
        (select (i32.const 65536) (i32.const 73728) (i32.eq (local.get $size) (i32.const 4111))))
    (func (export "__pack_free") (param i32 i32))
    (func (export "theater:simple/actor.init") (param i32 i32 i32 i32) (result i32)
        (drop (call $log (i32.const 2048) (i32.const TEXT_LENGTH) (i32.const 32) (i32.const 36)))
        (i32.store (local.get 2) (i32.const 4096))
        (i32.store (local.get 3) (i32.const RESULT_LENGTH))
        (i32.const 0)))"#;
const FIRST_WORDS: &str = "the first words";

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<(), Failure> {
    if let Some(theater) = program() {
        process(bench, &theater)?;
    }
    in_process(bench)?;
    load(bench)
}

/// Functions that the package exports; it describes each of them.
const FUNCTIONS: usize = 100;

/// Returns a package whose functions take records and return results.
fn many_functions() -> Result<Vec<u8>, Failure> {
    let field = |name: &str, ty| Field { name: name.to_owned(), docs: String::new(), ty };
    let point = TypeDef {
        name: "point".to_owned(),
        docs: String::new(),
        kind: TypeDefKind::Record(vec![field("x", Type::S32), field("y", Type::S32)]),
    };
    let named = || Type::Named("point".to_owned());
    let function = |place: usize| Function {
        name: format!("function-{place}"),
        docs: String::new(),
        params: vec![
            Param { name: "points".to_owned(), ty: Type::List(Box::new(named())) },
            Param { name: "name".to_owned(), ty: Type::Option(Box::new(Type::String)) },
        ],
        result: Some(Type::Result { ok: Some(Box::new(named())), err: Some(Box::new(Type::String)) }),
    };
    let interface = Interface {
        name: "bench:guest/many".to_owned(),
        types: vec![point],
        functions: (0..FUNCTIONS).map(function).collect(),
        ..Interface::default()
    };
    let bodies: String = (0..FUNCTIONS)
        .map(|place| {
            format!(
                r#"(func (export "bench:guest/many.function-{place}") (param i32 i32 i32 i32) (result i32)
                    (local $n i32)
                    (loop $again
                        (i32.store8 (i32.add (local.get 0) (local.get $n)) (i32.const {place}))
                        (br_if $again (i32.lt_u
                            (local.tee $n (i32.add (local.get $n) (i32.const 1))) (local.get 1))))
                    (i32.store (local.get 2) (local.get 0))
                    (i32.store (local.get 3) (local.get 1))
                    (i32.const 0))"#
            )
        })
        .collect();
    let types = Metadata::new(vec![], vec![interface]).encode()?;
    let quoted: String = types.iter().map(|byte| format!("\\{byte:02x}")).collect();
    Ok(wat::parse_str(format!(
        r#"(module (memory (export "memory") 2)
            (func (export "__pack_alloc") (param i32) (result i32) (i32.const 65536))
            (func (export "__pack_free") (param i32 i32))
            {bodies}
            (@custom "pack:types" "{quoted}"))"#
    ))?)
}

fn load(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let wasm = many_functions()?;
    let dir = tempfile::tempdir()?;
    let loaded = |cache: &Path| -> Result<f64, Failure> {
        let cache = CacheDir { path: cache.to_owned(), key: [7; 32] };
        let options =
            EngineOptions { instances_max: INSTANCES_FEW, cache: Some(cache), ..EngineOptions::default() };
        let engine = Engine::new(&options)?;
        let (took, package) = time(|| Ok(Package::load(&engine, &wasm)?))?;
        if package.exports().len() == FUNCTIONS {
            Ok(took.as_secs_f64())
        } else {
            Err("lost functions".into())
        }
    };
    let settings = || vec![("functions", FUNCTIONS.to_string()), ("package", format!("{} B", wasm.len()))];
    let [compiled, read] = if bench.effort.has_peers() { bare::loads(&wasm)? } else { [None, None] };
    let mut turn = 0_u32;
    bench.measure(Plan {
        name: "start/load/first".to_owned(),
        unit: Unit::Milliseconds,
        settings: settings(),
        subject: Box::new(|| {
            several(|| {
                turn += 1;
                loaded(&dir.path().join(turn.to_string()))
            })
        }),
        baseline: compiled.map(|round| ("bare wasmtime Module::new", round)),
    })?;
    let kept = dir.path().join("kept");
    bench.measure(Plan {
        name: "start/load/cached".to_owned(),
        unit: Unit::Milliseconds,
        settings: settings(),
        subject: Box::new(|| several(|| loaded(&kept))),
        baseline: read.map(|round| ("bare wasmtime Module::deserialize", round)),
    })?;
    Ok(())
}

/// Returns the command line's program: this one, or one beside it.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let name = format!("theater{}", std::env::consts::EXE_SUFFIX);
    Some(own.with_file_name(name)).filter(|path| path.is_file())
}

fn logger() -> Result<Vec<u8>, Failure> {
    let text = pack_abi::encode(FIRST_WORDS)?;
    let result = pack_abi::encode(&Ok::<_, String>((None::<Vec<u8>>,)))?;
    let escaped = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let module = LOGGER
        .replace("TEXT_LENGTH", &text.len().to_string())
        .replace("RESULT_LENGTH", &result.len().to_string())
        .replace("TEXT", &escaped(&text))
        .replace("RESULT", &escaped(&result));
    Ok(wat::parse_str(module)?)
}

fn process(bench: &mut Bench<'_>, theater: &Path) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let (home, wasm) = (dir.path().join("home"), dir.path().join("first.wasm"));
    std::fs::write(&wasm, logger()?)?;
    bench.measure(Plan {
        name: "start/cached/process".to_owned(),
        unit: Unit::Milliseconds,
        settings: vec![
            ("until", "the first line of the actor's log is read from stderr".to_owned()),
            ("durability", "batched".to_owned()),
        ],
        subject: Box::new(|| several(|| until_first_words(theater, &home, &wasm))),
        baseline: Some((
            "`theater --version`",
            Box::new(|| {
                several(|| {
                    let (took, status) = time(|| {
                        Ok(Command::new(theater).arg("--version").stdout(Stdio::null()).status()?)
                    })?;
                    if status.success() { Ok(took.as_secs_f64()) } else { Err("it failed".into()) }
                })
            }),
        )),
    })?;
    Ok(())
}

/// Returns the mean of several seconds, in milliseconds.
fn several(mut once: impl FnMut() -> Result<f64, Failure>) -> Result<f64, Failure> {
    let mut sum = 0.0;
    for _ in 0..STARTS {
        sum += once()?;
    }
    Ok(sum * 1000.0 / f64::from(STARTS))
}

fn until_first_words(theater: &Path, home: &Path, wasm: &Path) -> Result<f64, Failure> {
    let mut command = Command::new(theater);
    command.env("THEATER_HOME", home).args(["--color", "never", "run"]).arg(wasm);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (took, (mut child, mut lines, said)) = time(|| {
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut said = String::new();
        while !said.contains(FIRST_WORDS) && lines.read_line(&mut said)? > 0 {}
        Ok((child, lines, said))
    })?;
    let mut rest = String::new();
    lines.read_to_string(&mut rest)?;
    let status = child.wait()?;
    if !status.success() || !said.contains(FIRST_WORDS) {
        return Err(format!("{} failed: {said}{rest}", theater.display()).into());
    }
    Ok(took.as_secs_f64())
}

/// The part of it that belongs to the engine: set it up, load compiled code, instantiate, call.
fn in_process(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let wasm = guest(1)?;
    let once = || -> Result<(), Failure> {
        let cache = CacheDir { path: dir.path().join("cache"), key: [7; 32] };
        let options =
            EngineOptions { instances_max: INSTANCES_FEW, cache: Some(cache), ..EngineOptions::default() };
        let package = Package::load(&Engine::new(&options)?, &wasm)?;
        let none = package.export(NONE).ok_or("the guest lacks an export")?;
        let limits = InstanceLimits::default();
        let prepared = package.prepare()?;
        let made = PackInstance::instantiate(&prepared, Unrecorded(Vec::new()), &limits);
        block_on(block_on(made)?.call(none, b"", FUEL))?;
        Ok(())
    };
    bench.measure(Plan {
        name: "start/cached/engine".to_owned(),
        unit: Unit::Milliseconds,
        settings: vec![
            ("from", "Engine::new".to_owned()),
            ("until", "the first call has returned".to_owned()),
        ],
        subject: Box::new(|| several(|| Ok(time(once)?.0.as_secs_f64()))),
        baseline: None,
    })?;
    Ok(())
}
