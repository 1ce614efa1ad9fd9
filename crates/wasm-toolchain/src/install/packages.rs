//! A private compiler from the distribution's packages: downloaded and unpacked, never installed, no root needed.
//!
//! `apt-get` resolves, fetches and checks signatures; `dpkg-deb` and `tar` unpack into a folder of ours.
//! Debian and its relatives only; elsewhere the error says what to install by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::command::{self, CommandError, capture, stream_ok};
use crate::compiler::{Compiler, ProbeError, Version};
use crate::install::sources::{LibraryBuild, SourcesError};
use crate::machine::Machine;
use crate::progress::Progress;
use crate::store::{StoreError, failed, remove_tree};

const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Shown before the download; measured for 1.96 and rounded up.
const KEPT_MEGABYTES: u64 = 550;

/// Where dpkg keeps what is installed on the machine.
const STATUS: &str = "/var/lib/dpkg/status";

/// Packages of which a private copy is wanted even if the machine has them, because it may lose them again.
const OWN_COPY: &[&str] = &["cargo", "libllvm", "libstd-rust", "lld", "rust-", "rustc"];

/// The fields of a dpkg status that say what is installed.
const KEPT_FIELDS: &[&str] =
    &["Architecture:", "Multi-Arch:", "Package:", "Provides:", "Status:", "Version:"];

/// What a source package holds besides the standard library, and what nobody reads.
const NOT_UNPACKED: &[&str] = &[
    "./usr/bin/rustdoc",
    "./usr/share",
    "./usr/src/*/compiler",
    "./usr/src/*/src",
    "./usr/src/*/tests",
    "./usr/src/*/vendor",
];

/// One way in which a distribution packages a compiler and a library for wasm32.
struct PackageSet {
    rustc: &'static str,
    cargo: &'static str,
    /// The compiled wasm32 library, or the sources of the standard library.
    library: &'static str,
}

/// In order of preference: a compiled library needs no minute of compiling.
const SETS: &[PackageSet] = &[
    PackageSet { rustc: "rustc", cargo: "cargo", library: "libstd-rust-dev-wasm32" },
    // Debian's stable releases: the compiler that its browsers are built with, renewed with them.
    PackageSet { rustc: "rustc-web", cargo: "cargo-web", library: "rust-web-src" },
    PackageSet { rustc: "rustc", cargo: "cargo", library: "rust-src" },
];

/// No private compiler could be made from packages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Not a machine with Debian's tools.
    #[error("this machine has no `{tool}`, which unpacks Debian packages")]
    NoTool {
        /// The tool that is missing.
        tool: &'static str,
    },
    /// Build scripts of guests, and of the standard library, need a C linker.
    #[error("this machine has no C compiler (`cc`), which links build scripts")]
    NoLinker,
    /// None of the known packages is offered in a recent version.
    #[error(
        "the distribution offers no rustc {} or newer with a library for wasm32{}",
        Version::oldest_supported(),
        list(reasons)
    )]
    NotOffered {
        /// One line for each set of packages that was looked for.
        reasons: Vec<String>,
    },
    /// The packages could not be listed, downloaded or unpacked.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The unpacked compiler does not run.
    #[error("the unpacked compiler does not work")]
    Probe(#[from] ProbeError),
    /// The library could not be built.
    #[error(transparent)]
    Library(#[from] SourcesError),
    /// Files could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(reasons: &[String]) -> String {
    reasons.iter().map(|reason| format!("\n  | {reason}")).collect()
}

/// What must come along because the machine lacks it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lacking {
    pub(crate) cargo: bool,
    pub(crate) linker: bool,
}

/// Makes a private compiler in a folder.
pub(crate) struct Packages<'a> {
    machine: &'a Machine,
    apt_get: PathBuf,
    dpkg_deb: PathBuf,
    tar: PathBuf,
    /// For what is not kept: package lists, downloads, the build.
    work: PathBuf,
    /// Whether to use package lists of our own instead of the system's.
    own_lists: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// `name=version`, as apt takes it.
    packages: Vec<String>,
    rustc: Version,
}

