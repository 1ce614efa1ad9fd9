//! Replay: the package runs again, and its chain answers instead of the world.
//!
//! Replay is strict. Every crossing must be the next event: kind, function, arguments, result, state, order.
//! Nothing here owns a handler, so a replay cannot touch the world. The first difference ends it and is told
//! as a [`Divergence`].

mod causes;
mod divergence;
mod drive;
mod ending;
mod opening;
mod progress;
mod recording;
mod replayer;
mod script;

pub use causes::{CauseFault, Causes, check_causes};
pub use divergence::Divergence;
pub use drive::{ReplayError, ReplayOptions, Replayed, replay};
pub use progress::Progress;
pub use recording::Recording;
