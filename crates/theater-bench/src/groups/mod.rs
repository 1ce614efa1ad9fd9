//! The groups of figures, and what they are measured with.

mod call;
mod chain;
mod codec;
#[cfg(feature = "baselines")]
mod codec_peer;
mod compute;
mod idle;
mod large;
mod message;
#[cfg(feature = "actors")]
mod message_peer;
mod replay;
mod spawn;
mod start;
mod verify;

use std::fmt;
use std::io;

use pack::{Engine, EngineOptions};

use crate::figure::{Baseline, Figure, Unit};
use crate::measure::{Medians, Round, in_turns};

/// Whatever made measuring impossible.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Figures that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Values to bytes and back.
    Codec,
    /// Calls in and out of a guest, recorded and not.
    Call,
    /// What determinism costs a guest that only computes.
    Compute,
    /// From a linked package to an actor that is ready.
    Spawn,
    /// Messages between actors.
    Message,
    /// Events into the journal.
    Chain,
    /// A recorded run, verified.
    Verify,
    /// A recorded run, executed again.
    Replay,
    /// What waiting actors hold.
    Idle,
    /// From a process to its first guest instruction.
    Start,
    /// A run of ten million events; a minute and two gigabytes of disk, so only on request.
    Large,
}

impl Group {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 11] = [
        Self::Codec,
        Self::Call,
        Self::Compute,
        Self::Spawn,
        Self::Message,
        Self::Chain,
        Self::Verify,
        Self::Replay,
        Self::Idle,
        Self::Start,
        Self::Large,
    ];

    /// Returns the name, with which the names of its figures begin.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Codec => "codec",
            Self::Call => "call",
            Self::Compute => "compute",
            Self::Spawn => "spawn",
            Self::Message => "message",
            Self::Chain => "chain",
            Self::Verify => "verify",
            Self::Replay => "replay",
            Self::Idle => "idle",
            Self::Start => "start",
            Self::Large => "large",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A group that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no group `{name}`; there are {}", Group::ALL.map(Group::name).join(", "))]
pub struct UnknownGroup {
    /// What was asked for.
    pub name: String,
}

/// Returns the groups with these names; all but the large one if there are none.
///
/// # Errors
/// Fails if there is no group of one of the names.
pub fn groups(names: &[String]) -> Result<Vec<Group>, UnknownGroup> {
    if names.is_empty() {
        return Ok(Group::ALL.into_iter().filter(|group| *group != Group::Large).collect());
    }
    let find = |name: &String| {
        let known = Group::ALL.into_iter().find(|group| group.name() == name);
        known.ok_or_else(|| UnknownGroup { name: name.clone() })
    };
    names.iter().map(find).collect()
}

/// How much is done for each figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Once and little, to see that it works.
    Tiny,
    /// A second or two for each group; no baselines that need another engine or another codec.
    Quick,
    /// All there is.
    Full,
}

impl Effort {
    fn rounds(self) -> u32 {
        match self {
            Self::Tiny => 1,
            Self::Quick => 3,
            Self::Full => 7,
        }
    }

    /// Returns how many there are of something of which there are `full` at full effort.
    fn of(self, full: u32) -> u32 {
        match self {
            Self::Tiny => (full / 1000).max(4),
            Self::Quick => (full / 4).max(4),
            Self::Full => full,
        }
    }

    /// Returns how long a round of something very short should take.
    fn round_ns(self) -> f64 {
        match self {
            Self::Tiny => 0.0,
            Self::Quick | Self::Full => 10_000_000.0,
        }
    }

    /// Returns for how many instances the engine of all groups has room.
    fn instances_max(self) -> u32 {
        match self {
            Self::Tiny => 32,
            Self::Quick => 2100,
            Self::Full => 10_100,
        }
    }

    /// Says whether another engine and another codec are measured as well.
    fn has_peers(self) -> bool {
        match self {
            Self::Tiny | Self::Full => cfg!(feature = "baselines"),
            Self::Quick => false,
        }
    }
}

/// What all groups share.
struct Bench<'a> {
    effort: Effort,
    engine: Engine,
    take: &'a mut dyn FnMut(&Figure) -> io::Result<()>,
}

impl Bench<'_> {
    fn show(&mut self, figure: &Figure) -> Result<(), Failure> {
        Ok((self.take)(figure)?)
    }

    /// Measures one figure and shows it.
    fn measure(&mut self, plan: Plan<'_>) -> Result<Medians, Failure> {
        let Plan { name, unit, settings, subject, baseline } = plan;
        let (what, baseline) = match baseline {
            Some((what, round)) => (what, Some(round)),
            None => ("", None),
        };
        let medians = in_turns(self.effort.rounds(), subject, baseline)?;
        let Medians { value, baseline } = medians;
        let baseline = baseline.map(|value| Baseline { what, value });
        self.show(&Figure { name, value, unit, baseline, settings })?;
        Ok(medians)
    }
}

/// One figure before it is measured.
struct Plan<'a> {
    name: String,
    unit: Unit,
    settings: Vec<(&'static str, String)>,
    subject: Round<'a>,
    baseline: Option<(&'static str, Round<'a>)>,
}

/// Measures groups and hands each figure to `take` as soon as it is there.
///
/// # Errors
/// Fails if the machine does not let an engine or a run be made, or if `take` fails.
pub fn run(
    groups: &[Group],
    effort: Effort,
    take: &mut dyn FnMut(&Figure) -> io::Result<()>,
) -> Result<(), Failure> {
    let options = EngineOptions { instances_max: effort.instances_max(), ..EngineOptions::default() };
    let engine = Engine::new(&options)?;
    let mut bench = Bench { effort, engine, take };
    for group in groups {
        match group {
            Group::Codec => codec::measure(&mut bench)?,
            Group::Call => call::measure(&mut bench)?,
            Group::Compute => compute::measure(&mut bench)?,
            Group::Spawn => spawn::measure(&mut bench)?,
            Group::Message => message::measure(&mut bench)?,
            Group::Chain => chain::measure(&mut bench)?,
            Group::Verify => verify::measure(&mut bench)?,
            Group::Replay => replay::measure(&mut bench)?,
            Group::Idle => idle::measure(&mut bench)?,
            Group::Start => start::measure(&mut bench)?,
            Group::Large => large::measure(&mut bench)?,
        }
    }
    Ok(())
}
