//! What a recording must know about the engine that made it.

/// The decisions of an engine that its guests can observe, as ordered name and value pairs.
///
/// Two engines whose `semantic` parts are equal give every guest the same results up to a resource end;
/// if `descriptive` is equal too, resource ends (fuel, stack) come at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Must match for a replay.
    pub semantic: Vec<(String, String)>,
    /// Printed when they differ.
    pub descriptive: Vec<(String, String)>,
}
