//! Guests built on the machine that the tests run on. Without a toolchain, and a way to get one, these tests fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use wasm_toolchain::{
    BuildError, GuestBuild, InstallPolicy, Machine, Profile, Quiet, Toolchain, WriteProgress,
};

use crate::fake::write;

/// Set up once, where every other program of this user finds it.
fn toolchain() -> &'static Toolchain {
    static TOOLCHAIN: OnceLock<Toolchain> = OnceLock::new();
    TOOLCHAIN.get_or_init(|| {
        let home = wasm_toolchain::default_home().expect("a home directory");
        let mut progress = WriteProgress(std::io::stderr());
        wasm_toolchain::find_or_install(&home, InstallPolicy::from_env(), &mut progress)
            .expect("a toolchain for guests is here or can be set up")
    })
}

const NO_STD: &str = r#"#![no_std]
extern crate alloc;

struct Bump;
unsafe impl core::alloc::GlobalAlloc for Bump {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 { core::ptr::null_mut() }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { core::arch::wasm32::unreachable() }

#[unsafe(no_mangle)]
pub extern "C" fn length(count: u32) -> usize { alloc::vec![1_u8; count as usize].len() }
"#;

const STD: &str = r#"use std::collections::{BTreeMap, HashMap};

#[unsafe(no_mangle)]
pub extern "C" fn length(count: u32) -> usize {
    let names: BTreeMap<u32, String> = (0..count).map(|n| (n, format!("{n:x}"))).collect();
    let lengths: HashMap<&str, usize> = names.values().map(|name| (name.as_str(), name.len())).collect();
    lengths.values().sum()
}
"#;

fn guest(source: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    package(
        dir.path(),
        "guest",
        "[lib]\ncrate-type = [\"cdylib\"]\n\n[profile.release]\nlto = true\npanic = \"abort\"\n\n[workspace]\n",
    );
    write(&dir.path().join("src/lib.rs"), source);
    dir
}

fn package(dir: &Path, name: &str, rest: &str) {
    write(&dir.join("Cargo.toml"), &format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n{rest}"));
}

fn is_wasm(path: &PathBuf) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\0asm"))
}

fn offline(dir: &Path) -> GuestBuild {
    GuestBuild { offline: true, ..GuestBuild::new(dir) }
}

#[test]
fn guests_with_and_without_std_are_built_with_link_time_optimisation() {
    for source in [NO_STD, STD] {
        let dir = guest(source);
        let artifacts = toolchain().build(&offline(dir.path()), &mut Quiet).expect("built");
        assert_eq!(artifacts.len(), 1);
        assert_eq!(artifacts[0].package, "guest");
        assert!(is_wasm(&artifacts[0].path));
    }
}

#[test]
fn a_guest_is_the_same_wherever_it_is_built_and_tells_no_path_of_the_machine() {
    let built = |below: &str| {
        let dir = tempfile::tempdir().expect("a directory");
        let (actor, beside) = (dir.path().join(below).join("actor"), dir.path().join(below).join("beside"));
        let lib = "[lib]\ncrate-type = [\"cdylib\"]\n\n[profile.release]\npanic = \"abort\"\n\n[workspace]\n";
        package(&actor, "guest", &format!("[dependencies]\nbeside = {{ path = \"../beside\" }}\n\n{lib}"));
        package(&beside, "beside", "");
        let place =
            "#[inline(never)]\npub fn place() -> &'static str { core::panic::Location::caller().file() }\n";
        write(&beside.join("src/lib.rs"), place);
        write(
            &actor.join("src/lib.rs"),
            "#[unsafe(no_mangle)]\npub extern \"C\" fn place() -> *const u8 { beside::place().as_ptr() }\n",
        );
        let artifacts = toolchain().build(&offline(&actor), &mut Quiet).expect("built");
        fs::read(&artifacts[0].path).expect("readable")
    };
    let (here, there) = (built("here"), built("some/where/else"));
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&here, "../beside/src/lib.rs"));
    assert!(!holds(&there, "some/where"));
    assert!(here == there, "the same bytes");
}

#[cfg(unix)]
#[test]
fn a_guest_that_is_built_again_is_there_all_the_time() {
    use std::os::unix::fs::MetadataExt as _;

    let dir = guest(NO_STD);
    let built = || {
        let artifacts = toolchain().build(&offline(dir.path()), &mut Quiet).expect("built");
        let place = fs::metadata(&artifacts[0].path).expect("it is there").ino();
        (place, artifacts[0].path.clone())
    };
    let (first, path) = built();
    let own = path.parent().expect("a folder").join("deps").join(path.file_name().expect("a name"));
    assert_eq!(fs::metadata(own).expect("it is there").ino(), first, "cargo finds what it looks for");
    assert_eq!(built().0, first, "nothing was put in its place");
}

