//! Benchmarks beside their baselines.

fn main() {}
