//! Benchmarks: each figure beside its baseline, taken in turns in the same process.
//!
//! [`run`] measures groups and hands out one [`Figure`] after the other. A figure says what it is worth compared
//! with something that cannot be beaten or that people know: the same hashes alone, the same bytes in a plain file,
//! the engine without us, the published codec. Machines are noisy; ratios within one run are less so.

mod bare;
mod figure;
mod groups;
mod hashes;
mod machine;
mod measure;
mod stage;

pub use figure::{Figure, SCHEMA};
pub use groups::{Effort, Failure, Group, UnknownGroup, groups, run};
