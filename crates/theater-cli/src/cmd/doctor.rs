//! `theater doctor`: what on this machine stands in the way, and, asked, its repair.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::json;
use wasm_toolchain::{CandidateState, InstallPolicy};

use crate::args::DoctorArgs;
use crate::cmd::Outcome;
use crate::cmd::build::Spoken;
use crate::home::{Home, private_dir};
use crate::ui::error::{CliError, Shown};
use crate::ui::printer::Printer;
use crate::ui::text;

/// Free space below which a run may end early.
const FREE_BYTES_MIN: u64 = 1 << 30;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    advice: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self { name, state, found: found.into(), advice: None }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

pub(crate) fn run(args: &DoctorArgs, printer: Printer) -> Result<Outcome, CliError> {
    let home = Home::locate()?;
    let mut checks = vec![versions(), home_check(&home, args.fix), disk_space(&home)];
    checks.extend(private_files(&home, args.fix));
    checks.extend(toolchain(&home, args.fix, printer));
    checks.push(engine());
    checks.push(hashing());
    let mut out = printer.data();
    for check in &checks {
        if args.json {
            let Check { name, state, found, advice } = check;
            let line = json!({"schema": "theater.doctor.1", "check": name, "state": state.name(), "found": found, "advice": advice});
            writeln!(out, "{line}").shown()?;
        } else {
            writeln!(out, "{:<4}  {:<10} {}", check.state.name(), check.name, check.found).shown()?;
            if let Some(advice) = &check.advice {
                writeln!(out, "{:17}{}", "", advice.replace('\n', "\n                 ")).shown()?;
            }
        }
    }
    out.flush().shown()?;
    let failed = checks.iter().any(|check| check.state == State::Fail);
    Ok(if failed { Outcome::Failed } else { Outcome::Fine })
}

fn versions() -> Check {
    let found =
        format!("theater {}, {}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    Check::new("version", State::Ok, found)
}

fn home_check(home: &Home, fix: bool) -> Check {
    let root = home.root();
    let shown = root.display();
    if !root.exists() && !fix {
        return Check::new("home", State::Warn, format!("{shown} is not there yet"))
            .advise("it is made by the first run, or by `theater doctor --fix`");
    }
    if let Err(error) = home.create() {
        return Check::new("home", State::Fail, error.to_string());
    }
    // Whether a folder can be written is only known by writing to it.
    match tempfile::Builder::new().prefix(".doctor-").tempfile_in(home.runs()) {
        Ok(_) => Check::new("home", State::Ok, format!("{shown} can be written")),
        Err(error) => Check::new("home", State::Fail, format!("{shown} cannot be written: {error}"))
            .advise("set THEATER_HOME to a folder that can be written"),
    }
}

fn disk_space(home: &Home) -> Check {
    let existing = home.root().ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(existing) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let found = format!("{} free at {}", text::bytes(free), existing.display());
            if free >= FREE_BYTES_MIN {
                Check::new("disk", State::Ok, found)
            } else {
                Check::new("disk", State::Warn, found)
                    .advise("`theater runs prune --keep N` deletes old runs")
            }
        }
        Err(error) => Check::new("disk", State::Warn, format!("free space is not known: {error}")),
    }
}

/// The home and the keys are for their owner only: who reads the key can sign in this node's name.
fn private_files(home: &Home, fix: bool) -> Vec<Check> {
    let mut checks = vec![private(home.root(), "privacy", 0o700, fix)];
    let key = home.node_key();
    if key.exists() {
        checks.push(private(&home.keys(), "keys", 0o700, fix));
        checks.push(private(&key, "node key", 0o600, fix));
        if home.witness_key().exists() {
            checks.push(private(&home.witness_key(), "witness", 0o600, fix));
        }
    } else {
        checks.push(Check::new("node key", State::Ok, "none yet; the first run makes one"));
    }
    checks
}

