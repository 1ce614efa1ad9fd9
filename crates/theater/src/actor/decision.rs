//! What the runtime decides for an actor, as the actor's chain has it.

use pack_abi::Value;

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A child that the manifest names is started.
    StartChild { id: String },
    /// That child did not start, and so the actor does not either.
    ChildFailed { id: String, reason: String },
}

impl Decision {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::StartChild { id } => Value::record("start-child", vec![("id", Value::from(id.as_str()))]),
            Self::ChildFailed { id, reason } => {
                let fields = vec![("id", Value::from(id.as_str())), ("reason", Value::from(reason.as_str()))];
                Value::record("child-failed", fields)
            }
        }
    }

    /// Reads a decision; none if it is not one for an actor.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let Value::Record(record) = value else { return None };
        let text = |name: &str| match value.field(name) {
            Some(Value::String(text)) => Some((**text).to_owned()),
            _ => None,
        };
        match record.name() {
            "start-child" => Some(Self::StartChild { id: text("id")? }),
            "child-failed" => Some(Self::ChildFailed { id: text("id")?, reason: text("reason")? }),
            _ => None,
        }
    }
}
