//! Maps and sets.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface collections {
                     count: func(words: list<string>) -> map<string, u32>;
                     known: func(counts: map<string, u32>, more: set<string>) -> set<string>;
                 }
                 world guest { export collections; }",
        world: "guest",
    });
}

use std::collections::{BTreeMap, BTreeSet};

use bindings::exports::interop::guest::collections::Guest;

struct Component;

impl Guest for Component {
    fn count(words: Vec<String>) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
        }
        counts
    }

    fn known(counts: BTreeMap<String, u32>, more: BTreeSet<String>) -> BTreeSet<String> {
        counts.into_keys().chain(more).collect()
    }
}

bindings::export!(Component with_types_in bindings);
