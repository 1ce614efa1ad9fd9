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

/// Forgets the most memory that this process has held so far; false where the system has no such thing.
pub(crate) fn forget_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// Returns the most memory that this process has held since, in KiB, where the system says so.
pub(crate) fn peak_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
