//! The mistakes that everyone makes once on wasm32-unknown-unknown, by the words in which they show.

/// A text by which a mistake is recognised, and what to do about it.
struct Mistake {
    /// All of these occur in the output.
    signs: &'static [&'static str],
    advice: &'static str,
}

const BUILD_MISTAKES: &[Mistake] = &[
    Mistake {
        signs: &["to use `uuid` on"],
        advice: "`uuid` cannot make random ids in a guest: make them from bytes of the `random` handler \
                 (`uuid::Builder::from_random_bytes`), so that they replay alike",
    },
    Mistake {
        signs: &["getrandom", "unknown-unknown", "not supported by default"],
        advice: "`getrandom` has no source of entropy in a guest. Leave out the feature or crate that needs it \
                 (`cargo tree -i getrandom --target wasm32-unknown-unknown` names it) and ask the `random` handler \
                 instead, so that the numbers are recorded and replay alike",
    },
    Mistake {
        signs: &["This wasm target is unsupported by mio"],
        advice: "a guest has no sockets: leave out tokio's `net` feature (or the HTTP client) and use a handler",
    },
    Mistake {
        signs: &["are supported on wasm"],
        advice: "a guest has no threads, sockets or files: choose tokio's features `sync`, `macros`, `io-util`, `rt`, \
                 `time` at most; most guests need no async runtime, since every call of an actor runs to its end",
    },
    Mistake {
        signs: &["failed to find tool", "clang"],
        advice: "a dependency compiles C for wasm32, which needs clang; prefer a dependency in plain Rust",
    },
    Mistake {
        signs: &["error: failed to run custom build command", "cc-rs"],
        advice: "a dependency compiles C for wasm32, which needs clang; prefer a dependency in plain Rust",
    },
    Mistake {
        signs: &["openssl-sys"],
        advice: "OpenSSL cannot be built for a guest: leave TLS to a handler",
    },
    Mistake {
        signs: &["`#[panic_handler]` function required, but not found"],
        advice: "a `no_std` guest needs a panic handler: depend on `theater-guest`, which brings one, or remove `#![no_std]`",
    },
    Mistake {
        signs: &["no global memory allocator found"],
        advice: "a `no_std` guest needs an allocator: depend on `theater-guest`, which brings one, or remove `#![no_std]`",
    },
    Mistake {
        signs: &["Can't find section .llvmbc"],
        advice: "the wasm32 library of this compiler was built without bitcode, which `lto = true` needs: \
                 set `lto = false`, or delete the `toolchain` folder in Theater's home and build again",
    },
    Mistake {
        signs: &["E0463", "target may not be installed"],
        advice: "the compiler's library for wasm32 is gone: `theater doctor --fix` sets it up again",
    },
    Mistake {
        signs: &["found crate", "compiled by an incompatible version of rustc"],
        advice: "the target folder holds the work of another compiler: `cargo clean`, then build again",
    },
    Mistake {
        signs: &["linker", "not found"],
        advice: "the wasm linker is gone: `theater doctor` shows where it was expected",
    },
    Mistake {
        signs: &["error: linking with", "undefined symbol"],
        advice: "the guest calls a C function that nothing provides: a dependency expects a C library",
    },
    Mistake {
        signs: &["requires rustc"],
        advice: "a package wants a newer compiler: update rustc, or take an older release of a dependency with \
                 `cargo update --precise VERSION`",
    },
    Mistake {
        signs: &["--offline", "no matching package"],
        advice: "a dependency is not in cargo's cache: build once without `--offline`",
    },
];

const IMPORTED_MODULES: &[Mistake] = &[
    Mistake {
        signs: &["wasi_snapshot_preview1"],
        advice: "a dependency was written for WASI; guests have no system interface, only handlers: \
                 leave out its `wasi` feature",
    },
    Mistake {
        signs: &["wasi:"],
        advice: "a dependency was written for WASI; guests have no system interface, only handlers: \
                 leave out its `wasi` feature",
    },
    Mistake {
        signs: &["__wbindgen"],
        advice: "a dependency expects a browser: leave out features named `js`, `wasmbind`, `wasm-bindgen` or `web` \
                 (`cargo tree -i wasm-bindgen --target wasm32-unknown-unknown` names it; chrono's is `wasmbind`)",
    },
    Mistake {
        signs: &["wbg"],
        advice: "the file is output of wasm-bindgen: build the guest with `theater build` alone",
    },
];