#[test]
fn neither_the_environment_nor_a_toolchain_file_disturbs_a_build() {
    let dir = guest(NO_STD);
    write(&dir.path().join("rust-toolchain.toml"), "[toolchain]\nchannel = \"nightly-2016-01-01\"\n");
    let mut machine = Machine::host();
    for (name, value) in [
        ("RUSTFLAGS", "--no-such-flag"),
        ("CARGO_ENCODED_RUSTFLAGS", "--no-such-flag"),
        ("RUSTC", "/nonexistent"),
        ("RUSTC_WRAPPER", "/nonexistent"),
        ("CARGO_BUILD_TARGET", "no-such-target"),
        ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "/nonexistent"),
        ("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--no-such-flag"),
        ("RUSTUP_TOOLCHAIN", "nightly-2016-01-01"),
        ("CARGO_MANIFEST_DIR", "/nonexistent"),
    ] {
        machine = machine.with_env(name, value);
    }
    let artifacts = toolchain().build_on(&machine, &offline(dir.path()), &mut Quiet).expect("built");
    assert!(artifacts[0].path.starts_with(dir.path().canonicalize().expect("exists")), "{artifacts:?}");
}

#[test]
fn flags_of_the_guests_own_configuration_count() {
    let dir = guest(NO_STD);
    let config = "[target.wasm32-unknown-unknown]\nrustflags = [\"--no-such-flag\"]\n";
    write(&dir.path().join(".cargo/config.toml"), config);
    let error = toolchain().build(&offline(dir.path()), &mut Quiet).expect_err("the flag is refused");
    assert!(matches!(error, BuildError::Compile { .. }), "{error}");
}

#[test]
fn a_relative_target_folder_is_relative_to_the_caller() {
    let dir = guest(NO_STD);
    let elsewhere = tempfile::tempdir_in(".").expect("a directory");
    let target = elsewhere.path().file_name().map(PathBuf::from).expect("a name");
    let build = GuestBuild { target_dir: Some(target), profile: Profile::Dev, ..offline(dir.path()) };
    let artifacts = toolchain().build(&build, &mut Quiet).expect("built");
    assert!(artifacts[0].path.starts_with(elsewhere.path().canonicalize().expect("exists")), "{artifacts:?}");
    assert!(artifacts[0].path.to_string_lossy().contains("/debug/"));
}

#[test]
fn a_workspace_builds_its_guests_and_leaves_the_rest() {
    let dir = tempfile::tempdir().expect("a directory");
    write(
        &dir.path().join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\", \"host\"]\n",
    );
    for name in ["b", "a"] {
        package(&dir.path().join(name), name, "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n");
        write(&dir.path().join(name).join("src/lib.rs"), STD);
    }
    package(&dir.path().join("host"), "host", "");
    write(&dir.path().join("host/src/main.rs"), "compile_error!(\"not for wasm\");");
    let names = |build: &GuestBuild| {
        let artifacts = toolchain().build(build, &mut Quiet).expect("built");
        artifacts.into_iter().map(|artifact| artifact.package).collect::<Vec<_>>()
    };
    assert_eq!(names(&offline(dir.path())), ["a", "b"]);
    assert_eq!(names(&offline(&dir.path().join("b"))), ["b"]);
    assert_eq!(names(&GuestBuild { package: Some("a".to_owned()), ..offline(dir.path()) }), ["a"]);
    let unknown = GuestBuild { package: Some("c".to_owned()), ..offline(dir.path()) };
    let error = toolchain().build(&unknown, &mut Quiet).expect_err("there is no c");
    assert!(error.to_string().contains("it has: a, b, host"), "{error}");
}

#[test]
fn a_library_that_cannot_become_wasm_is_explained_before_it_is_compiled() {
    let dir = tempfile::tempdir().expect("a directory");
    package(dir.path(), "plain", "[workspace]\n");
    write(&dir.path().join("src/lib.rs"), "compile_error!(\"never compiled\");");
    let error = toolchain().build(&offline(dir.path()), &mut Quiet).expect_err("no cdylib");
    assert!(matches!(error, BuildError::NotACdylib { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("crate-type = [\"cdylib\"]")));
}

#[test]
fn the_compilers_own_words_reach_the_person() {
    let dir = guest("pub fn broken() -> u32 { \"text\" }\n");
    let mut seen = Vec::new();
    let mut progress = WriteProgress(&mut seen);
    let error = toolchain().build(&offline(dir.path()), &mut progress).expect_err("wrong type");
    assert!(matches!(error, BuildError::Compile { .. }), "{error}");
    let seen = String::from_utf8(seen).expect("text");
    assert!(seen.contains("mismatched types") && seen.contains("src/lib.rs:1"), "{seen}");
}

#[test]
fn forgotten_parts_of_a_no_std_guest_are_explained() {
    let dir = guest("#![no_std]\n#[unsafe(no_mangle)]\npub extern \"C\" fn one() -> u32 { 1 }\n");
    let error = toolchain().build(&offline(dir.path()), &mut Quiet).expect_err("no panic handler");
    assert!(error.hint().is_some_and(|hint| hint.contains("panic handler")), "{error}: {:?}", error.hint());
}

#[test]
fn a_guest_for_another_host_is_refused() {
    for (module, word) in [("wasi_snapshot_preview1", "WASI"), ("__wbindgen_placeholder__", "browser")] {
        let dir = guest(&format!(
            "#[link(wasm_import_module = \"{module}\")]\nunsafe extern \"C\" {{ fn foreign() -> u32; }}\n\
             #[unsafe(no_mangle)]\npub extern \"C\" fn call() -> u32 {{ unsafe {{ foreign() }} }}\n"
        ));
        let error = toolchain().build(&offline(dir.path()), &mut Quiet).expect_err("foreign import");
        assert!(error.to_string().contains(module), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(word)), "{:?}", error.hint());
    }
}
