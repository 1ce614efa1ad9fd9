//! The search for a toolchain, and its set-up where there is none.
//!
//! The order: what is there; then `rustup target add`; then a library built from sources that are there; then
//! private packages. Everything that is written goes through the [`Store`].

use std::path::{Path, PathBuf};

use crate::choice;
use crate::command::CommandError;
use crate::compiler::{Compiler, ProbeError, Version};
use crate::install::packages::{self, Lacking, PackageError, Packages, wrapper};
use crate::install::rustup;
use crate::install::sources::{LibraryBuild, SourcesError};
use crate::kit::{self, KitError};
use crate::machine::{Machine, is_executable};
use crate::progress::Progress;
use crate::report::{Candidate, CandidateReport, CandidateState};
use crate::store::{Installed, Store, StoreError, StoreLock};
use crate::toolchain::{Origin, Toolchain};

/// Names the folder of the toolchain, if it is not to be the one in the home.
pub const TOOLCHAIN_VARIABLE: &str = "THEATER_TOOLCHAIN";

/// Whether anything may be downloaded, built or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallPolicy {
    /// Set up what is missing, and say so.
    Install,
    /// Use what is there.
    Never,
}

impl InstallPolicy {
    /// Returns [`InstallPolicy::Never`] if `THEATER_NO_INSTALL` is set to anything but nothing or `0`.
    #[must_use]
    pub fn from_env() -> Self {
        match std::env::var_os("THEATER_NO_INSTALL") {
            Some(value) if !value.is_empty() && value != "0" => Self::Never,
            _ => Self::Install,
        }
    }
}

/// One way that was tried, and why it failed.
#[derive(Debug)]
pub struct Attempt {
    /// Which way.
    pub candidate: Candidate,
    /// Why it failed.
    pub error: Box<dyn std::error::Error + Send + Sync>,
}

/// There is no toolchain for guests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolchainError {
    /// Nothing on the machine will do, and setting something up was not asked for or not allowed.
    #[error("no compiler on this machine builds for {}{}", crate::TARGET, lines(reports))]
    NotFound {
        /// What each candidate amounts to.
        reports: Vec<CandidateReport>,
    },
    /// Everything was tried.
    #[error("no toolchain for {} could be set up{}", crate::TARGET, lines(attempts))]
    NotInstalled {
        /// What was tried, in this order.
        attempts: Vec<Attempt>,
    },
    /// Theater's home could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.candidate, self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn lines<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

impl ToolchainError {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { reports } => {
                let advice: Vec<&str> =
                    reports.iter().filter_map(|report| report.advice.as_deref()).collect();
                if advice.is_empty() { BY_HAND.to_owned() } else { advice.join("\nor ") }
            }
            Self::NotInstalled { .. } => BY_HAND.to_owned(),
            Self::Store(_) => "choose a writable folder with THEATER_HOME".to_owned(),
        }
    }
}

const BY_HAND: &str = "with rustup: `rustup target add wasm32-unknown-unknown`; \
    Fedora: `dnf install rust-std-static-wasm32-unknown-unknown`; Arch: `pacman -S rust-wasm`; \
    Debian 12: `apt-get install rustc-web rust-web-src gcc`";

/// Finds a toolchain without setting anything up; what it finds is remembered under `home`.
///
/// # Errors
/// [`ToolchainError::NotFound`] with a report of every candidate.
pub fn find(home: &Path, progress: &mut dyn Progress) -> Result<Toolchain, ToolchainError> {
    Setup::new(home).find(progress)
}

/// Finds a toolchain, or sets one up if the policy allows it.
///
/// # Errors
/// [`ToolchainError::NotInstalled`] with every attempt, or as [`find`] if the policy forbids installation.
pub fn find_or_install(
    home: &Path,
    policy: InstallPolicy,
    progress: &mut dyn Progress,
) -> Result<Toolchain, ToolchainError> {
    Setup::new(home).find_or_install(policy, progress)
}

/// Reports every candidate on this machine, in the order in which they are tried.
#[must_use]
pub fn candidates(home: &Path) -> Vec<CandidateReport> {
    Setup::new(home).candidates()
}

/// Returns what was set up under a home.
#[must_use]
pub fn installed(home: &Path) -> Vec<Installed> {
    Setup::new(home).installed()
}

/// Deletes what was set up under a home and returns how many bytes that were.
///
/// # Errors
/// If a file cannot be deleted.
pub fn remove(home: &Path, progress: &mut dyn Progress) -> Result<u64, StoreError> {
    Setup::new(home).remove(progress)
}