/// Returns the first of the tools that a machine lacks.
pub(crate) fn missing_tool(machine: &Machine) -> Option<&'static str> {
    ["apt-get", "dpkg-deb", "tar"].into_iter().find(|tool| machine.command(tool).is_none())
}

impl<'a> Packages<'a> {
    pub(crate) fn new(machine: &'a Machine, work: PathBuf) -> Result<Self, PackageError> {
        let tool = |name| machine.command(name).ok_or(PackageError::NoTool { tool: name });
        if machine.command("cc").is_none() {
            return Err(PackageError::NoLinker);
        }
        let (apt_get, dpkg_deb, tar) = (tool("apt-get")?, tool("dpkg-deb")?, tool("tar")?);
        Ok(Self { machine, apt_get, dpkg_deb, tar, work, own_lists: false })
    }

    /// Fills `root` with a compiler that builds for wasm32 and returns its release.
    pub(crate) fn install(
        mut self,
        root: &Path,
        lacking: Lacking,
        progress: &mut dyn Progress,
    ) -> Result<Version, PackageError> {
        let debs = self.work.join("debs");
        for dir in [root, &debs, &self.work.join("lists/partial"), &self.work.join("cache/archives/partial")]
        {
            fs::create_dir_all(dir).map_err(failed("create", dir))?;
        }
        self.write_status()?;
        self.download(&debs, root, lacking, progress)?;
        self.unpack(&debs, root, progress)?;
        let compiler = self.finish(root, progress)?;
        Ok(compiler)
    }

    /// Downloads with the lists that the system has, or if these are missing or stale with fresh ones of our own.
    fn download(
        &mut self,
        debs: &Path,
        root: &Path,
        lacking: Lacking,
        progress: &mut dyn Progress,
    ) -> Result<(), PackageError> {
        if self.try_download(debs, root, lacking, progress).is_ok() {
            return Ok(());
        }
        progress.step("fetching fresh package lists, beside the system's");
        self.own_lists = true;
        stream_ok(self.apt().arg("update"), Some(SILENCE_MAX), progress)?;
        self.try_download(debs, root, lacking, progress)
    }

    fn try_download(
        &self,
        debs: &Path,
        root: &Path,
        lacking: Lacking,
        progress: &mut dyn Progress,
    ) -> Result<(), PackageError> {
        let plan = self.plan(lacking)?;
        let mut download = self.apt();
        download.current_dir(debs).arg("download").args(&plan.packages);
        let sizes = capture(self.apt().args(["--print-uris", "download"]).args(&plan.packages))?;
        progress.step(&format!(
            "downloading {} packages ({}) for a private rustc {}\n  \
             into {}, about {KEPT_MEGABYTES} MB when ready; the system is not changed.\n  \
             THEATER_NO_INSTALL=1 prevents this; deleting the folder undoes it.",
            plan.packages.len(),
            download_size(&sizes),
            plan.rustc,
            root.parent().and_then(Path::parent).unwrap_or(root).display(),
        ));
        stream_ok(&mut download, Some(SILENCE_MAX), progress)?;
        Ok(())
    }

