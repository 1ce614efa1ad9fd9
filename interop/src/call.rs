//! What the two hosts tell each other, as lines of JSON: calls to make, and what they came to.

use serde::{Deserialize, Serialize};

/// One call of one package.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Call {
    /// The wasm file.
    pub(crate) wasm: String,
    /// The export.
    pub(crate) export: String,
    /// The encoded arguments.
    pub(crate) input: Vec<u8>,
    /// What the guest has asked of our host, in its order, and the answers. The other host gives the same, and fails
    /// if the guest asks for anything else.
    pub(crate) asked: Vec<Asked>,
}

/// One call of a guest, and its answer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Asked {
    /// The interface.
    pub(crate) interface: String,
    /// The function.
    pub(crate) function: String,
    /// The encoded arguments.
    pub(crate) input: Vec<u8>,
    /// The encoded answer.
    pub(crate) answer: Vec<u8>,
}

/// What a call came to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Outcome {
    /// The encoded result.
    Value(Vec<u8>),
    /// The text of the guest with a status that is an error.
    Error(String),
    /// The host refused the arguments, and nothing ran.
    Refused(String),
    /// The guest trapped.
    Trap,
    /// The package could not be loaded, or the host failed.
    Failed(String),
}