/// A home and a machine; the functions of this module use the machine that they run on.
#[derive(Debug)]
pub struct Setup {
    store: Store,
    machine: Machine,
}

fn store(home: &Path) -> Store {
    match std::env::var_os(TOOLCHAIN_VARIABLE).filter(|dir| !dir.is_empty()) {
        Some(dir) => Store::at(dir.into()),
        None => Store::of_home(home),
    }
}

/// The compilers of a machine, asked once.
struct Survey {
    compilers: Vec<Compiler>,
    failures: Vec<(PathBuf, ProbeError)>,
}

impl Setup {
    /// Returns the set-up of a home on this machine.
    ///
    /// `THEATER_TOOLCHAIN` names another folder than `toolchain` in the home, so that homes can share one.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { store: store(home), machine: Machine::host() }
    }

    /// Returns the set-up of a home on a machine as described.
    #[must_use]
    pub fn on(home: &Path, machine: Machine) -> Self {
        Self { store: Store::of_home(home), machine }
    }

    /// As [`find`].
    ///
    /// # Errors
    /// As [`find`].
    pub fn find(&self, progress: &mut dyn Progress) -> Result<Toolchain, ToolchainError> {
        if let Some(toolchain) = choice::read(&self.store.choice_file()) {
            return Ok(toolchain);
        }
        progress.step("looking for a compiler that builds for wasm32");
        let survey = self.survey();
        self.ready(&survey).ok_or_else(|| ToolchainError::NotFound { reports: self.report(&survey) })
    }

    /// As [`find_or_install`].
    ///
    /// # Errors
    /// As [`find_or_install`].
    pub fn find_or_install(
        &self,
        policy: InstallPolicy,
        progress: &mut dyn Progress,
    ) -> Result<Toolchain, ToolchainError> {
        match (self.find(progress), policy) {
            (Ok(toolchain), _) => Ok(toolchain),
            (Err(error), InstallPolicy::Never) => Err(error),
            (Err(_), InstallPolicy::Install) => self.install(progress),
        }
    }

    /// As [`candidates`].
    #[must_use]
    pub fn candidates(&self) -> Vec<CandidateReport> {
        self.report(&self.survey())
    }

    /// As [`installed`].
    #[must_use]
    pub fn installed(&self) -> Vec<Installed> {
        self.store.installed()
    }

    /// As [`remove`].
    ///
    /// # Errors
    /// As [`remove`].
    pub fn remove(&self, progress: &mut dyn Progress) -> Result<u64, StoreError> {
        self.store.remove(progress)
    }

    /// Writes the private toolchain to a file, for machines without a network: tar, compressed as its ending says.
    ///
    /// # Errors
    /// If there is none, or the file cannot be written.
    pub fn export_kit(&self, to: &Path) -> Result<Installed, KitError> {
        kit::export(&self.store, &self.machine, to)
    }

    /// Makes the toolchain in such a file this home's private one and returns its folder.
    ///
    /// # Errors
    /// If the file is not a kit, or not all of one.
    pub fn import_kit(&self, from: &Path, progress: &mut dyn Progress) -> Result<PathBuf, KitError> {
        kit::import(&self.store, &self.machine, from, progress)
    }

    fn survey(&self) -> Survey {
        let mut survey = Survey { compilers: Vec::new(), failures: Vec::new() };
        for command in self.machine.compilers() {
            match Compiler::behind(&self.machine, &command) {
                Ok(compiler) if survey.compilers.iter().any(|known| known.rustc == compiler.rustc) => {}
                Ok(compiler) => survey.compilers.push(compiler),
                Err(error) => survey.failures.push((command, error)),
            }
        }
        survey
    }

    /// Returns the first toolchain that works as things are, and remembers it.
    fn ready(&self, survey: &Survey) -> Option<Toolchain> {
        let own = survey.compilers.iter().filter_map(|compiler| self.of_compiler(compiler, survey));
        let built = survey.compilers.iter().filter_map(|compiler| self.of_sources(compiler, survey));
        let found = own.chain(built).chain(self.of_packages(survey)).next()?;
        // A person who adds the target to a compiler means it to be used.
        let lack_it =
            survey.compilers.iter().filter(|one| one.is_supported() && one.wasm_library().is_none());
        let missing: Vec<&Path> = match found.origin {
            Origin::Compiler => Vec::new(),
            Origin::Sources | Origin::Private => {
                lack_it.map(|compiler| compiler.libdir.as_path()).filter(|dir| !dir.exists()).collect()
            }
        };
        choice::write(&self.store.choice_file(), &found, &missing);
        Some(found)
    }

    fn of_compiler(&self, compiler: &Compiler, survey: &Survey) -> Option<Toolchain> {
        let library = compiler.wasm_library()?;
        self.assemble(compiler, survey, Parts { library, sysroot: None, origin: Origin::Compiler, own: None })
    }

    fn of_sources(&self, compiler: &Compiler, survey: &Survey) -> Option<Toolchain> {
        let sysroot = self.store.complete(&sources_name(compiler))?;
        let library = crate::compiler::wasm_library(&sysroot.join(LIBDIR))?;
        self.assemble(
            compiler,
            survey,
            Parts { library, sysroot: Some(sysroot), origin: Origin::Sources, own: None },
        )
    }

    fn of_packages(&self, survey: &Survey) -> Option<Toolchain> {
        let roots = self.store.names(PRIVATE).into_iter().rev().filter_map(|name| self.store.complete(&name));
        roots.into_iter().find_map(|root| {
            let compiler = Compiler::at(&self.machine, &wrapper(&root, "rustc")).ok()?;
            let library = compiler.wasm_library()?;
            self.assemble(
                &compiler,
                survey,
                Parts { library, sysroot: None, origin: Origin::Private, own: Some(root) },
            )
        })
    }

    fn assemble(&self, compiler: &Compiler, survey: &Survey, parts: Parts) -> Option<Toolchain> {
        let own =
            |name: &str| parts.own.as_ref().map(|root| wrapper(root, name)).filter(|path| path.exists());
        let cargo = compiler.cargo().filter(|_| parts.own.is_none()).or_else(|| own("cargo"));
        let linker = compiler.linker().or_else(|| own("wasm-ld"));
        if !compiler.is_supported() {
            return None;
        }
        Some(Toolchain {
            rustc: compiler.rustc.clone(),
            cargo: cargo.or_else(|| self.cargo(survey))?,
            linker: linker.or_else(|| self.linker(survey))?,
            sysroot: parts.sysroot,
            library: parts.library,
            origin: parts.origin,
            version: compiler.version,
        })
    }

    /// Any cargo calls any compiler; one that is not a rustup proxy does not look for toolchain files.
    fn cargo(&self, survey: &Survey) -> Option<PathBuf> {
        survey.compilers.iter().find_map(Compiler::cargo).or_else(|| self.machine.command("cargo"))
    }

    /// Any linker of the last years links for wasm32.
    fn linker(&self, survey: &Survey) -> Option<PathBuf> {
        survey.compilers.iter().find_map(Compiler::linker).or_else(|| linker_on(&self.machine))
    }

    fn install(&self, progress: &mut dyn Progress) -> Result<Toolchain, ToolchainError> {
        let lock = self.store.lock(progress)?;
        // Another process may have done it while this one waited.
        let survey = self.survey();
        if let Some(toolchain) = self.ready(&survey) {
            return Ok(toolchain);
        }
        let mut attempts = Vec::new();
        for step in [Self::install_by_rustup, Self::install_from_sources, Self::install_packages] {
            if let Err(attempt) = step(self, &lock, &survey, progress) {
                progress.step(&format!("that failed: {attempt}"));
                attempts.push(attempt);
                self.store.discard_partial(&lock)?;
                continue;
            }
            if let Some(toolchain) = self.ready(&self.survey()) {
                progress.step(&format!("using {toolchain}"));
                return Ok(toolchain);
            }
        }
        Err(ToolchainError::NotInstalled { attempts })
    }

    fn install_by_rustup(
        &self,
        _lock: &StoreLock,
        survey: &Survey,
        progress: &mut dyn Progress,
    ) -> Result<(), Attempt> {
        let Some(rustup) = self.machine.command("rustup") else { return Ok(()) };
        for compiler in survey.compilers.iter().filter(|compiler| compiler.is_supported()) {
            let Some(toolchain) = rustup::toolchain_of(compiler) else { continue };
            return rustup::add_target(&self.machine, &rustup, toolchain, progress).map_err(
                |error: CommandError| Attempt { candidate: Candidate::Rustup, error: error.into() },
            );
        }
        Ok(())
    }

    fn install_from_sources(
        &self,
        lock: &StoreLock,
        survey: &Survey,
        progress: &mut dyn Progress,
    ) -> Result<(), Attempt> {
        let Some(cargo) = self.cargo(survey) else { return Ok(()) };
        for compiler in survey.compilers.iter().filter(|compiler| compiler.is_supported()) {
            let Some(library) = compiler.library_sources() else { continue };
            return self.build_library(lock, (&cargo, compiler, &library), progress).map_err(|error| {
                Attempt { candidate: Candidate::Sources(compiler.rustc.clone()), error: error.into() }
            });
        }
        Ok(())
    }

    fn build_library(
        &self,
        lock: &StoreLock,
        (cargo, compiler, library): (&Path, &Compiler, &Path),
        progress: &mut dyn Progress,
    ) -> Result<(), SourcesError> {
        let partial = self.store.partial(lock)?;
        let (work, root) = (partial.join("work"), partial.join("root"));
        let build = LibraryBuild { machine: &self.machine, cargo, compiler, library, work: &work };
        build.run(&root.join(LIBDIR), progress)?;
        let name = sources_name(compiler);
        self.store.publish(lock, &root, &name)?;
        self.store.keep_only(lock, SOURCES, &name)?;
        self.store.discard_partial(lock)?;
        Ok(())
    }

    fn install_packages(
        &self,
        lock: &StoreLock,
        survey: &Survey,
        progress: &mut dyn Progress,
    ) -> Result<(), Attempt> {
        self.unpack_private(lock, survey, progress)
            .map_err(|error| Attempt { candidate: Candidate::Private, error: error.into() })
    }

    fn unpack_private(
        &self,
        lock: &StoreLock,
        survey: &Survey,
        progress: &mut dyn Progress,
    ) -> Result<(), PackageError> {
        let partial = self.store.partial(lock)?;
        let packages = Packages::new(&self.machine, partial.join("work"))?;
        let lacking = Lacking { cargo: self.cargo(survey).is_none(), linker: self.linker(survey).is_none() };
        let root = partial.join("root");
        let version = packages.install(&root, lacking, progress)?;
        let name = format!("{PRIVATE}{version}");
        self.store.publish(lock, &root, &name)?;
        self.store.keep_only(lock, PRIVATE, &name)?;
        self.store.discard_partial(lock)?;
        Ok(())
    }

    fn report(&self, survey: &Survey) -> Vec<CandidateReport> {
        let mut reports: Vec<CandidateReport> =
            survey.compilers.iter().map(|compiler| self.report_compiler(compiler, survey)).collect();
        for (command, error) in &survey.failures {
            let candidate = Candidate::Compiler(command.clone());
            reports.push(unavailable(candidate, format!("it does not answer: {error}")));
        }
        reports.push(self.report_rustup(survey));
        for compiler in &survey.compilers {
            reports.extend(self.report_sources(compiler, survey));
        }
        reports.push(self.report_private(survey));
        reports
    }

    fn report_compiler(&self, compiler: &Compiler, survey: &Survey) -> CandidateReport {
        let candidate = Candidate::Compiler(compiler.rustc.clone());
        let version = compiler.version;
        if !compiler.is_supported() {
            let found = format!("rustc {version} is older than {}", Version::oldest_supported());
            return unavailable(candidate, found);
        }
        if compiler.wasm_library().is_none() {
            return unavailable(candidate, format!("rustc {version} has no library for {}", crate::TARGET));
        }
        match self.of_compiler(compiler, survey) {
            Some(toolchain) => ready(candidate, toolchain),
            None => self.report_incomplete(candidate, survey),
        }
    }

    /// A compiler with a library, but without a cargo to call it or a linker to finish its work.
    fn report_incomplete(&self, candidate: Candidate, survey: &Survey) -> CandidateReport {
        let (found, advice) = if self.cargo(survey).is_none() {
            ("there is no cargo", "install cargo")
        } else {
            ("there is no linker for wasm", "install lld")
        };
        let mut report = unavailable(candidate, found.to_owned());
        report.advice = Some(advice.to_owned());
        report
    }

    fn report_rustup(&self, survey: &Survey) -> CandidateReport {
        let toolchain = survey.compilers.iter().find_map(rustup::toolchain_of);
        match (self.machine.command("rustup"), toolchain) {
            (None, _) => unavailable(Candidate::Rustup, "not installed".to_owned()),
            (Some(_), None) => unavailable(Candidate::Rustup, "it has no toolchain here".to_owned()),
            (Some(_), Some(toolchain)) => CandidateReport {
                candidate: Candidate::Rustup,
                state: CandidateState::Possible,
                found: format!("it has the toolchain {toolchain}"),
                advice: Some(format!("run `rustup target add --toolchain {toolchain} {}`", crate::TARGET)),
            },
        }
    }

    fn report_sources(&self, compiler: &Compiler, survey: &Survey) -> Option<CandidateReport> {
        let candidate = Candidate::Sources(compiler.rustc.clone());
        if let Some(toolchain) = self.of_sources(compiler, survey) {
            return Some(ready(candidate, toolchain));
        }
        let sources = compiler.library_sources().filter(|_| compiler.is_supported())?;
        Some(CandidateReport {
            candidate,
            state: CandidateState::Possible,
            found: format!("{} is there and not built", sources.display()),
            advice: Some("run `theater doctor --fix` to build the library once (about a minute)".to_owned()),
        })
    }

    fn report_private(&self, survey: &Survey) -> CandidateReport {
        let candidate = Candidate::Private;
        if let Some(toolchain) = self.of_packages(survey) {
            return ready(candidate, toolchain);
        }
        if let Some(tool) = packages::missing_tool(&self.machine) {
            return unavailable(candidate, format!("it needs `{tool}`, which is not here"));
        }
        let found = match self.store.names(PRIVATE).first() {
            None => format!("none in {}", self.store.dir().display()),
            Some(name) => format!("{} is damaged", self.store.dir().join(name).display()),
        };
        let advice = "run `theater doctor --fix` to download one (about 140 MB)".to_owned();
        CandidateReport { candidate, state: CandidateState::Possible, found, advice: Some(advice) }
    }
}