#[cfg(unix)]
fn private(path: &Path, name: &'static str, wanted: u32, fix: bool) -> Check {
    use std::os::unix::fs::PermissionsExt;

    let shown = path.display();
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::new(name, State::Ok, format!("{shown} is not there yet"));
        }
        Err(error) => return Check::new(name, State::Fail, format!("{shown}: {error}")),
    };
    if mode & 0o077 == 0 {
        return Check::new(name, State::Ok, format!("{shown} is open to its owner only"));
    }
    if fix && fs::set_permissions(path, fs::Permissions::from_mode(wanted)).is_ok() {
        return Check::new(
            name,
            State::Ok,
            format!("{shown} was open to others (mode {mode:o}) and is no longer"),
        );
    }
    Check::new(name, State::Warn, format!("{shown} is open to others (mode {mode:o})"))
        .advise(format!("`theater doctor --fix`, or: chmod {wanted:o} {shown}"))
}

#[cfg(not(unix))]
fn private(path: &Path, name: &'static str, _wanted: u32, _fix: bool) -> Check {
    Check::new(name, State::Warn, format!("who may open {} is not checked on this system", path.display()))
}

/// One of the candidates has to be ready; the others are told so that a person can choose.
fn toolchain(home: &Home, fix: bool, printer: Printer) -> Vec<Check> {
    const NAME: &str = "toolchain";
    if fix && let Err(error) = install(home, printer) {
        return vec![Check::new(NAME, State::Fail, error.to_string()).advise(error.hint())];
    }
    let reports = wasm_toolchain::candidates(home.root());
    let is_ready = |state: &CandidateState| matches!(state, CandidateState::Ready(_));
    let some_ready = reports.iter().any(|report| is_ready(&report.state));
    let some_possible = reports.iter().any(|report| report.state == CandidateState::Possible);
    let mut checks: Vec<Check> = Vec::new();
    for report in &reports {
        let state = if is_ready(&report.state) || some_ready { State::Ok } else { State::Warn };
        let mut check = Check::new(NAME, state, report.to_string());
        // Advice on the other candidates only matters as long as none is ready.
        check.advice = report.advice.clone().filter(|_| !some_ready);
        checks.push(check);
    }
    if !some_ready && !some_possible {
        checks.push(
            Check::new(NAME, State::Fail, "no compiler here builds for wasm32").advise("install rustup"),
        );
    }
    checks
}

fn install(home: &Home, printer: Printer) -> Result<(), wasm_toolchain::ToolchainError> {
    private_dir(home.root()).ok();
    wasm_toolchain::find_or_install(home.root(), InstallPolicy::from_env(), &mut Spoken(printer)).map(|_| ())
}

fn engine() -> Check {
    const NAME: &str = "engine";
    match pack::Engine::new(&pack::EngineOptions::default()) {
        Ok(engine) => {
            let print = engine.fingerprint();
            let version = print.descriptive.iter().find(|(name, _)| name == "engine");
            let version = version.map_or("unknown", |(_, value)| value.as_str());
            let instances = engine.instances_max();
            let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
            let found = match mappings.trim() {
                "" => format!("{version}, up to {instances} live instances"),
                mappings => {
                    format!("{version}, up to {instances} live instances (vm.max_map_count is {mappings})")
                }
            };
            if instances >= 1000 {
                return Check::new(NAME, State::Ok, found);
            }
            Check::new(NAME, State::Warn, found)
                .advise("for more: sysctl vm.max_map_count=262144, and no `ulimit -v`")
        }
        Err(error) => {
            let error = CliError::environment("the engine cannot be set up").because(error);
            Check::new(NAME, State::Fail, error.to_string())
                .advise("it reserves address space: is there a `ulimit -v`? is vm.max_map_count below 65530?")
        }
    }
}

fn hashing() -> Check {
    #[cfg(target_arch = "x86_64")]
    let (fast, what) = (std::arch::is_x86_feature_detected!("sha"), "SHA-NI");
    #[cfg(target_arch = "aarch64")]
    let (fast, what) = (std::arch::is_aarch64_feature_detected!("sha2"), "SHA-2 instructions");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let (fast, what) = (false, "SHA-2 instructions");
    if fast {
        Check::new("hashing", State::Ok, format!("the processor has {what}"))
    } else {
        Check::new(
            "hashing",
            State::Warn,
            format!("the processor has no {what}: recording and verifying are slower"),
        )
    }
}
