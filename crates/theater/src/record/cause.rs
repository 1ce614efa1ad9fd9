//! How an event names the event of another actor that it follows from.
//!
//! A call that a message leads to begins with a form of its own: the cause, then the call in one of the other forms. The
//! response to a request has the cause behind the request's number.

use theater_chain::{Cause, ChainIndex, Event, Kind};

use super::splice::UnknownForm;

/// The form of a payload that begins with a cause.
const FORM_CAUSE: u8 = 4;
/// Chain and seq.
pub(crate) const CAUSE_BYTES: usize = 4 + 8;
/// Bytes with which a response names its request.
const REQUEST_BYTES: usize = 8;

pub(crate) fn cause_bytes(cause: Cause) -> [u8; CAUSE_BYTES] {
    let mut bytes = [0; CAUSE_BYTES];
    bytes[..4].copy_from_slice(&cause.chain.0.to_le_bytes());
    bytes[4..].copy_from_slice(&cause.seq.to_le_bytes());
    bytes
}

fn read_cause(bytes: &[u8; CAUSE_BYTES]) -> Cause {
    let [a, b, c, d, seq @ ..] = *bytes;
    Cause { chain: ChainIndex(u32::from_le_bytes([a, b, c, d])), seq: u64::from_le_bytes(seq) }
}

pub(crate) fn push_cause(payload: &mut Vec<u8>, cause: Cause) {
    payload.push(FORM_CAUSE);
    payload.extend_from_slice(&cause_bytes(cause));
}

/// Splits the payload of a call into the cause, if it names one, and the call.
///
/// # Errors
/// Fails if the payload claims a cause and has none.
pub fn split_cause(payload: &[u8]) -> Result<(Option<Cause>, &[u8]), UnknownForm> {
    match payload.split_first() {
        Some((&FORM_CAUSE, rest)) => {
            let (cause, rest) = rest.split_first_chunk::<CAUSE_BYTES>().ok_or(UnknownForm)?;
            // One cause is enough.
            if rest.first() == Some(&FORM_CAUSE) {
                return Err(UnknownForm);
            }
            Ok((Some(read_cause(cause)), rest))
        }
        Some(_) | None => Ok((None, payload)),
    }
}

/// Returns the cause in the input of a response, if it names one.
pub(crate) fn response_cause(input: &[u8]) -> Option<Cause> {
    let cause = input.get(REQUEST_BYTES..)?;
    cause.try_into().ok().map(read_cause)
}

/// Returns the event of another actor that an event follows from.
#[must_use]
pub fn cause_of(event: &Event) -> Option<Cause> {
    let input = event.payload.input()?;
    match event.header.kind {
        Kind::Call | Kind::Exchange => split_cause(input).ok()?.0,
        Kind::HostResponse => response_cause(input),
        Kind::Genesis => theater_chain::Genesis::decode(input).ok()?.cause,
        Kind::Return
        | Kind::HostCall
        | Kind::HostRequest
        | Kind::Decision
        | Kind::Trap
        | Kind::Snapshot
        | Kind::Exit => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_comes_back_and_a_payload_without_one_is_left_alone() {
        let cause = Cause { chain: ChainIndex(7), seq: u64::MAX - 1 };
        let mut payload = Vec::new();
        push_cause(&mut payload, cause);
        payload.extend_from_slice(b"\x00rest");
        assert_eq!(split_cause(&payload), Ok((Some(cause), &b"\x00rest"[..])));
        assert_eq!(split_cause(b"\x00rest"), Ok((None, &b"\x00rest"[..])));
        assert_eq!(split_cause(&payload[..8]), Err(UnknownForm));
        let twice = [&payload[..13], &payload[..]].concat();
        assert_eq!(split_cause(&twice), Err(UnknownForm));
    }

    #[test]
    fn response_without_a_cause_is_as_it_was() {
        let cause = Cause { chain: ChainIndex(1), seq: 2 };
        assert_eq!(response_cause(&9_u64.to_le_bytes()), None);
        let named = [&9_u64.to_le_bytes()[..], &cause_bytes(cause)].concat();
        assert_eq!(response_cause(&named), Some(cause));
    }
}
