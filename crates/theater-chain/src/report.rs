//! What verifying a run has shown, one line per question, and no more than that.

use std::fmt;

use crate::fault::Fault;
use crate::hash::Hash;
use crate::keys::PublicKey;
use crate::merkle::Head;

/// What an unsigned run, or one signed by nobody known, is worth.
const PROVES_NOTHING: &str = "proves nothing against its keeper";

/// Are the events those that were recorded?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every hash is what the events make it.
    Intact,
    /// No: this is the first thing that is wrong.
    Broken(Fault),
}

/// Is it the whole run?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It has its trailer.
    Closed,
    /// It has none: it is still written, or was cut off.
    Incomplete {
        /// Bytes after the last whole batch.
        torn_bytes: u64,
    },
    /// It could not be read to its end.
    Unknown,
}

/// Who vouches for it?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerCheck {
    /// A known key has signed the head of the closed run.
    Known(PublicKey),
    /// A known key has signed, but not the end of the run.
    Partly {
        /// The key.
        key: PublicKey,
        /// Number of batches that it has signed.
        signed: u64,
    },
    /// Keys have signed that are not known.
    Unknown {
        /// Their names, as the signatures give them.
        names: Vec<String>,
    },
    /// Nobody has signed.
    Unsigned,
    /// There is a signature that does not hold.
    Invalid {
        /// Name of the key that it is said to be by.
        name: String,
    },
    /// There is no intact head that could have been signed.
    Unchecked,
}

impl SignerCheck {
    /// Returns what it is worth, with what is said by the head that was given; `head` is the one there is.
    pub(crate) fn line(&self, check: &HeadCheck, head: Head) -> String {
        let nothing = match check {
            HeadCheck::Equal => "only the head that was given vouches for it".to_owned(),
            HeadCheck::Earlier { given } => {
                format!("the head that was given vouches for it up to {}", given.size)
            }
            HeadCheck::NotGiven | HeadCheck::Differs { .. } => PROVES_NOTHING.to_owned(),
        };
        match self {
            Self::Known(key) => format!("signed by {}", key.name()),
            Self::Partly { key, signed } => {
                format!("signed by {} up to batch {signed} of {} only", key.name(), head.size)
            }
            Self::Unknown { names } => format!("signed by nobody known ({}): {nothing}", names.join(", ")),
            Self::Unsigned => format!("unsigned: {nothing}"),
            Self::Invalid { name } => format!("the signature of {name} does not hold: {PROVES_NOTHING}"),
            Self::Unchecked => format!("not checked: {PROVES_NOTHING}"),
        }
    }
}

/// Who has seen its head?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnesses {
    /// Names of the known witnesses whose cosignatures hold.
    pub known: Vec<String>,
    /// Names on cosignatures that could not be checked.
    pub unknown: Vec<String>,
    /// Names of witnesses that were asked for and have not cosigned.
    pub missing: Vec<String>,
}

impl fmt::Display for Witnesses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, unknown, missing } = self;
        match (known.as_slice(), unknown.as_slice()) {
            ([], []) => formatter.write_str("none")?,
            ([], unknown) => write!(formatter, "none known; not checked: {}", unknown.join(", "))?,
            (known, []) => formatter.write_str(&known.join(", "))?,
            (known, unknown) => {
                write!(formatter, "{}; not checked: {}", known.join(", "), unknown.join(", "))?
            }
        }
        if missing.is_empty() { Ok(()) } else { write!(formatter, "; missing: {}", missing.join(", ")) }
    }
}

/// What was removed from it?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redactions {
    /// Number of removed payloads.
    pub payloads: u64,
    /// The run's secret was dropped: what is left carries its salts.
    pub is_secret_dropped: bool,
    /// Packages and manifests that are named and not there.
    pub withheld: Vec<Hash>,
}

/// Is it the run that was meant?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadCheck {
    /// No head was given.
    NotGiven,
    /// The given head is the head of the run.
    Equal,
    /// The given head is an earlier one of this run, which went on.
    Earlier {
        /// The head that was given.
        given: Head,
    },
    /// It is another.
    Differs {
        /// The head that was given.
        given: Head,
    },
}

