//! What an event is: its kind, its outcome, its header and its payload.

use std::fmt;

use crate::hash::{Hash, Lengths};

/// The function index of an event that belongs to no function.
pub const NO_FUNCTION: u32 = u32::MAX;

macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant = $number,)* }

        impl $name {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the one with this number, if there is one.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Returns its number, which never changes.
            pub const fn number(self) -> u8 { self as u8 }

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result { formatter.pad(self.name()) }
        }
    };
}

numbered! {
    /// What kind of crossing or turning point an event records. Numbers are never reused.
    Kind {
        /// Birth of the chain; its hash is the chain's id.
        Genesis = 0, "genesis";
        /// The host enters an export of the guest.
        Call = 1, "call";
        /// The export comes back.
        Return = 2, "return";
        /// Call and return with nothing between them.
        Exchange = 3, "exchange";
        /// An import that is answered from the actor's own data.
        HostCall = 4, "host-call";
        /// An import that may wait or that reaches outside; its response is an event of its own.
        HostRequest = 5, "host-request";
        /// The answer to a host request, which it names.
        HostResponse = 6, "host-response";
        /// What the runtime decided for this actor, with its inputs.
        Decision = 7, "decision";
        /// The guest trapped or was stopped.
        Trap = 8, "trap";
        /// The instance was made anew from a state with this hash.
        Snapshot = 9, "snapshot";
        /// End of the chain.
        Exit = 10, "exit";
    }
}

numbered! {
    /// How a crossing ended.
    Outcome {
        /// Well.
        Ok = 0, "ok";
        /// The guest returned an error (`err`, or status -1).
        Error = 1, "error";
        /// The host refused.
        Refused = 2, "refused";
        /// The guest trapped.
        Trap = 3, "trap";
        /// The call was dropped by a deadline or a kill.
        Dropped = 4, "dropped";
        /// The host failed.
        HostFault = 5, "host-fault";
    }
}

/// Which chain of a run: its ordinal. 0 is the runtime's own chain, `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainIndex(pub u32);

impl fmt::Display for ChainIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The hashed fields of an event beside its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Kind of the event.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// Place in its chain, from 0.
    pub seq: u64,
    /// Microseconds since the start of the run.
    pub time_us: u64,
    /// Index into the function table of the genesis, or [`NO_FUNCTION`].
    pub function: u32,
    /// Fuel, as the runtime counts it.
    pub fuel: u64,
}

impl Header {
    /// Length of the fixed-width form.
    pub const BYTES: usize = 30;

    /// The fixed-width form that is hashed: little-endian, in the order of the fields.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.kind.number();
        bytes[1] = self.outcome.number();
        bytes[2..10].copy_from_slice(&self.seq.to_le_bytes());
        bytes[10..18].copy_from_slice(&self.time_us.to_le_bytes());
        bytes[18..22].copy_from_slice(&self.function.to_le_bytes());
        bytes[22..30].copy_from_slice(&self.fuel.to_le_bytes());
        bytes
    }

    /// Reads that form; none if kind or outcome are unknown.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        Some(Self {
            kind: Kind::from_number(bytes[0])?,
            outcome: Outcome::from_number(bytes[1])?,
            seq: long(2),
            time_us: long(10),
            function: word(18),
            fuel: long(22),
        })
    }
}

/// An event about to be appended; the journal gives it its place in the chain.
#[derive(Clone, Copy, Debug)]
pub struct EventDraft<'a> {
    /// Kind of the event.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// Microseconds since the start of the run.
    pub time_us: u64,
    /// Index into the function table of the genesis, or [`NO_FUNCTION`].
    pub function: u32,
    /// Fuel, as the runtime counts it.
    pub fuel: u64,
    /// Pieces of the input; they are concatenated.
    pub input: &'a [&'a [u8]],
    /// Pieces of the output; they are concatenated.
    pub output: &'a [&'a [u8]],
}

impl<'a> EventDraft<'a> {
    /// Returns an event of this kind with outcome ok, no function, no fuel and no payload.
    pub const fn new(kind: Kind, time_us: u64) -> Self {
        Self { kind, outcome: Outcome::Ok, time_us, function: NO_FUNCTION, fuel: 0, input: &[], output: &[] }
    }
}

/// Input and output of an event.
pub type Halves = (Vec<u8>, Vec<u8>);

/// A payload as it is found in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// All of it.
    Whole {
        /// What went in.
        input: Vec<u8>,
        /// What came out.
        output: Vec<u8>,
    },
    /// It was removed; the chain goes through its commitment.
    Redacted {
        /// Commitment to what was removed.
        commitment: Hash,
    },
}

impl Payload {
    /// Returns the input, unless the payload was removed.
    pub fn input(&self) -> Option<&[u8]> {
        match self {
            Self::Whole { input, .. } => Some(input),
            Self::Redacted { .. } => None,
        }
    }

    /// Returns the output, unless the payload was removed.
    pub fn output(&self) -> Option<&[u8]> {
        match self {
            Self::Whole { output, .. } => Some(output),
            Self::Redacted { .. } => None,
        }
    }

    /// Returns the lengths of both halves; zero for a removed payload.
    pub fn lengths(&self) -> Lengths {
        let length =
            |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        Lengths { input: length(self.input()), output: length(self.output()) }
    }
}

/// An event read from a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Chain it belongs to.
    pub chain: ChainIndex,
    /// Its hashed fields.
    pub header: Header,
    /// Its payload.
    pub payload: Payload,
    /// Hash of the event before it in its chain; zero for a genesis.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// Batch that holds it.
    pub batch: u64,
}

/// A fixed-size line about one event, without payload and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Place in the chain.
    pub seq: u64,
    /// Kind of the event.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// Index into the function table of the genesis, or [`NO_FUNCTION`].
    pub function: u32,
    /// Bytes of input.
    pub input_len: u32,
    /// Bytes of output.
    pub output_len: u32,
    /// Hash of the event.
    pub hash: Hash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_kinds_and_outcomes_are_fixed() {
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| (kind.number(), kind.name())).collect();
        assert_eq!(
            kinds,
            [
                (0, "genesis"),
                (1, "call"),
                (2, "return"),
                (3, "exchange"),
                (4, "host-call"),
                (5, "host-request"),
                (6, "host-response"),
                (7, "decision"),
                (8, "trap"),
                (9, "snapshot"),
                (10, "exit"),
            ]
        );
        let outcomes: Vec<_> =
            Outcome::ALL.iter().map(|outcome| (outcome.number(), outcome.name())).collect();
        assert_eq!(
            outcomes,
            [(0, "ok"), (1, "error"), (2, "refused"), (3, "trap"), (4, "dropped"), (5, "host-fault")]
        );
        for number in 0..=u8::MAX {
            assert_eq!(Kind::from_number(number).is_some(), number <= 10);
            assert_eq!(Outcome::from_number(number).is_some(), number <= 5);
        }
    }
}