    /// Finds the first set of packages that is offered in a version recent enough.
    fn plan(&self, lacking: Lacking) -> Result<Plan, PackageError> {
        let mut reasons = Vec::new();
        for set in SETS {
            match self.plan_set(set, lacking) {
                Ok(plan) => return Ok(plan),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(PackageError::NotOffered { reasons })
    }

    fn plan_set(&self, set: &PackageSet, lacking: Lacking) -> Result<Plan, String> {
        let mut wanted = vec![set.rustc.to_owned(), set.library.to_owned()];
        if lacking.cargo {
            wanted.push(set.cargo.to_owned());
        }
        let plan = simulated(set.rustc, &self.simulate(&wanted)?)?;
        let llvm =
            plan.packages.iter().find_map(|package| package.strip_prefix("libllvm")?.split('=').next());
        match llvm {
            Some(llvm) if lacking.linker => {
                wanted.push(format!("lld-{llvm}"));
                simulated(set.rustc, &self.simulate(&wanted)?)
            }
            _ => Ok(plan),
        }
    }

    fn simulate(&self, wanted: &[String]) -> Result<String, String> {
        let mut command = self.apt();
        command.args(["--simulate", "--no-install-recommends", "--yes", "install"]).args(wanted);
        capture(&mut command).map_err(|error| {
            let reason = error.output().lines().find_map(|line| line.strip_prefix("E: "));
            reason.map_or_else(|| error.to_string(), str::to_owned)
        })
    }

    fn apt(&self) -> Command {
        let mut command = self.machine.run_scrubbed(&self.apt_get);
        let option = |name: &str, value: &Path| format!("{name}={}", value.display());
        // The working folder need not be readable for apt's own user; signatures are checked all the same.
        command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
        command.args(["-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=2"]);
        command.args(["-o".to_owned(), option("Dir::State::status", &self.work.join("status"))]);
        command.args(["-o".to_owned(), option("Dir::Cache", &self.work.join("cache"))]);
        if self.own_lists {
            command.args(["-o".to_owned(), option("Dir::State::Lists", &self.work.join("lists"))]);
        }
        command
    }

    fn write_status(&self) -> Result<(), StoreError> {
        // A machine without a status has nothing installed, as far as apt is concerned.
        let status = fs::read_to_string(STATUS).unwrap_or_default();
        let path = self.work.join("status");
        fs::write(&path, without_own_copies(&status)).map_err(failed("write", &path))
    }

    fn unpack(&self, debs: &Path, root: &Path, progress: &mut dyn Progress) -> Result<(), PackageError> {
        progress.step("unpacking");
        let entries = debs.read_dir().map_err(failed("read", debs))?.flatten().map(|entry| entry.path());
        let mut packages: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|e| e == "deb")).collect();
        packages.sort();
        for package in &packages {
            self.unpack_one(package, root)?;
            fs::remove_file(package).map_err(failed("delete", package))?;
        }
        Ok(())
    }

    fn unpack_one(&self, package: &Path, root: &Path) -> Result<(), CommandError> {
        let mut reading = self.machine.run_scrubbed(&self.dpkg_deb);
        reading.arg("--fsys-tarfile").arg(package).stdin(Stdio::null()).stdout(Stdio::piped());
        let name = command::display(&reading);
        let io = |source| CommandError::Io { command: name.clone(), source };
        let mut reader = reading.spawn().map_err(io)?;
        let Some(tarfile) = reader.stdout.take() else {
            return Err(io(std::io::ErrorKind::BrokenPipe.into()));
        };
        let mut unpacking = self.machine.run_scrubbed(&self.tar);
        unpacking.args([
            "--extract",
            "--file=-",
            "--anchored",
            "--no-wildcards-match-slash",
            "--no-same-owner",
        ]);
        unpacking.args(NOT_UNPACKED.iter().map(|pattern| format!("--exclude={pattern}")));
        unpacking.arg("--directory").arg(root).stdin(tarfile);
        let unpacked = unpacking.output();
        let status = reader.wait().map_err(io)?;
        let output =
            unpacked.map_err(|source| CommandError::Io { command: command::display(&unpacking), source })?;
        for (command, status) in [(name.clone(), status), (command::display(&unpacking), output.status)] {
            if !status.success() {
                let output = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(CommandError::Failed { command, status, output });
            }
        }
        Ok(())
    }

    /// Makes the unpacked files a working compiler with a library for wasm32, and nothing else.
    fn finish(&self, root: &Path, progress: &mut dyn Progress) -> Result<Version, PackageError> {
        write_wrappers(root)?;
        let compiler = Compiler::at(self.machine, &wrapper(root, "rustc"))?;
        if compiler.wasm_library().is_none() {
            let own_cargo = wrapper(root, "cargo");
            let cargo =
                if own_cargo.exists() { Some(own_cargo) } else { crate::setup::cargo_on(self.machine) };
            let (Some(cargo), Some(library)) = (cargo, compiler.library_sources()) else {
                return Err(SourcesError::NoLibrary { dir: compiler.libdir }.into());
            };
            let work = self.work.join("build");
            let build = LibraryBuild {
                machine: self.machine,
                cargo: &cargo,
                compiler: &compiler,
                library: &library,
                work: &work,
            };
            build.run(&compiler.libdir, progress)?;
        }
        for sources in ["usr/src", "usr/lib/rustlib/src"] {
            remove_tree(&root.join(sources))?;
        }
        Ok(compiler.version)
    }
}