/// What a toolchain is put together from, besides its compiler.
struct Parts {
    library: [PathBuf; 2],
    sysroot: Option<PathBuf>,
    origin: Origin,
    /// The folder of a private toolchain, whose own tools come first.
    own: Option<PathBuf>,
}

pub(crate) const PRIVATE: &str = "private-";
const SOURCES: &str = "std-";
const LIBDIR: &str = "lib/rustlib/wasm32-unknown-unknown/lib";

/// A library serves the very build of the compiler whose sources it was made from.
fn sources_name(compiler: &Compiler) -> String {
    let build: String = compiler.build.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("{SOURCES}{}-{build}", compiler.version)
}

fn ready(candidate: Candidate, toolchain: Toolchain) -> CandidateReport {
    let found = toolchain.to_string();
    CandidateReport { candidate, state: CandidateState::Ready(Box::new(toolchain)), found, advice: None }
}

fn unavailable(candidate: Candidate, found: String) -> CandidateReport {
    CandidateReport { candidate, state: CandidateState::Unavailable, found, advice: None }
}

/// Returns a cargo that is not a rustup proxy if there is one, else the first on the PATH.
pub(crate) fn cargo_on(machine: &Machine) -> Option<PathBuf> {
    let compilers = machine.compilers();
    let behind = compilers.iter().filter_map(|command| Compiler::behind(machine, command).ok()?.cargo());
    behind.into_iter().next().or_else(|| machine.command("cargo"))
}

