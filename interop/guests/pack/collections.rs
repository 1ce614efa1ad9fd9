//! Maps and sets.

#![no_std]
extern crate alloc;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use packr_guest::export;

packr_guest::setup_guest!();

#[export(name = "interop:guest/collections.count")]
fn count(words: Vec<String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

#[export(name = "interop:guest/collections.known")]
fn known(counts: BTreeMap<String, u32>, more: BTreeSet<String>) -> BTreeSet<String> {
    counts.into_keys().chain(more).collect()
}
