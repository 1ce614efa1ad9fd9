//! `cargo xtask`: the checks and chores of this repository.

fn main() {}
