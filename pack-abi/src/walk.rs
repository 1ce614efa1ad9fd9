//! The checks of a node's inside for guests: the same as in `view` and `cursor`, in a fifth of the code.
//!
//! A guest carries the code for every kind of node, whatever its functions take. So there nothing is inlined and
//! errors are not handed up from each step: the first one is kept, what follows reads zeros, and the end looks.
//! A test compares both on every kind and thousands of damaged payloads.

use crate::{DecodeError, DecodeErrorKind, Kind};

struct Walk<'a> {
    rest: &'a [u8],
    /// Offset of the end of `rest` in the whole buffer.
    end: usize,
    fault: Option<DecodeError>,
}

/// Returns the child indices of a node of variable length, and checks the lengths inside it.
pub(crate) fn links_of(kind: Kind, payload: &[u8], offset: usize) -> Result<&[[u8; 4]], DecodeError> {
    let mut walk = Walk { rest: payload, end: offset + payload.len(), fault: None };
    let count = match kind {
        Kind::Array => {
            walk.array(offset);
            0
        }
        Kind::Tuple => {
            return match payload.as_chunks::<4>() {
                ([count, links @ ..], []) if u32::from_le_bytes(*count) as usize == links.len() => Ok(links),
                _ => Err(DecodeError::new(DecodeErrorKind::LengthMismatch, offset)),
            };
        }
        Kind::List => {
            if walk.term().is_some_and(|kind| kind.width().is_some()) {
                walk.fail_at(DecodeErrorKind::WrongListForm, offset);
            }
            walk.count()
        }
        Kind::Set => {
            walk.term();
            walk.count()
        }
        Kind::Map => {
            walk.term();
            walk.term();
            // More than any payload has room for, if twice as many cannot be counted.
            walk.count().saturating_mul(2)
        }
        Kind::Record => {
            walk.text();
            let count = walk.count();
            walk.skip(count.checked_mul(4).and_then(|links| walk.rest.len().checked_sub(links)));
            count
        }
        Kind::Variant => {
            walk.text();
            walk.text();
            walk.count();
            walk.count()
        }
        Kind::Option => {
            walk.term();
            walk.presence()
        }
        Kind::Result => {
            walk.term();
            walk.term();
            let tag = walk.count();
            if walk.byte() != 1 || tag > 1 {
                walk.fail(DecodeErrorKind::BadPresence);
            }
            1
        }
        Kind::Bool
        | Kind::S32
        | Kind::S64
        | Kind::F32
        | Kind::F64
        | Kind::String
        | Kind::U8
        | Kind::U16
        | Kind::U32
        | Kind::U64
        | Kind::S8
        | Kind::S16
        | Kind::Char
        | Kind::Flags => 0,
    };
    walk.links(count)
}

impl<'a> Walk<'a> {
    /// Reads whether there is a child, and returns the number of children.
    fn presence(&mut self) -> usize {
        let present = self.byte();
        if present > 1 {
            self.fail(DecodeErrorKind::BadPresence);
        }
        present.into()
    }

    /// Reads all of an array: its kind, its count and so many elements, and no more.
    fn array(&mut self, offset: usize) {
        match Kind::from_byte(self.byte()).and_then(Kind::width) {
            Some(width) => {
                let count = self.count();
                self.skip(Some(self.rest.len()).filter(|left| count.checked_mul(width) == Some(*left)));
            }
            None => self.fail_at(DecodeErrorKind::WrongListForm, offset),
        }
    }

    #[inline(never)]
    fn fail(&mut self, kind: DecodeErrorKind) {
        self.fail_at(kind, self.end - self.rest.len());
    }

    #[inline(never)]
    fn fail_at(&mut self, kind: DecodeErrorKind, offset: usize) {
        if self.fault.is_none() {
            self.fault = Some(DecodeError::new(kind, offset));
        }
        self.rest = &[];
    }

