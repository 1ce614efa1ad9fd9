//! The codes with which the runtime's error texts begin.

/// Why the runtime could not do what an actor asked, as the error text's first word says.
///
/// ```
/// use theater_guest::ErrorCode;
/// assert_eq!(ErrorCode::of("denied: event 4 is itself a chain read"), Some(ErrorCode::Denied));
/// assert_eq!(ErrorCode::of("something an actor made up"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `closed:` the other side has ended.
    Closed,
    /// `cycle:` waiting would never end, because the other side waits for this actor.
    Cycle,
    /// `denied:` this actor may not.
    Denied,
    /// `failed:` the other side returned an error, or a child did not start.
    Failed,
    /// `full:` the mailbox or the queue has no room.
    Full,
    /// `invalid:` what was asked for makes no sense.
    Invalid,
    /// `no-actor:` there is no such actor.
    NoActor,
    /// `not-found:` there is no such thing.
    NotFound,
    /// `timeout:` there was no answer in time.
    Timeout,
    /// `too-large:` it is larger than the limits allow.
    TooLarge,
    /// `unsupported:` the other side does not export the function that this would take.
    Unsupported,
}

impl ErrorCode {
    const ALL: [Self; 11] = [
        Self::Closed,
        Self::Cycle,
        Self::Denied,
        Self::Failed,
        Self::Full,
        Self::Invalid,
        Self::NoActor,
        Self::NotFound,
        Self::Timeout,
        Self::TooLarge,
        Self::Unsupported,
    ];

    /// Returns the code of an error text, if it begins with one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let (word, _) = text.split_once(':')?;
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// Returns the word with which the error text begins, without its colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Cycle => "cycle",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Full => "full",
            Self::Invalid => "invalid",
            Self::NoActor => "no-actor",
            Self::NotFound => "not-found",
            Self::Timeout => "timeout",
            Self::TooLarge => "too-large",
            Self::Unsupported => "unsupported",
        }
    }
}

impl core::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn every_code_is_found_in_its_own_text() {
        for code in ErrorCode::ALL {
            let mut text = [0; 16];
            let word = code.as_str().as_bytes();
            text[..word.len()].copy_from_slice(word);
            text[word.len()] = b':';
            assert_eq!(core::str::from_utf8(&text).ok().and_then(ErrorCode::of), Some(code));
        }
        assert_eq!(ErrorCode::of("Denied: no"), None);
        assert_eq!(ErrorCode::of("denied"), None);
    }
}
