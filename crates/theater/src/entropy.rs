//! The one place that reads randomness.

#![expect(clippy::disallowed_methods, reason = "this file is where entropy is read")]

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(getrandom::Error);

/// Returns `N` random bytes from the operating system.
///
/// # Errors
/// Fails if the operating system's source of randomness is not available.
pub fn bytes<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(EntropyError)?;
    Ok(bytes)
}