    #[inline(never)]
    fn take(&mut self, count: usize) -> &'a [u8] {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                taken
            }
            None => {
                self.fail(DecodeErrorKind::Truncated);
                &[]
            }
        }
    }

    /// Takes so many bytes, or finds that the lengths do not fit each other.
    fn skip(&mut self, count: Option<usize>) {
        match count {
            Some(count) => {
                self.take(count);
            }
            None => self.fail(DecodeErrorKind::LengthMismatch),
        }
    }

    #[inline(never)]
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    #[inline(never)]
    fn count(&mut self) -> usize {
        self.take(4).first_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
    }

    #[inline(never)]
    fn text(&mut self) -> &'a [u8] {
        let length = self.count();
        self.take(length)
    }

    /// Takes one type term and returns its kind.
    #[inline(never)]
    fn term(&mut self) -> Option<Kind> {
        let mut outermost = None;
        let mut owed = 1;
        while owed > 0 {
            let at = self.end - self.rest.len();
            let tag = self.byte();
            let Some(kind) = Kind::from_byte(tag).filter(|kind| *kind != Kind::Array) else {
                self.fail_at(DecodeErrorKind::UnknownType(tag), at);
                return None;
            };
            owed -= 1;
            match kind {
                Kind::List | Kind::Option | Kind::Set => owed += 1,
                Kind::Result | Kind::Map => owed += 2,
                Kind::Tuple => {
                    let count = self.count();
                    if count > self.rest.len() {
                        self.fail(DecodeErrorKind::Truncated);
                        return None;
                    }
                    owed += count;
                }
                Kind::Record | Kind::Variant => {
                    let at = self.end - self.rest.len();
                    if crate::utf8::text(self.text()).is_none() {
                        self.fail_at(DecodeErrorKind::BadUtf8, at);
                    }
                }
                Kind::Bool
                | Kind::S32
                | Kind::S64
                | Kind::F32
                | Kind::F64
                | Kind::String
                | Kind::U8
                | Kind::U16
                | Kind::U32
                | Kind::U64
                | Kind::S8
                | Kind::S16
                | Kind::Char
                | Kind::Flags
                | Kind::Array => {}
            }
            // Each term that is owed takes at least one byte.
            if outermost.is_some() && owed > self.rest.len() {
                self.fail(DecodeErrorKind::Truncated);
                return None;
            }
            outermost = outermost.or(Some(kind));
        }
        outermost
    }

    /// Takes all that is left as `count` indices, neither more nor fewer.
    fn links(mut self, count: usize) -> Result<&'a [[u8; 4]], DecodeError> {
        let (links, odd) = self.rest.as_chunks::<4>();
        if links.len() != count || !odd.is_empty() {
            self.fail(DecodeErrorKind::LengthMismatch);
        }
        match self.fault {
            None => Ok(links),
            Some(fault) => Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;

    use crate::{Kind, view};

    /// Numbers without pattern, always the same.
    struct Noise(u64);

    impl Noise {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound.max(1)
        }
    }

    fn payloads() -> Vec<(Kind, Vec<u8>)> {
        let set = BTreeSet::from(["a", "b"]);
        let map = BTreeMap::from([("a", Some(1_u8)), ("b", None)]);
        let results: [Result<(u8, &str), Vec<bool>>; 2] = [Ok((1, "x")), Err(Vec::new())];
        let nothing = None::<BTreeMap<(u8, ()), BTreeSet<Vec<u64>>>>;
        let bytes = [
            crate::encode(&(&set, &map, &results, &nothing)),
            crate::encode(&(vec!["a"], Vec::<String>::new(), vec![1_u16, 2], Vec::<u64>::new())),
        ];
        let mut payloads = vec![
            (Kind::Record, b"\x01\0\0\0P\x01\0\0\0\x01\0\0\0x\0\0\0\0".to_vec()),
            (Kind::Variant, b"\x01\0\0\0V\x01\0\0\0c\x03\0\0\0\x01\0\0\0\0\0\0\0".to_vec()),
        ];
        for bytes in bytes {
            let bytes = bytes.expect("encodes");
            let view = crate::View::parse(&bytes, &crate::Limits::default()).expect("parses");
            for index in 0..view.node_count() as u32 {
                let node = view.root().sibling(index);
                if node.kind().width().is_none() && node.kind() != Kind::String {
                    payloads.push((node.kind(), node.payload().to_vec()));
                }
            }
        }
        payloads
    }

    #[test]
    fn small_and_fast_checks_find_the_same_in_every_payload() {
        let agree = |kind: Kind, payload: &[u8]| {
            let (small, fast) = (super::links_of(kind, payload, 24), view::fast_links_of(kind, payload, 24));
            assert_eq!(small, fast, "{kind} {payload:?}");
            small.is_ok()
        };
        let payloads = payloads();
        let kinds = payloads.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>();
        assert_eq!(kinds.len(), 9, "{kinds:?}");
        let mut noise = Noise(7);
        for (kind, payload) in &payloads {
            assert!(agree(*kind, payload), "{kind} {payload:?}");
            for end in 0..payload.len() {
                agree(*kind, &payload[..end]);
            }
            for _ in 0..3000 {
                let mut damaged = payload.clone();
                for _ in 0..=noise.below(3) {
                    // Mostly bytes that mean something.
                    let (at, bound) = (noise.below(damaged.len()), [28, 28, 28, 256][noise.below(4)]);
                    damaged[at] = noise.below(bound) as u8;
                }
                agree(*kind, &damaged);
            }
        }
        for _ in 0..50_000 {
            let kind = payloads[noise.below(payloads.len())].0;
            let length = noise.below(24);
            let payload: Vec<u8> = (0..length).map(|_| noise.below(26) as u8).collect();
            agree(kind, &payload);
        }
    }
}
