//! Builds the fuzz targets with the installed compiler and runs each for a bounded time.
//!
//! cargo-fuzz would need a nightly toolchain. The coverage that guides the fuzzer is a pass of LLVM, which stable
//! compilers run too, and the fuzzer itself is C++ that `libfuzzer-sys` brings along: so this works wherever the
//! workspace does, if there is a C++ compiler. Without sanitizers, because the code under test is safe Rust.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::shell::{Failure, Outcome, Shell, say, timed};

/// What cargo-fuzz passes as well, but for the sanitizer.
const FLAGS: &[&str] = &[
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];
/// Seconds for each target if nothing else is asked for.
const SECONDS: u32 = 20;
/// An input that takes longer is a finding.
const INPUT_SECONDS_MAX: u32 = 10;
/// Longer inputs are slower and find little more. Seeds are checked whole before.
const INPUT_BYTES_MAX: u32 = 4096;
const MEMORY_MB_MAX: u32 = 2048;
/// Fewer edges than this mean that the code under test was not instrumented.
const EDGES_MIN: u64 = 300;
/// So much of what the fuzzer said is shown when it fails.
const SHOWN_LINES: usize = 40;

/// `cargo xtask fuzz [TARGET] [--seconds N]`
pub(crate) fn command(shell: &Shell, words: &[&str]) -> Outcome {
    let (wanted, seconds) = match words {
        [] => (None, SECONDS),
        ["--seconds", seconds] => (None, number(seconds)?),
        [target] => (Some(*target), SECONDS),
        [target, "--seconds", seconds] => (Some(*target), number(seconds)?),
        _ => return Err(Failure::Usage),
    };
    let mut targets = targets(shell)?;
    if let Some(wanted) = wanted {
        let all = targets.join(", ");
        targets.retain(|target| target == wanted);
        if targets.is_empty() {
            return Err(Failure::check(format!("there is no fuzz target `{wanted}`: there are {all}")));
        }
    }
    run_all(shell, &targets, seconds)
}

/// All targets, for the checks that a change must pass.
pub(crate) fn check(shell: &Shell) -> Outcome {
    run_all(shell, &targets(shell)?, SECONDS)
}

fn number(word: &str) -> Result<u32, Failure> {
    word.parse().ok().filter(|seconds| *seconds > 0).ok_or(Failure::Usage)
}

/// Returns the names of the targets, and complains about regressions of none.
fn targets(shell: &Shell) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(shell.root().join("fuzz/Cargo.toml")).map_err(Failure::check)?;
    let manifest: toml::Table = text.parse().map_err(Failure::check)?;
    let programs = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let names = programs.filter_map(|program| program.get("name")?.as_str().map(str::to_owned));
    let names: Vec<String> = names.collect();
    for entry in std::fs::read_dir(shell.root().join("fuzz/regressions")).map_err(Failure::check)? {
        let path = entry.map_err(Failure::check)?.path();
        if path.is_dir() && !names.iter().any(|name| path.ends_with(name)) {
            return Err(Failure::check(format!("{}: no fuzz target has this name", path.display())));
        }
    }
    if names.is_empty() { Err(Failure::check("fuzz/Cargo.toml names no targets")) } else { Ok(names) }
}

fn run_all(shell: &Shell, targets: &[String], seconds: u32) -> Outcome {
    let programs = build(shell, targets)?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    say(&format!("fuzzing {} targets for {seconds} s each, {jobs} at once", targets.len()));
    let pending = Mutex::new(targets.iter());
    let next = || pending.lock().ok()?.next();
    let work = || {
        let mut failed = Vec::new();
        while let Some(target) = next() {
            let (outcome, took) = timed(|| run(shell, target, &programs.join(target), seconds));
            report(target, &outcome, took);
            if outcome.is_err() {
                failed.push(target.as_str());
            }
        }
        failed
    };
    let mut failed: Vec<&str> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        // A worker that panics has said why, and must not pass for one without findings.
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|_| vec!["a worker"])).collect()
    });
    failed.sort_unstable();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::check(format!("fuzzing failed: {}", failed.join(", "))))
    }
}

fn report(target: &str, outcome: &Result<Figures, Failure>, took: Duration) {
    let took = took.as_secs_f64();
    match outcome {
        Ok(Figures { executions, edges, features }) => say(&format!(
            "{target:<16} {took:>6.1} s {executions:>10} executions {edges:>6} edges {features:>6} features"
        )),
        Err(failure) => say(&format!("{target:<16} {took:>6.1} s FAILED\nerror: {failure}")),
    }
}

