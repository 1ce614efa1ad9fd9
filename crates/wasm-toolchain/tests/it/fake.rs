//! A machine made of shell scripts: what each command does is chosen, what was called is counted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wasm_toolchain::{Machine, Setup};

pub(crate) struct Fake {
    dir: TempDir,
}

impl Fake {
    /// A rustup toolchain without the target; rustup and apt-get have no network.
    pub(crate) fn new() -> Self {
        let fake = Self { dir: tempfile::tempdir().expect("a directory") };
        fake.compiler("99.1.0");
        fake.script("toolchains/fake/bin/cargo", "exit 1");
        fake.script("toolchains/fake/lib/rustlib/fake-host/bin/rust-lld", "exit 0");
        fake.script("bin/rustup", "echo 'error: could not download' >&2; exit 1");
        fake.script("bin/apt-get", "echo 'E: no network' >&2; exit 100");
        fake.script("bin/cc", "exit 1");
        fake
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The sysroot of the compiler, laid out as rustup does.
    pub(crate) fn sysroot(&self) -> PathBuf {
        self.path("toolchains/fake")
    }

    /// Writes a command; its calls are counted.
    pub(crate) fn script(&self, below: &str, body: &str) {
        let path = self.path(below);
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let log = self.path("log");
        let text = format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{body}\n", log.display());
        write(&path, &text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("changed");
    }

    /// Writes the compiler with this release.
    pub(crate) fn compiler(&self, release: &str) {
        for below in ["bin/rustc", "toolchains/fake/bin/rustc"] {
            self.script(below, &rustc(release, &self.sysroot().display().to_string()));
        }
    }

    /// Puts a compiled library where the compiler expects it.
    pub(crate) fn add_target(&self) {
        add_library(&self.libdir());
    }

    pub(crate) fn libdir(&self) -> PathBuf {
        self.sysroot().join("lib/rustlib/wasm32-unknown-unknown/lib")
    }

    /// A rustup that does what it is asked.
    pub(crate) fn rustup_works(&self) {
        let body = format!("{}\nsleep 0.05", make_library(&self.libdir().display().to_string()));
        self.script("bin/rustup", &body);
    }

    /// Sources of the library beside the compiler, and a cargo that builds them.
    pub(crate) fn sources_work(&self) {
        write(&self.sysroot().join("lib/rustlib/src/rust/library/std/Cargo.toml"), "[package]\n");
        self.script("toolchains/fake/bin/cargo", &make_library("target/wasm32-unknown-unknown/release/deps"));
    }

    /// Packages that hold a compiler like the other one, and a library for it.
    pub(crate) fn packages_work(&self) {
        let payload = self.path("payload");
        write(&payload.join("usr/bin/rustc"), &rustc("99.2.0", "$(dirname \"$0\")/.."));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(payload.join("usr/bin/rustc"), executable).expect("changed");
        write(&payload.join("usr/lib/triple/librustc_driver.so"), "driver");
        write(&payload.join("usr/share/doc/rustc/README"), "not unpacked");
        add_library(&payload.join("usr/lib/rustlib/wasm32-unknown-unknown/lib"));
        self.script(
            "bin/apt-get",
            "case \"$*\" in\n\
             *simulate*) echo 'Inst rustc (99.2.0+x Fake [amd64])';;\n\
             *print-uris*) echo \"'https://fake' rustc.deb 1000000 SHA256:0\";;\n\
             *download*) touch rustc.deb;;\n\
             esac",
        );
        self.script("bin/dpkg-deb", &format!("exec tar -c -C '{}' .", payload.display()));
    }

    pub(crate) fn setup(&self) -> Setup {
        self.setup_in(&self.home())
    }

    pub(crate) fn setup_in(&self, home: &Path) -> Setup {
        let path = vec![self.path("bin"), "/usr/bin".into(), "/bin".into()];
        let machine = Machine::host()
            .with_path(path)
            .with_compilers(vec![self.path("bin/rustc")])
            .with_env("HOME", self.path(""))
            .with_env("RUSTUP_HOME", self.path("no-rustup"));
        Setup::on(home, machine)
    }

    /// How often a command was called with a text among its arguments.
    pub(crate) fn calls(&self, name: &str, argument: &str) -> usize {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().filter(|line| line.starts_with(&format!("{name} ")) && line.contains(argument)).count()
    }

    pub(crate) fn forget_calls(&self) {
        fs::write(self.path("log"), "").expect("written");
    }

    pub(crate) fn all_calls(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

fn rustc(release: &str, sysroot: &str) -> String {
    format!(
        "#!/bin/sh\nsysroot={sysroot}\ncase \"$*\" in\n\
         -vV) printf 'rustc {release}\\nrelease: {release}\\nhost: fake-host\\ncommit-hash: 0123456789abcdef\\n';;\n\
         *sysroot*) printf '%s\\n' \"$sysroot\" \"$sysroot/lib/rustlib/wasm32-unknown-unknown/lib\";;\n\
         esac\n"
    )
}

fn make_library(dir: &str) -> String {
    format!("mkdir -p '{dir}' && echo core > '{dir}/libcore-1.rlib' && echo std > '{dir}/libstd-1.rlib'")
}

fn add_library(dir: &Path) {
    write(&dir.join("libcore-1.rlib"), "core");
    write(&dir.join("libstd-1.rlib"), "std");
}

pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    fs::write(path, text).expect("written");
}