impl HeadCheck {
    /// Writes the line about the head that there is.
    pub(crate) fn write(self, head: Head, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "head         {head}")?;
        match self {
            Self::NotGiven => Ok(()),
            Self::Equal => formatter.write_str(", as given"),
            Self::Earlier { given } => write!(formatter, "; the given {given} is an earlier one"),
            Self::Differs { given } => write!(formatter, ", which is not the given {given}"),
        }
    }
}

/// What verifying a run has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Id of the run.
    pub run_id: String,
    /// Number of events that verify.
    pub events: u64,
    /// Number of chains that verify.
    pub chains: u64,
    /// Head over the batches that verify.
    pub head: Head,
    /// Are the events those that were recorded?
    pub integrity: Integrity,
    /// Is it the whole run?
    pub completeness: Completeness,
    /// Who vouches for it?
    pub signer: SignerCheck,
    /// Who has seen its head?
    pub witnesses: Witnesses,
    /// What was removed from it?
    pub redactions: Redactions,
    /// Is it the run that was meant?
    pub head_check: HeadCheck,
}

impl Report {
    /// Says whether the run is intact, closed, and signed by a known key or equal to the head that was given.
    pub fn is_proven(&self) -> bool {
        let is_vouched = match (&self.signer, &self.head_check) {
            (SignerCheck::Invalid { .. } | SignerCheck::Unchecked, _)
            | (_, HeadCheck::Differs { .. } | HeadCheck::Earlier { .. }) => false,
            (SignerCheck::Known(_), HeadCheck::NotGiven) => true,
            (
                SignerCheck::Unknown { .. } | SignerCheck::Unsigned | SignerCheck::Partly { .. },
                HeadCheck::NotGiven,
            ) => false,
            (_, HeadCheck::Equal) => true,
        };
        is_vouched
            && self.integrity == Integrity::Intact
            && self.completeness == Completeness::Closed
            && self.witnesses.missing.is_empty()
    }

    /// Returns the exit code: 0 if the run is proven, else 1.
    pub fn verdict(&self) -> u8 {
        u8::from(!self.is_proven())
    }

    fn completeness_line(&self) -> String {
        match self.completeness {
            Completeness::Closed => "closed".to_owned(),
            Completeness::Incomplete { torn_bytes: 0 } => {
                format!("incomplete, {} events verify", self.events)
            }
            Completeness::Incomplete { torn_bytes } => {
                format!(
                    "incomplete, {} events verify; {torn_bytes} bytes of a torn batch follow",
                    self.events
                )
            }
            Completeness::Unknown => format!("unknown; {} events verify before the fault", self.events),
        }
    }

    fn redaction_line(&self) -> String {
        let Redactions { payloads, is_secret_dropped, withheld } = &self.redactions;
        let mut parts = Vec::new();
        if *payloads > 0 {
            parts.push(format!("{payloads} payloads removed"));
        }
        if *is_secret_dropped {
            parts.push("the secret of the run was dropped".to_owned());
        }
        if !withheld.is_empty() {
            let names: Vec<_> = withheld.iter().map(Hash::short).collect();
            parts.push(format!("packages or manifests not included: {}", names.join(", ")));
        }
        if parts.is_empty() { "none".to_owned() } else { parts.join("; ") }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "run          {}", self.run_id)?;
        match &self.integrity {
            Integrity::Intact => writeln!(
                formatter,
                "integrity    intact: {} events in {} chains and {} batches",
                self.events, self.chains, self.head.size
            )?,
            Integrity::Broken(fault) => writeln!(formatter, "integrity    broken: {fault}")?,
        }
        writeln!(formatter, "completeness {}", self.completeness_line())?;
        writeln!(formatter, "signer       {}", self.signer.line(&self.head_check, self.head))?;
        writeln!(formatter, "witnesses    {}", self.witnesses)?;
        writeln!(formatter, "redactions   {}", self.redaction_line())?;
        self.head_check.write(self.head, formatter)
    }
}
