//! Imports without, with one and with several parameters, with large answers and with a `result`.

mod bindings {
    theater_guest::generate!({ path: "wit", world: "imports-world" });
}

use bindings::exports::interop::guest::imports::Guest;
use bindings::interop::host::services::{blob, check, double, join, now};

struct Component;

impl Guest for Component {
    fn ask_now() -> u64 {
        now() + 1
    }

    fn ask_double(n: i64) -> i64 {
        double(double(n))
    }

    fn ask_join(a: String, b: String) -> String {
        join(&a, &b, 3)
    }

    fn ask_blob(bytes: u32) -> u64 {
        blob(bytes).iter().map(|byte| u64::from(*byte)).sum()
    }

    fn ask_check(n: i64) -> Result<i64, String> {
        check(n)
    }
}

bindings::export!(Component with_types_in bindings);
