//! Which candidate is taken, what is tried when none is there, and what is remembered.

use std::fs;
use std::sync::{Arc, Barrier};

use wasm_toolchain::{
    Candidate, CandidateState, InstallPolicy, KitError, Origin, Progress, Quiet, ToolchainError,
};

use crate::fake::Fake;

#[test]
fn a_compiler_with_the_target_is_used_as_it_is() {
    let fake = Fake::new();
    fake.add_target();
    let toolchain = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("found");
    assert_eq!(toolchain.origin(), Origin::Compiler);
    assert_eq!(toolchain.rustc(), fake.sysroot().join("bin/rustc"));
    assert_eq!(toolchain.cargo(), fake.sysroot().join("bin/cargo"));
    assert_eq!((fake.calls("rustup", ""), fake.calls("apt-get", "")), (0, 0));
}

#[test]
fn finding_it_again_runs_no_command() {
    let fake = Fake::new();
    fake.add_target();
    let first = fake.setup().find(&mut Quiet).expect("found");
    fake.forget_calls();
    assert_eq!(fake.setup().find(&mut Quiet).expect("remembered"), first);
    assert_eq!(fake.all_calls(), "");
}

#[test]
fn a_target_that_was_removed_is_noticed() {
    let fake = Fake::new();
    fake.add_target();
    fake.setup().find(&mut Quiet).expect("found");
    fs::remove_dir_all(fake.libdir()).expect("deleted");
    let error = fake.setup().find(&mut Quiet).expect_err("gone");
    assert!(matches!(error, ToolchainError::NotFound { .. }), "{error}");
}

#[test]
fn a_target_that_a_person_adds_later_is_preferred_to_what_was_set_up() {
    let fake = Fake::new();
    fake.packages_work();
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    fake.add_target();
    assert_eq!(fake.setup().find(&mut Quiet).expect("found").origin(), Origin::Compiler);
}

#[test]
fn an_updated_compiler_is_asked_again() {
    let fake = Fake::new();
    fake.add_target();
    fake.setup().find(&mut Quiet).expect("found");
    fake.compiler("100.0.0");
    assert_eq!(fake.setup().find(&mut Quiet).expect("found").version().to_string(), "100.0.0");
}

#[test]
fn rustup_is_asked_first_when_the_target_is_missing() {
    let fake = Fake::new();
    fake.rustup_works();
    fake.sources_work();
    fake.packages_work();
    let toolchain = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert_eq!(toolchain.origin(), Origin::Compiler);
    assert_eq!(fake.calls("rustup", "target add --toolchain fake wasm32-unknown-unknown"), 1);
    assert_eq!((fake.calls("cargo", "build"), fake.calls("apt-get", "")), (0, 0));
}

#[test]
fn the_library_is_built_from_sources_when_rustup_fails() {
    let fake = Fake::new();
    fake.sources_work();
    fake.packages_work();
    let toolchain = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert_eq!(toolchain.origin(), Origin::Sources);
    assert!(toolchain.library_dir().starts_with(fake.home()));
    let command = toolchain.cargo_command();
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    assert_eq!(arguments[0], "--config");
    assert!(
        arguments[1].starts_with("target.wasm32-unknown-unknown.rustflags=[\"--sysroot="),
        "{arguments:?}"
    );
    assert_eq!(
        (fake.calls("rustup", ""), fake.calls("cargo", "-Zbuild-std=std"), fake.calls("apt-get", "")),
        (1, 1, 0)
    );
}

#[test]
fn a_library_built_for_another_build_of_the_compiler_is_not_used() {
    let fake = Fake::new();
    fake.sources_work();
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    fake.compiler("100.0.0");
    let error = fake.setup().find(&mut Quiet).expect_err("the library is of 99.1.0");
    assert!(matches!(error, ToolchainError::NotFound { .. }), "{error}");
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("built again");
    assert_eq!(fake.calls("cargo", "-Zbuild-std=std"), 2);
}

