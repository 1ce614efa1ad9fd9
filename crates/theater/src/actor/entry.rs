//! The first call of an actor: `init`, after which it waits for more, or any export, after which it ends.

use pack::ExportIndex;
use pack_abi::Value;

use super::{ActorPath, State};
use crate::record::call_input;
use crate::render;

/// The export that every actor has that lives on after its first call.
pub const INIT: &str = "theater:simple/actor.init";

/// What an actor is called at first.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// `init`, with the initial state and the actor's own id.
    Init(ExportIndex),
    /// One export, with what the outside gives; it has no state, and its end is the actor's.
    Call { export: ExportIndex, symbol: String, input: Vec<u8> },
}

impl Entry {
    /// Returns the export to call, and with what.
    pub(crate) fn first_call(&self, path: &ActorPath) -> (ExportIndex, Arguments) {
        match self {
            Self::Init(export) => (*export, Arguments::Params(init_params(path.as_str()))),
            Self::Call { export, input, .. } => (*export, Arguments::Whole(input.clone())),
        }
    }

    /// Returns the function that genesis has to name; the others follow from what an actor is.
    pub(crate) fn named(&self) -> Option<&str> {
        match self {
            Self::Init(_) => None,
            Self::Call { symbol, .. } => Some(symbol),
        }
    }
}

/// Returns what `init` gets beside the state.
pub(crate) fn init_params(path: &str) -> Value {
    Value::tuple([Value::from(path)])
}

/// What a call is made with.
#[derive(Clone, Debug)]
pub(crate) enum Arguments {
    /// The parameters beside the state.
    Params(Value),
    /// All of them, encoded: the bare value for one parameter, a tuple otherwise.
    Whole(Vec<u8>),
}

impl Arguments {
    /// Returns the encoded input of the call.
    pub(crate) fn input(&self, state: &State) -> Result<Vec<u8>, pack_abi::EncodeError> {
        match self {
            Self::Params(params) => call_input(state, params),
            Self::Whole(input) => Ok(input.clone()),
        }
    }

    /// Returns the call as text for a person.
    pub(crate) fn text(&self, symbol: &str) -> String {
        match self {
            Self::Params(params) => render::call_text(symbol, &format_args!("(state, {params})")),
            Self::Whole(input) => match pack_abi::decode::<Value>(input) {
                Ok(tuple @ Value::Tuple(_)) => render::call_text(symbol, &tuple),
                Ok(value) => render::call_text(symbol, &format_args!("({value})")),
                Err(_) => symbol.to_owned(),
            },
        }
    }
}
