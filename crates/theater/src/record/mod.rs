//! Recording: every crossing becomes an event of the actor's chain before anything else sees it.

mod append;
mod cause;
mod filler;
mod recorder;
mod splice;

pub use cause::{cause_of, split_cause};
pub use splice::{Payload, UnknownForm};

pub(crate) use append::{ActorChain, Crossing};
pub(crate) use cause::CAUSE_BYTES;
pub(crate) use filler::{call_input, with_filler};
pub(crate) use recorder::{Recorder, RecorderParts, Route};
pub(crate) use splice::{Spliced, join};
