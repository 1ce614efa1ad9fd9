//! Imports without, with one and with several parameters, with large answers and with a `result`.

#![no_std]
extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use packr_guest::{export, import};

packr_guest::setup_guest!();

packr_guest::pack_types! {
    imports {
        interop:host/services {
            now: func() -> u64,
            double: func(n: s64) -> s64,
            join: func(a: string, b: string, times: u32) -> string,
            blob: func(bytes: u32) -> list<u8>,
            check: func(n: s64) -> result<s64, string>,
        }
    }
    exports {
        interop:guest/imports {
            ask-now: func() -> u64,
            ask-double: func(n: s64) -> s64,
            ask-join: func(a: string, b: string) -> string,
            ask-blob: func(bytes: u32) -> u64,
            ask-check: func(n: s64) -> result<s64, string>,
        }
    }
}

#[import(module = "interop:host/services", name = "now")]
fn now() -> u64;

#[import(module = "interop:host/services", name = "double")]
fn double(n: i64) -> i64;

#[import(module = "interop:host/services", name = "join")]
fn join(a: String, b: String, times: u32) -> String;

#[import(module = "interop:host/services", name = "blob")]
fn blob(bytes: u32) -> Vec<u8>;

#[import(module = "interop:host/services", name = "check")]
fn check(n: i64) -> Result<i64, String>;

#[export(name = "interop:guest/imports.ask-now")]
fn ask_now() -> u64 {
    now() + 1
}

#[export(name = "interop:guest/imports.ask-double")]
fn ask_double(n: i64) -> i64 {
    double(double(n))
}

#[export(name = "interop:guest/imports.ask-join")]
fn ask_join(a: String, b: String) -> String {
    join(a, b, 3)
}

#[export(name = "interop:guest/imports.ask-blob")]
fn ask_blob(bytes: u32) -> u64 {
    blob(bytes).iter().map(|byte| u64::from(*byte)).sum()
}

#[export(name = "interop:guest/imports.ask-check")]
fn ask_check(n: i64) -> Result<i64, String> {
    check(n)
}
