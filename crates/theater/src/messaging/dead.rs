//! Dead letters: what was sent and could not be delivered, with the reason, in the runtime's own chain.

use std::fmt;

use pack_abi::{Value, WireType};
use theater_chain::{Cause, ChainIndex};

use super::message::MessageKind;

/// Why a message is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadReason {
    /// Its receiver has ended.
    Ended,
    /// Who asked did not wait any more.
    Late,
    /// The mailbox of who opened the channel had no room for the first message.
    Full,
    /// The channel was closed on the receiver's side.
    ChannelClosed,
    /// The receiver does not export the function that would take it.
    Unsupported,
}

impl DeadReason {
    const ALL: [Self; 5] = [Self::Ended, Self::Late, Self::Full, Self::ChannelClosed, Self::Unsupported];

    /// Returns the name that is recorded.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Late => "late",
            Self::Full => "full",
            Self::ChannelClosed => "channel-closed",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A message that could not be delivered. Its bytes are in the event that sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event that sent it; none for a call of the embedding program.
    pub cause: Option<Cause>,
    /// Path of who sent it; none for one from outside.
    pub from: Option<String>,
    /// Path of whom it was for.
    pub to: String,
    /// What it was.
    pub kind: String,
    /// Why it is dead.
    pub reason: DeadReason,
}

impl DeadLetter {
    pub(crate) const NAME: &'static str = "dead-letter";

    pub(crate) fn new(
        cause: Option<Cause>,
        (from, to): (Option<String>, String),
        kind: MessageKind,
        reason: DeadReason,
    ) -> Self {
        Self { cause, from, to, kind: kind.as_str().to_owned(), reason }
    }

    pub(crate) fn to_value(&self) -> Value {
        let cause = self.cause.map(|cause| Value::tuple([Value::U32(cause.chain.0), Value::U64(cause.seq)]));
        let cause_type = WireType::Tuple(vec![WireType::U32, WireType::U64]);
        let fields = vec![
            ("cause", Value::option(cause_type, cause)),
            ("from", Value::option(WireType::String, self.from.as_deref().map(Value::from))),
            ("to", Value::from(self.to.as_str())),
            ("kind", Value::from(self.kind.as_str())),
            ("reason", Value::from(self.reason.as_str())),
        ];
        Value::record(Self::NAME, fields)
    }

    /// Reads a decision of the runtime's own chain; none if it is another one.
    #[must_use]
    pub fn read(decision: &Value) -> Option<Self> {
        let Value::Record(record) = decision else { return None };
        if record.name() != Self::NAME {
            return None;
        }
        let text = |name: &str| match decision.field(name) {
            Some(Value::String(text)) => Some((**text).to_owned()),
            _ => None,
        };
        let Some(Value::Option(from)) = decision.field("from") else { return None };
        let Some(Value::Option(cause)) = decision.field("cause") else { return None };
        let from = match from.value() {
            Some(Value::String(text)) => Some((**text).to_owned()),
            Some(_) => return None,
            None => None,
        };
        let reason = text("reason")?;
        Some(Self {
            cause: cause.value().map(read_cause).transpose().ok()?,
            from,
            to: text("to")?,
            kind: text("kind")?,
            reason: DeadReason::ALL.into_iter().find(|known| known.as_str() == reason)?,
        })
    }
}

/// What is no pair of chain and seq.
struct NoCause;

fn read_cause(value: &Value) -> Result<Cause, NoCause> {
    let Value::Tuple(items) = value else { return Err(NoCause) };
    match items.as_ref() {
        [Value::U32(chain), Value::U64(seq)] => Ok(Cause { chain: ChainIndex(*chain), seq: *seq }),
        _ => Err(NoCause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letter_is_read_as_it_was_written() {
        for cause in [None, Some(Cause { chain: ChainIndex(3), seq: 9 })] {
            for reason in DeadReason::ALL {
                let ends = (cause.map(|_| "root/a".to_owned()), "root".to_owned());
                let letter = DeadLetter::new(cause, ends, MessageKind::Request, reason);
                assert_eq!(DeadLetter::read(&letter.to_value()), Some(letter));
            }
        }
        assert_eq!(DeadLetter::read(&Value::record("end-run", vec![("to", Value::from("a"))])), None);
    }
}
