//! Who vouches for a signed head: the signatures of its note, held against the keys that are known.
//!
//! Lines of keys that nobody here knows are counted and otherwise ignored, as the note format asks. A line that names a
//! known key, or the key that the run itself names, must hold: a signature that does not is not "nobody's".

use crate::keys::{KeyUse, PublicKey};
use crate::note::{Note, NoteSignature};
use crate::report::{SignerCheck, Witnesses};

/// Whose signatures count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'a> {
    /// Keys of nodes and of witnesses.
    pub(crate) keys: &'a [PublicKey],
    /// Witnesses without whose cosignatures nothing is shown.
    pub(crate) required: &'a [PublicKey],
    /// The key that the run says it is signed with.
    pub(crate) own: Option<&'a PublicKey>,
}

impl Known<'_> {
    fn find(&self, signature: &NoteSignature) -> Option<&PublicKey> {
        self.keys.iter().chain(self.required).find(|key| signature.names(key))
    }
}

/// What the signatures of a note are worth.
pub(crate) fn vouch(note: &Note, known: Known<'_>) -> (SignerCheck, Witnesses) {
    let text = note.checkpoint.to_string();
    let mut witnesses = Witnesses::default();
    let mut signer = None;
    let mut unknown = Vec::new();
    let mut has_own = false;
    let invalid = |name: &str| SignerCheck::Invalid { name: name.to_owned() };
    for signature in &note.signatures {
        let own = known.own.filter(|own| signature.names(own));
        has_own |= own.is_some();
        let key = known.find(signature);
        if key.or(own).is_some_and(|key| !signature.is_by(key, &text)) {
            return (invalid(signature.name()), Witnesses::missing_all(known.required));
        }
        match key {
            Some(key) if key.usage() == KeyUse::Witness => witnesses.known.push(key.name().to_owned()),
            Some(key) => signer = Some(key.clone()),
            None if signature.is_cosignature() => witnesses.unknown.push(signature.name().to_owned()),
            None => unknown.push(signature.name().to_owned()),
        }
    }
    let is_missing = |key: &&PublicKey| !note.signatures.iter().any(|signature| signature.names(key));
    witnesses.missing = known.required.iter().filter(is_missing).map(|key| key.name().to_owned()).collect();
    let signer = match (signer, known.own) {
        // Somebody else has signed in the place of the run's own key.
        (None, Some(own)) if !has_own && !note.signatures.is_empty() => invalid(own.name()),
        (Some(key), _) => SignerCheck::Known(key),
        (None, _) if unknown.is_empty() => SignerCheck::Unsigned,
        (None, _) => SignerCheck::Unknown { names: unknown },
    };
    (signer, witnesses)
}

impl Witnesses {
    /// None of those that are required has been seen.
    pub(crate) fn missing_all(required: &[PublicKey]) -> Self {
        let missing = required.iter().map(|key| key.name().to_owned()).collect();
        Self { missing, ..Self::default() }
    }
}
