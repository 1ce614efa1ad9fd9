//! Reads a run while it is written, until it ends, its writer is gone, or a person has seen enough.
//!
//! It only reads; the writer never waits for it.

use std::path::Path;
use std::time::Duration;

use theater_chain::{Event, Follow, Followed, Run, RunStatus};

use crate::cmd::Outcome;
use crate::recorded;
use crate::ui::error::CliError;
use crate::ui::printer::Printer;
use crate::ui::text::bytes;

/// How long to wait before looking again: short against a person's patience, long against a look.
const PAUSE: Duration = Duration::from_millis(50);

/// What there is to hear of a run.
pub(crate) enum Heard {
    /// The next event.
    Event(Event),
    /// There is nothing more for now, or for good.
    Pause,
}

/// Hands over every event of a run, as it comes, until `hear` says that it is enough.
pub(crate) fn follow(
    dir: &Path,
    printer: Printer,
    mut hear: impl FnMut(Heard) -> Result<bool, CliError>,
) -> Result<Outcome, CliError> {
    if dir.is_file() {
        return follow_bundle(dir, hear);
    }
    let unreadable = |error| recorded::unreadable(dir, error);
    let mut follow = Follow::open(dir).map_err(unreadable)?;
    // Signals are left to the system: a follower that waits for a stalled reader must still be told to end.
    loop {
        let followed = match follow.poll() {
            Ok(followed) => followed,
            Err(error) => {
                hear(Heard::Pause)?;
                return Err(unreadable(error));
            }
        };
        match followed {
            Followed::Events(events) => {
                for event in events {
                    if !hear(Heard::Event(event))? {
                        return Ok(Outcome::Fine);
                    }
                }
            }
            Followed::Waiting => {
                hear(Heard::Pause)?;
                wait();
            }
            Followed::Closed => {
                hear(Heard::Pause)?;
                return Ok(Outcome::Fine);
            }
            Followed::Abandoned { torn_bytes } => {
                hear(Heard::Pause)?;
                return Ok(abandoned(torn_bytes, printer));
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the writer knows nothing of its readers, so that it waits for none, and tells none that there is more"
)]
fn wait() {
    std::thread::sleep(PAUSE);
}

/// Says that a run has no end, and why nothing more will come.
fn abandoned(torn_bytes: u64, printer: Printer) -> Outcome {
    let torn = match torn_bytes {
        0 => String::new(),
        torn => format!("; the last {} are no whole batch", bytes(torn)),
    };
    printer.warn(format_args!("the run ended without its end: nobody writes it any more{torn}"));
    Outcome::Failed
}

/// A bundle does not grow: all of it is there.
fn follow_bundle(
    path: &Path,
    mut hear: impl FnMut(Heard) -> Result<bool, CliError>,
) -> Result<Outcome, CliError> {
    let run: Run = recorded::open(path)?;
    for event in run.all_events() {
        let event = event.map_err(|error| recorded::unreadable(path, error))?;
        if !hear(Heard::Event(event))? {
            return Ok(Outcome::Fine);
        }
    }
    hear(Heard::Pause)?;
    Ok(if run.status() == RunStatus::Closed { Outcome::Fine } else { Outcome::Failed })
}