/// Builds the targets and returns the folder of their programs.
fn build(shell: &Shell, targets: &[String]) -> Result<PathBuf, Failure> {
    need_cxx()?;
    let host = host(shell)?;
    let folder = shell.target().join("fuzz");
    // With `--target`, macros and build scripts are compiled without the flags, which they would not link with.
    let mut command = shell.cargo(["build", "--release", "--locked", "--quiet", "--target", &host]);
    command.args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir"]).arg(&folder);
    command.args(targets.iter().flat_map(|target| ["--bin", target]));
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    shell.run(&mut command)?;
    Ok(folder.join(host).join("release"))
}

/// The fuzzer is C++: says so before the compiler fails in the middle of it.
fn need_cxx() -> Outcome {
    let program = std::env::var_os("CXX").filter(|name| !name.is_empty()).unwrap_or_else(|| "c++".into());
    let mut command = Command::new(&program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Failure::check(format!(
        "there is no C++ compiler (`{}`), and the fuzzer is written in C++\n\nhint: install the package `g++` of your \
         distribution, or name a compiler in CXX",
        program.to_string_lossy()
    )))
}

fn host(shell: &Shell) -> Result<String, Failure> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = shell.capture(Command::new(compiler).arg("-vV").current_dir(shell.root()))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::check("`rustc -vV` does not name the host"))
}

/// Runs one target; what it says goes into a file, which is shown when it fails.
fn run(shell: &Shell, target: &str, program: &std::path::Path, seconds: u32) -> Result<Figures, Failure> {
    let corpus = shell.root().join("fuzz/corpus").join(target);
    let artifacts = shell.root().join("fuzz/artifacts").join(target);
    std::fs::create_dir_all(&corpus).map_err(Failure::check)?;
    std::fs::create_dir_all(&artifacts).map_err(Failure::check)?;
    let mut command = Command::new(program);
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}")).arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"));
    command
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .arg(&corpus);
    let output = command.stdin(Stdio::null()).output().map_err(Failure::check)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(SHOWN_LINES).collect();
    let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
    if !output.status.success() {
        return Err(Failure::check(format!(
            "{last}\n{target} ended with {}\n\nhint: an input that was found is in fuzz/artifacts/{target}; the program \
             {} takes it as its argument. Keep it, under a name that says what is wrong, in fuzz/regressions/{target}",
            output.status,
            program.display()
        )));
    }
    let figures = Figures::read(&said).ok_or_else(|| {
        Failure::check(format!("{last}\n{target} does not say how often it has run and what it has covered"))
    })?;
    if figures.executions == 0 || figures.edges < EDGES_MIN {
        let Figures { executions, edges, .. } = figures;
        return Err(Failure::check(format!(
            "{target}: {executions} executions and {edges} edges: the code under test was not reached or not instrumented"
        )));
    }
    Ok(figures)
}

/// What a run of the fuzzer has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Figures {
    executions: u64,
    edges: u64,
    features: u64,
}

impl Figures {
    /// Reads the line `#N DONE cov: E ft: F ...`.
    fn read(said: &str) -> Option<Self> {
        let line = said.lines().rev().find(|line| line.starts_with('#') && line.contains("DONE"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word: &str| {
            let place = words.iter().position(|found| *found == word)?;
            words.get(place + 1)?.parse().ok()
        };
        let executions = words.first()?.strip_prefix('#')?.parse().ok()?;
        Some(Self { executions, edges: after("cov:")?, features: after("ft:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_last_line_of_the_fuzzer() {
        let said = "#24\tINITED cov: 9 ft: 9\n#310421\tDONE   cov: 775 ft: 1210 corp: 82/8882b lim: 4096 exec/s: 9\nDone";
        assert_eq!(Figures::read(said), Some(Figures { executions: 310_421, edges: 775, features: 1210 }));
        assert_eq!(Figures::read("#24\tINITED cov: 9 ft: 9\n"), None);
        assert_eq!(Figures::read("#24\tDONE exec/s: 9\n"), None);
    }

    #[test]
    fn every_target_has_a_program_of_its_own() {
        let shell = Shell::new().expect("a repository");
        let targets = targets(&shell).expect("targets");
        for target in &targets {
            let program = format!("fuzz/fuzz_targets/{}.rs", target.replace('-', "_"));
            assert!(shell.root().join(&program).is_file(), "{program}");
        }
        let programs = std::fs::read_dir(shell.root().join("fuzz/fuzz_targets")).expect("a folder");
        assert_eq!(programs.count(), targets.len());
    }

    #[test]
    fn a_target_that_does_not_exist_is_named_with_those_that_do() {
        let shell = Shell::new().expect("a repository");
        let outcome = command(&shell, &["decoed"]);
        assert!(
            matches!(outcome, Err(Failure::Check(what)) if what.contains("`decoed`") && what.contains("decode-typed"))
        );
        assert!(matches!(command(&shell, &["--seconds", "0"]), Err(Failure::Usage)));
    }
}