const TRAPS: &[Mistake] = &[
    Mistake {
        signs: &["time not implemented on this platform"],
        advice: "`std::time` does not work in a guest: ask the `timing` handler, so that the answer is recorded",
    },
    Mistake {
        signs: &["operation not supported on this platform"],
        advice: "files, sockets, threads and processes of `std` do not work in a guest: use a handler",
    },
    Mistake {
        signs: &["can't block", "thread"],
        advice: "a guest has one thread and cannot wait in `std`: return, and be called again by a message",
    },
    Mistake { signs: &["failed to generate unique thread ID"], advice: "a guest has one thread" },
    Mistake {
        signs: &["condvar wait not supported"],
        advice: "a guest has one thread and cannot wait for another: return, and be called again by a message",
    },
];

/// Returns advice on the output of a failed build, if the mistake is a known one.
pub(crate) fn build_hint(output: &str) -> Option<&'static str> {
    recognise(BUILD_MISTAKES, output)
}

/// Returns advice on a module that no guest of ours imports from.
pub(crate) fn import_hint(module: &str) -> Option<&'static str> {
    recognise(IMPORTED_MODULES, module)
}

/// Returns advice on a guest's panic text, if it stems from a part of `std` that wasm32-unknown-unknown lacks.
#[must_use]
pub fn trap_hint(panic_text: &str) -> Option<&'static str> {
    recognise(TRAPS, panic_text)
}

fn recognise(mistakes: &'static [Mistake], text: &str) -> Option<&'static str> {
    let is_shown = |mistake: &&Mistake| mistake.signs.iter().all(|sign| text.contains(sign));
    mistakes.iter().find(is_shown).map(|mistake| mistake.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_build_errors_are_recognised_by_their_wording() {
        for (output, word) in [
            (
                "error: the wasm*-unknown-unknown targets are not supported by default, you may need to enable the \"js\" feature.\n --> getrandom-0.2.17/src/lib.rs:346:9",
                "getrandom",
            ),
            (
                "error: The wasm32-unknown-unknown targets are not supported by default; you may need to enable the \"wasm_js\" configuration flag.\n --> getrandom-0.3.4/src/backends.rs",
                "getrandom",
            ),
            (
                "error: The wasm32/64-unknown-unknown are not supported by default; you may need to enable the \"wasm_js\" crate feature.\n --> getrandom-0.4.3/src/backends.rs",
                "getrandom",
            ),
            (
                "error: to use `uuid` on `wasm32-unknown-unknown`, specify a source of randomness using one of the `js`, `rng-getrandom`, or `rng-rand` features",
                "from_random_bytes",
            ),
            (
                "warning: zstd-sys@2.1.2: Compiler family detection failed due to error: ToolNotFound: failed to find tool \"clang\"",
                "plain Rust",
            ),
            (
                "error: rustc 1.95.0 is not supported by the following package:\n  g@0.0.0 requires rustc 1.200",
                "newer compiler",
            ),
            (
                "error: This wasm target is unsupported by mio. If using Tokio, disable the net feature.",
                "sockets",
            ),
            ("error: Only features sync,macros,io-util,rt,time are supported on wasm.", "async runtime"),
            ("error: `#[panic_handler]` function required, but not found", "panic handler"),
            ("error: no global memory allocator found but one is required", "allocator"),
            ("error: failed to get bitcode: Can't find section .llvmbc", "bitcode"),
            (
                "error[E0463]: can't find crate for `core`\n = note: the `wasm32-unknown-unknown` target may not be installed",
                "doctor",
            ),
        ] {
            let hint = build_hint(output).expect(output);
            assert!(hint.contains(word), "{output}: {hint}");
        }
    }

    #[test]
    fn an_ordinary_compile_error_gets_no_advice() {
        assert_eq!(build_hint("error[E0308]: mismatched types\n --> src/lib.rs:4:5"), None);
        assert_eq!(import_hint("theater:simple/runtime"), None);
        assert_eq!(trap_hint("index out of bounds: the len is 0 but the index is 0"), None);
    }

    #[test]
    fn what_std_cannot_do_is_explained_at_run_time() {
        assert!(
            trap_hint(
                "panicked at library/std/src/sys/time/unsupported.rs: time not implemented on this platform"
            )
            .is_some()
        );
        assert!(trap_hint("called `Result::unwrap()` on an `Err` value: Error { kind: Unsupported, message: \"operation not supported on this platform\" }").is_some());
    }
}