#[test]
fn packages_are_unpacked_privately_when_nothing_else_is_there() {
    let fake = Fake::new();
    fake.packages_work();
    let mut said = Vec::new();
    let mut progress = wasm_toolchain::WriteProgress(&mut said);
    let toolchain = fake.setup().find_or_install(InstallPolicy::Install, &mut progress).expect("set up");
    assert_eq!((toolchain.origin(), toolchain.version().to_string().as_str()), (Origin::Private, "99.2.0"));
    let root = fake.home().join("toolchain/private-99.2.0");
    assert_eq!(toolchain.rustc(), root.join("bin/rustc"));
    assert!(!root.join("usr/share").exists() && !fake.home().join("toolchain/partial").exists());
    let said = String::from_utf8(said).expect("text");
    assert!(said.contains("(1 MB)") && said.contains("THEATER_NO_INSTALL=1"), "{said}");
}

#[test]
fn stale_package_lists_are_replaced_by_lists_of_our_own() {
    let fake = Fake::new();
    fake.packages_work();
    let works = fs::read_to_string(fake.path("bin/apt-get")).expect("readable");
    let works = works.lines().skip(2).collect::<Vec<_>>().join("\n");
    // The system's lists name a version that is gone; with lists of our own the download works.
    let fails = "case \"$*\" in *Dir::State::Lists*) ;; *--print-uris*) ;; *download*) echo 'E: 404' >&2; exit 100;; esac";
    fake.script("bin/apt-get", &format!("{fails}\n{works}"));
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert_eq!(fake.calls("apt-get", "update"), 1);
}

#[test]
fn a_damaged_private_toolchain_is_made_anew() {
    let fake = Fake::new();
    fake.packages_work();
    let toolchain = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    fs::remove_file(toolchain.library_dir().join("libstd-1.rlib")).expect("deleted");
    fake.setup().find(&mut Quiet).expect_err("damaged");
    let again = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up again");
    assert!(again.library_dir().join("libstd-1.rlib").exists());
}

#[test]
fn an_interrupted_set_up_is_not_taken_for_a_finished_one() {
    let fake = Fake::new();
    fake.packages_work();
    let root = fake.home().join("toolchain/private-99.2.0");
    crate::fake::write(&root.join("bin/rustc"), "#!/bin/sh\n");
    crate::fake::write(&fake.home().join("toolchain/partial/root/half"), "half");
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert!(root.join("contents.json").exists() && !root.join("half").exists());
}

#[test]
fn nothing_is_installed_where_that_is_forbidden() {
    let fake = Fake::new();
    fake.rustup_works();
    fake.sources_work();
    fake.packages_work();
    let error = fake.setup().find_or_install(InstallPolicy::Never, &mut Quiet).expect_err("forbidden");
    assert!(matches!(error, ToolchainError::NotFound { .. }), "{error}");
    assert!(
        error.hint().contains("rustup target add --toolchain fake wasm32-unknown-unknown"),
        "{}",
        error.hint()
    );
    assert_eq!((fake.calls("rustup", ""), fake.calls("cargo", ""), fake.calls("apt-get", "")), (0, 0, 0));
    assert!(!fake.home().exists());
}

#[test]
fn when_everything_fails_every_attempt_and_its_reason_is_named() {
    let fake = Fake::new();
    let error = fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect_err("no network");
    let ToolchainError::NotInstalled { attempts } = &error else { panic!("{error}") };
    let tried: Vec<&Candidate> = attempts.iter().map(|attempt| &attempt.candidate).collect();
    assert_eq!(tried, [&Candidate::Rustup, &Candidate::Private]);
    let text = error.to_string();
    assert!(text.contains("could not download") && text.contains("no network"), "{text}");
    assert!(!error.hint().is_empty());
}

#[test]
fn a_compiler_older_than_the_sdk_is_refused_though_it_has_the_target() {
    let fake = Fake::new();
    fake.compiler("1.63.0");
    fake.add_target();
    let error = fake.setup().find(&mut Quiet).expect_err("too old");
    assert!(error.to_string().contains("rustc 1.63.0 is older than"), "{error}");
}