/// The place of a command in a private toolchain.
pub(crate) fn wrapper(root: &Path, name: &str) -> PathBuf {
    root.join("bin").join(name)
}

/// Puts scripts in front of the unpacked programs that show them the libraries unpacked with them.
fn write_wrappers(root: &Path) -> Result<(), StoreError> {
    let bin = root.join("bin");
    fs::create_dir_all(&bin).map_err(failed("create", &bin))?;
    let libraries = library_dirs(root);
    let llvm = fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
    let wasm_ld =
        llvm.map(|entry| entry.path().join("bin/wasm-ld")).find(|path| path.symlink_metadata().is_ok());
    let programs = [
        ("rustc", Some(root.join("usr/bin/rustc"))),
        ("cargo", Some(root.join("usr/bin/cargo"))),
        ("wasm-ld", wasm_ld),
    ];
    for (name, program) in programs {
        if let Some(program) = program.filter(|program| program.exists()) {
            let path = wrapper(root, name);
            let below = program.strip_prefix(root).unwrap_or(&program);
            fs::write(&path, wrapper_script(below, &libraries)).map_err(failed("write", &path))?;
            make_executable(&path)?;
        }
    }
    Ok(())
}

fn wrapper_script(program: &Path, libraries: &[PathBuf]) -> String {
    let dirs: Vec<String> = libraries.iter().map(|dir| format!("$root/{}", dir.display())).collect();
    // Found from its own place, so that the folder may be renamed.
    format!(
        "#!/bin/sh\nroot=$(dirname -- \"$0\")/..\n\
         LD_LIBRARY_PATH=\"{}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\" exec \"$root/{}\" \"$@\"\n",
        dirs.join(":"),
        program.display()
    )
}

/// Returns the directories below `root` that hold shared libraries, relative to it.
fn library_dirs(root: &Path) -> Vec<PathBuf> {
    let is_library = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("lib") && name.contains(".so"))
    };
    let children = |dir: &Path| -> Vec<PathBuf> {
        dir.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let mut dirs = Vec::new();
    for top in ["usr/lib", "lib"].map(|top| root.join(top)) {
        let below = children(&top).into_iter().filter(|path| path.is_dir());
        for dir in std::iter::once(top.clone()).chain(below) {
            if children(&dir).iter().any(|path| is_library(path)) {
                dirs.push(dir.strip_prefix(root).map_or_else(|_| dir.clone(), Path::to_owned));
            }
        }
    }
    dirs.sort();
    dirs
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed("make executable", path))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Reads what `apt-get --simulate install` would install.
fn simulated(rustc: &str, output: &str) -> Result<Plan, String> {
    let mut packages = Vec::new();
    let mut version = None;
    for line in output.lines().filter_map(|line| line.strip_prefix("Inst ")) {
        let mut words = line.split_whitespace();
        // `Inst NAME (VERSION ...)`; an upgrade has `[OLD]` in between, and what is installed is good enough.
        let (Some(name), Some(offered)) =
            (words.next(), words.next().and_then(|word| word.strip_prefix('(')))
        else {
            continue;
        };
        if name == rustc {
            version = offered.parse::<Version>().ok();
        }
        packages.push(format!("{name}={offered}"));
    }
    let Some(found) = version else { return Err(format!("{rustc} is not offered")) };
    if found < Version::oldest_supported() {
        return Err(format!("{rustc} {found} is too old"));
    }
    Ok(Plan { packages, rustc: found })
}