/// Returns a wasm linker from rustup's toolchains, the PATH, or a distribution's LLVM.
fn linker_on(machine: &Machine) -> Option<PathBuf> {
    let rustup_home = machine.env("RUSTUP_HOME").map(PathBuf::from);
    let rustup_home = rustup_home.or_else(|| Some(Path::new(machine.env("HOME")?).join(".rustup")));
    let hosts = subdirs(&rustup_home.unwrap_or_default().join("toolchains"))
        .into_iter()
        .flat_map(|toolchain| subdirs(&toolchain.join("lib/rustlib")));
    let of_rustup = hosts.map(|host| host.join("bin/rust-lld"));
    let of_llvm = subdirs(Path::new("/usr/lib")).into_iter().rev();
    let of_llvm =
        of_llvm.filter(|dir| dir.to_string_lossy().contains("/llvm")).map(|dir| dir.join("bin/wasm-ld"));
    let on_path =
        ["rust-lld", "wasm-ld"].into_iter().flat_map(|name| machine.path().iter().map(move |d| d.join(name)));
    of_rustup.chain(on_path).chain(of_llvm).find(|path| is_executable(path))
}

fn subdirs(dir: &Path) -> Vec<PathBuf> {
    let entries = dir.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let mut dirs: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    dirs.sort();
    dirs
}
