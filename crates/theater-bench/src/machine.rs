//! Which machine the figures belong to, as far as it says so itself.

use std::fs;
use std::sync::LazyLock;

use serde_json::{Value, json};

/// Returns processor, number of cores and kernel; what cannot be read is "unknown".
pub(crate) fn object() -> Value {
    static MACHINE: LazyLock<Value> =
        LazyLock::new(|| json!({ "cpu": cpu(), "cores": cores(), "kernel": kernel() }));
    MACHINE.clone()
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':')).map(|(_, model)| model.trim());
    model.unwrap_or("unknown").to_owned()
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if release.is_empty() { "unknown".to_owned() } else { release.trim().to_owned() }
}