/// Adds up the sizes in `apt-get --print-uris download`: `'URI' FILE BYTES HASH`.
fn download_size(uris: &str) -> String {
    let bytes: u64 =
        uris.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok()).sum();
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// Reduces a dpkg status to what is there, less the packages of which we want a copy of our own.
///
/// What the installed packages depend on is left out, or apt would first repair those that use the missing ones.
fn without_own_copies(status: &str) -> String {
    let name =
        |stanza: &str| stanza.lines().find_map(|line| line.strip_prefix("Package: ")).map(str::to_owned);
    let is_own = |stanza: &&str| {
        name(stanza).is_none_or(|name| OWN_COPY.iter().any(|prefix| name.starts_with(prefix)))
    };
    let is_kept = |line: &&str| KEPT_FIELDS.iter().any(|field| line.starts_with(field));
    let stanzas = status.split("\n\n").filter(|stanza| !is_own(stanza));
    stanzas.map(|stanza| stanza.lines().filter(is_kept).collect::<Vec<_>>().join("\n") + "\n\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULATION: &str = "NOTE: This is only a simulation!\n\
        Inst libllvm22 (1:22.1.8-1 Debian-Security:12/stable [amd64])\n\
        Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])\n\
        Inst rustc-web (1.96.0+dfsg1-1~deb12u2 Debian-Security:12/stable [amd64])\n\
        Conf rustc-web (1.96.0+dfsg1-1~deb12u2 Debian-Security:12/stable [amd64])\n";

    #[test]
    fn a_simulation_lists_what_is_new_and_leaves_upgrades_alone() {
        let plan = simulated("rustc-web", SIMULATION).expect("offered");
        assert_eq!(plan.packages, ["libllvm22=1:22.1.8-1", "rustc-web=1.96.0+dfsg1-1~deb12u2"]);
        assert_eq!(plan.rustc.to_string(), "1.96.0");
    }

    #[test]
    fn a_compiler_that_is_too_old_or_absent_is_refused() {
        let old = SIMULATION.replace("1.96.0", "1.63.0");
        assert_eq!(simulated("rustc-web", &old), Err("rustc-web 1.63.0 is too old".to_owned()));
        assert_eq!(simulated("rustc", SIMULATION), Err("rustc is not offered".to_owned()));
    }

    #[test]
    fn sizes_are_added_up_in_round_megabytes() {
        let uris =
            "'https://a/b.deb' b.deb 29378692 SHA256:00\n'https://a/c.deb' c.deb 4450500 SHA256:00\nW: x\n";
        assert_eq!(download_size(uris), "34 MB");
    }

    #[test]
    fn compilers_that_the_machine_has_are_copied_all_the_same() {
        let status = "Package: libc6\nDepends: libgcc-s1\nVersion: 1\n\nPackage: rustc-web\nVersion: 2\n\n\
                      Package: libgl1\nDepends: libllvm22\nVersion: 3\n\nPackage: libllvm22\nVersion: 4\n\n";
        let reduced = "Package: libc6\nVersion: 1\n\nPackage: libgl1\nVersion: 3\n\n";
        assert_eq!(without_own_copies(status), reduced);
        assert_eq!(without_own_copies(""), "");
    }

    #[test]
    fn a_wrapper_shows_the_program_its_own_libraries_from_any_place() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().join("a place with spaces");
        for (file, text) in [
            ("usr/lib/triple/libLLVM.so.22.1", ""),
            ("usr/lib/rustlib/etc/x.py", ""),
            ("usr/bin/rustc", "#!/bin/sh\necho \"$LD_LIBRARY_PATH $*\"\n"),
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(&path, text).expect("written");
        }
        make_executable(&root.join("usr/bin/rustc")).expect("changed");
        write_wrappers(&root).expect("written");
        let moved = root.with_file_name("moved");
        fs::rename(&root, &moved).expect("renamed");
        let mut command = Command::new(wrapper(&moved, "rustc"));
        command.env_remove("LD_LIBRARY_PATH").args(["-v", "a b"]);
        let printed = capture(&mut command).expect("runs");
        assert_eq!(printed, format!("{}/bin/../usr/lib/triple -v a b\n", moved.display()));
        assert!(!wrapper(&moved, "cargo").exists());
    }
}
