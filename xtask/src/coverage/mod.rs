//! Lines of the codec that its own tests reach, and those that they do not, each with its reason.
//!
//! The tests are compiled once more with LLVM's counters, into a folder of their own, and run; a line counts as
//! reached if any of them has been on it. The list of the others is committed: see [`list`].

mod lcov;
mod list;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::shell::{Failure, Outcome, Shell, say};
use lcov::SourceFile;
use list::List;

const PACKAGE: &str = "pack-abi";
const SOURCES: &str = "pack-abi/src/";
const FILE: &str = "pack-abi/uncovered.txt";

/// `cargo xtask coverage`
pub(crate) fn check(shell: &Shell) -> Outcome {
    let found = uncovered(shell)?;
    let verdict = read_list(shell)?.compare(&found);
    if verdict.is_empty() {
        say(&format!("the lines that no test reaches are those of {FILE}"));
        return Ok(());
    }
    say(&verdict.join("\n"));
    Err(Failure::check(format!(
        "{FILE} is not what was found\n\nhint: write a test that gets there; where none can, \
         `cargo xtask coverage --bless` adds the line and you add the reason"
    )))
}

/// `cargo xtask coverage --bless`
pub(crate) fn bless(shell: &Shell) -> Outcome {
    let found = uncovered(shell)?;
    let mut list = read_list(shell)?;
    let added = list.add_missing(&found);
    std::fs::write(shell.root().join(FILE), list.to_string())
        .map_err(|error| Failure::check(format!("{FILE}: {error}")))?;
    say(&format!("{added} lines added to {FILE}: give each a reason, the check wants one"));
    Ok(())
}

fn read_list(shell: &Shell) -> Result<List, Failure> {
    let shown = |error: &dyn std::fmt::Display| Failure::check(format!("{FILE}: {error}"));
    let text = std::fs::read_to_string(shell.root().join(FILE)).map_err(|error| shown(&error))?;
    text.parse().map_err(|error: String| shown(&error))
}

/// Measures, says how much of each file is covered, and returns file and text of each line that is not.
fn uncovered(shell: &Shell) -> Result<Vec<(String, String)>, Failure> {
    let files = lcov::read(&measure(shell)?).map_err(Failure::check)?;
    let mut found = Vec::new();
    let (mut reached, mut all) = (0, 0);
    for file in files {
        let path = Path::new(&file.path);
        let Ok(name) = path.strip_prefix(shell.root().join(SOURCES)) else { continue };
        if name.ends_with("tests.rs") {
            continue;
        }
        let name = name.to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::check(format!("{}: {error}", path.display())))?;
        let SourceFile { reached: here, lines, .. } = file;
        say(&format!("{here:>6} of {:>4} lines  {name}", lines.len()));
        reached += here;
        all += lines.len();
        let source: Vec<&str> = text.lines().collect();
        for (number, _) in lines.iter().filter(|(_, is_reached)| !**is_reached) {
            let line = number.checked_sub(1).and_then(|index| source.get(index)).copied().unwrap_or_default();
            found.extend(list::key(line).map(|key| (name.clone(), key)));
        }
    }
    if all == 0 {
        return Err(Failure::check(format!("no line of {SOURCES} was measured")));
    }
    say(&format!("{reached:>6} of {all:>4} lines  in all, {:.1} %", 100.0 * reached as f64 / all as f64));
    Ok(found)
}

/// Runs the tests with counters and returns what was counted, as `llvm-cov` writes it for `lcov`.
fn measure(shell: &Shell) -> Result<String, Failure> {
    let tools = Tools::find(shell)?;
    let scratch = shell.scratch("coverage")?;
    let programs = build(shell, &tools, &scratch)?;
    let counts = scratch.join("counts");
    for program in &programs {
        let mut command = Command::new(program);
        command.arg("--quiet").current_dir(shell.root().join(PACKAGE));
        // Compiled without optimisation, the oracle of the tests recurses beyond what threads have otherwise.
        command.env("RUST_MIN_STACK", "67108864");
        // The same cases each time: a line that chance reaches only now and then is a line without a test.
        command.env("PROPTEST_RNG_SEED", "0");
        shell.run(command.env("LLVM_PROFILE_FILE", counts.join("%m-%p.profraw")))?;
    }
    let profile = scratch.join("all.profdata");
    let mut merge = Command::new(&tools.profdata);
    shell.run(merge.args(["merge", "-sparse", "-o"]).arg(&profile).arg(&counts))?;
    let mut export = Command::new(&tools.cov);
    export.args(["export", "-format=lcov", "-instr-profile"]).arg(profile);
    for program in &programs {
        export.arg("-object").arg(program);
    }
    shell.capture(&mut export)
}

/// Builds the tests with counters; macros, which run while compiling, without.
fn build(shell: &Shell, tools: &Tools, scratch: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut command = shell.cargo(["test", "--locked", "--no-run", "--tests", "--all-features"]);
    command.args(["--package", PACKAGE, "--target", &tools.host, "--target-dir"]);
    command.arg(shell.target().join("coverage"));
    // What the tests themselves use is compiled fast rather than fast to run.
    command.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
    command.arg("--message-format=json-render-diagnostics");
    command.env("RUSTFLAGS", "-Cinstrument-coverage");
    command.env("LLVM_PROFILE_FILE", scratch.join("build-%p.profraw"));
    say("building the tests with counters");
    let text = shell.capture(&mut command)?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs: Vec<PathBuf> =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect();
    if programs.is_empty() { Err(Failure::check("cargo has built no tests")) } else { Ok(programs) }
}

/// The tools that belong to the compiler: those of another LLVM may not read its counters.
struct Tools {
    host: String,
    profdata: PathBuf,
    cov: PathBuf,
}

impl Tools {
    fn find(shell: &Shell) -> Result<Self, Failure> {
        let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask =
            |words: &[&str]| shell.capture(Command::new(&compiler).args(words).current_dir(shell.root()));
        let version = ask(&["-vV"])?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Failure::check("`rustc -vV` names no host"))?.to_owned();
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
        let dir = sysroot.join("lib/rustlib").join(&host).join("bin");
        let tool = |name: &str| {
            let path = dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() {
                return Ok(path);
            }
            Err(Failure::check(format!(
                "there is no {name} in {}\n\nhint: `rustup component add llvm-tools` installs it",
                dir.display()
            )))
        };
        Ok(Self { profdata: tool("llvm-profdata")?, cov: tool("llvm-cov")?, host })
    }
}
