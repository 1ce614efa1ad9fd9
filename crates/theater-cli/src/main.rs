//! The `theater` command line.

fn main() {}