#[test]
fn two_processes_at_once_set_it_up_once() {
    let fake = Arc::new(Fake::new());
    fake.rustup_works();
    let together = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (fake, together) = (Arc::clone(&fake), Arc::clone(&together));
            std::thread::spawn(move || {
                let setup = fake.setup();
                together.wait();
                setup.find_or_install(InstallPolicy::Install, &mut Quiet)
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic").expect("set up");
    }
    assert_eq!(fake.calls("rustup", "target add"), 1);
}

#[test]
fn the_doctor_sees_every_candidate_and_what_to_do() {
    let fake = Fake::new();
    fake.sources_work();
    let reports = fake.setup().candidates();
    let states: Vec<(String, &CandidateState)> =
        reports.iter().map(|report| (report.candidate.to_string(), &report.state)).collect();
    let rustc = fake.sysroot().join("bin/rustc").display().to_string();
    assert_eq!(
        states,
        [
            (format!("compiler {rustc}"), &CandidateState::Unavailable),
            ("rustup".to_owned(), &CandidateState::Possible),
            (format!("library sources of {rustc}"), &CandidateState::Possible),
            ("private toolchain".to_owned(), &CandidateState::Possible),
        ]
    );
    assert!(reports.iter().skip(1).all(|report| report.advice.is_some()));
    fake.add_target();
    assert!(matches!(fake.setup().candidates()[0].state, CandidateState::Ready(_)));
}

#[test]
fn removal_leaves_a_machine_as_it_was_before() {
    let fake = Fake::new();
    fake.packages_work();
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert!(fake.setup().installed().iter().all(|installed| installed.is_complete));
    let freed = fake.setup().remove(&mut Quiet).expect("removed");
    assert!(freed > 0);
    assert_eq!(fake.setup().installed(), []);
    fake.setup().find(&mut Quiet).expect_err("gone");
}

#[test]
fn a_relative_home_serves_builds_in_other_folders() {
    let fake = Fake::new();
    fake.packages_work();
    let home = tempfile::tempdir_in(".").expect("a directory");
    let relative = home.path().file_name().expect("a name");
    let setup = fake.setup_in(relative.as_ref());
    let toolchain = setup.find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    assert!(toolchain.rustc().is_absolute() && toolchain.library_dir().is_absolute());
}

#[test]
fn a_kit_brings_a_private_toolchain_to_a_machine_without_a_network() {
    let (here, there) = (Fake::new(), Fake::new());
    here.packages_work();
    here.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    let kit = here.path("kit.tar.gz");
    here.setup().export_kit(&kit).expect("written");
    there.setup().import_kit(&kit, &mut Quiet).expect("unpacked");
    let toolchain = there.setup().find(&mut Quiet).expect("found");
    assert_eq!(toolchain.origin(), Origin::Private);
    assert!(toolchain.rustc().starts_with(there.home()));
    assert_eq!((there.calls("rustup", ""), there.calls("apt-get", "")), (0, 0));
}

#[test]
fn a_file_that_is_no_kit_or_half_of_one_changes_nothing() {
    let fake = Fake::new();
    assert!(matches!(fake.setup().export_kit(&fake.path("kit.tar")), Err(KitError::NoPrivate { .. })));
    fake.packages_work();
    fake.setup().find_or_install(InstallPolicy::Install, &mut Quiet).expect("set up");
    let kit = fake.path("kit.tar");
    fake.setup().export_kit(&kit).expect("written");
    let whole = fs::read(&kit).expect("readable");
    let there = Fake::new();
    for part in [&b"no archive"[..], &whole[..whole.len() / 3], &[]] {
        fs::write(&kit, part).expect("written");
        there.setup().import_kit(&kit, &mut Quiet).expect_err("not a kit");
        assert_eq!(there.setup().installed(), []);
    }
}

#[test]
fn each_step_is_announced_before_it_is_taken() {
    struct Order<'a>(&'a Fake, Vec<(String, usize)>);
    impl Progress for Order<'_> {
        fn step(&mut self, text: &str) {
            self.1.push((text.to_owned(), self.0.calls("rustup", "")));
        }
        fn line(&mut self, _text: &str) {}
    }
    let fake = Fake::new();
    fake.rustup_works();
    let mut order = Order(&fake, Vec::new());
    fake.setup().find_or_install(InstallPolicy::Install, &mut order).expect("set up");
    let announced = order.1.iter().find(|(text, _)| text.contains("rustup target add")).expect("announced");
    assert_eq!(announced.1, 0);
}
