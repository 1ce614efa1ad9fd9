//! The one place that reads time.
//!
//! An actor never sees this clock: what it learns of time reaches it through an event.

#![expect(clippy::disallowed_methods, reason = "this file is where time is read")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Time since the start of a run, in microseconds, monotonic.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts counting now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Returns the microseconds since the start.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Returns the wall clock in microseconds since 1970 (UTC): the host's claim, recorded once per run.
/// A clock before 1970 reads as 0.
#[must_use]
pub fn utc_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
