//! Buffers made from arbitrary input: whatever the input is, the result is what an encoder could have written.
//!
//! The nodes are written here by hand, by the words of the format, so that encoder and decoder are both under test.

use super::hostile::{self, Node};
use crate::target::Seed;

/// Beyond it only leaves are made. The types inside a value are no deeper either.
const DEPTH_MAX: u32 = 8;
const NODES_MAX: usize = 200;

/// Kinds that have no children and a fixed width, with it.
const SCALARS: [(u8, usize); 13] = [
    (0x01, 1),
    (0x02, 4),
    (0x03, 8),
    (0x04, 4),
    (0x05, 8),
    (0x0C, 1),
    (0x0D, 2),
    (0x0E, 4),
    (0x0F, 8),
    (0x10, 1),
    (0x11, 2),
    (0x12, 4),
    (0x13, 8),
];

/// Returns one recipe for each kind of value, and some that nest.
pub(crate) fn seeds() -> Vec<Seed> {
    let kinds =
        (0..13u8).map(|kind| (format!("recipe kind {kind}"), vec![kind, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    let nests = (3..13u8).map(|kind| {
        let input = (0..64u8).flat_map(|turn| [kind, turn % 3 + 1, turn]).collect();
        (format!("recipe nested {kind}"), input)
    });
    kinds.chain(nests).collect()
}

/// Makes a buffer. An input that ends early goes on with zeros.
pub(crate) fn buffer(input: &[u8]) -> Vec<u8> {
    let mut cook = Cook { input, nodes: Vec::new() };
    cook.value(0);
    hostile::buffer(&cook.nodes)
}

struct Cook<'a> {
    input: &'a [u8],
    nodes: Vec<Node>,
}

impl Cook<'_> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.input.split_first().unwrap_or((&0, &[]));
        self.input = rest;
        *byte
    }

    fn few(&mut self, most: u8) -> u8 {
        self.byte() % (most + 1)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// A text with its length before it.
    fn text(&mut self) -> Vec<u8> {
        let length = usize::from(self.few(12));
        let text = String::from_utf8_lossy(&self.bytes(length)).into_owned();
        [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
    }

    fn scalar(&mut self, kind: u8, width: usize) -> Vec<u8> {
        let bytes = self.bytes(width);
        match (kind, bytes.as_slice()) {
            (0x01, [bit]) => vec![bit % 2],
            (0x12, [a, b, c, _]) => {
                let code = u32::from_le_bytes([*a, *b, *c, 0]) % 0x11_0000;
                u32::from(char::from_u32(code).unwrap_or('\u{fffd}')).to_le_bytes().to_vec()
            }
            _ => bytes,
        }
    }

    fn any_scalar(&mut self) -> (u8, usize) {
        SCALARS[usize::from(self.byte()) % SCALARS.len()]
    }

    fn wire_type(&mut self, depth: u32) -> Vec<u8> {
        let choice = if depth >= DEPTH_MAX { self.few(3) } else { self.few(9) };
        match choice {
            0 => vec![self.any_scalar().0],
            1 => vec![0x06],
            2 => [vec![0x09], self.text()].concat(),
            3 => [vec![0x08], self.text()].concat(),
            4 => [vec![0x07], self.wire_type(depth + 1)].concat(),
            5 => [vec![0x0A], self.wire_type(depth + 1)].concat(),
            6 => [vec![0x17], self.wire_type(depth + 1)].concat(),
            7 => [vec![0x14], self.wire_type(depth + 1), self.wire_type(depth + 1)].concat(),
            8 => [vec![0x16], self.wire_type(depth + 1), self.wire_type(depth + 1)].concat(),
            _ => {
                let count = self.few(3);
                let terms: Vec<u8> = (0..count).flat_map(|_| self.wire_type(depth + 1)).collect();
                [vec![0x0B], u32::from(count).to_le_bytes().to_vec(), terms].concat()
            }
        }
    }

    /// A type whose lists are not packed.
    fn node_type(&mut self) -> Vec<u8> {
        let term = self.wire_type(0);
        let is_fixed = SCALARS.iter().any(|(kind, _)| term == [*kind]);
        if is_fixed { [vec![0x0A], term].concat() } else { term }
    }

    /// Makes values and returns how many, and the links to them.
    fn children(&mut self, depth: u32) -> (u32, Vec<u8>) {
        let count = u32::from(self.few(4));
        (count, (0..count).flat_map(|_| self.value(depth + 1)).collect())
    }

    fn counted(&mut self, depth: u32) -> Vec<u8> {
        let (count, links) = self.children(depth);
        [hostile::words(&[count]), links].concat()
    }

    /// Makes a value and returns the link to it.
    fn value(&mut self, depth: u32) -> [u8; 4] {
        let is_leaf = depth >= DEPTH_MAX || self.nodes.len() >= NODES_MAX;
        let choice = if is_leaf { self.few(2) } else { self.few(12) };
        let node = match choice {
            0 => {
                let (kind, width) = self.any_scalar();
                (kind, self.scalar(kind, width))
            }
            1 => (0x06, self.text()),
            2 => self.packed(),
            3 => (0x07, [self.node_type(), self.counted(depth)].concat()),
            4 => (0x17, [self.wire_type(0), self.counted(depth)].concat()),
            5 => (0x0B, self.counted(depth)),
            6 => (0x0A, [self.wire_type(0), vec![0]].concat()),
            7 => (0x0A, [self.wire_type(0), vec![1], self.value(depth + 1).to_vec()].concat()),
            8 | 9 => self.result(depth),
            10 => self.record(depth),
            11 => {
                let names = [self.text(), self.text(), self.bytes(4)].concat();
                (0x08, [names, self.counted(depth)].concat())
            }
            _ => self.map(depth),
        };
        self.nodes.push(node);
        ((self.nodes.len() - 1) as u32).to_le_bytes()
    }

    fn packed(&mut self) -> Node {
        let (kind, width) = self.any_scalar();
        let count = u32::from(self.few(6));
        let elements: Vec<u8> = (0..count).flat_map(|_| self.scalar(kind, width)).collect();
        (0x15, [vec![kind], hostile::words(&[count]), elements].concat())
    }

    fn result(&mut self, depth: u32) -> Node {
        let head = [self.wire_type(0), self.wire_type(0), vec![self.few(1), 0, 0, 0, 1]].concat();
        (0x14, [head, self.value(depth + 1).to_vec()].concat())
    }

    fn record(&mut self, depth: u32) -> Node {
        let name = self.text();
        let (count, links) = self.children(depth);
        let names: Vec<u8> = (0..count).flat_map(|_| self.text()).collect();
        (0x09, [name, hostile::words(&[count]), names, links].concat())
    }

    fn map(&mut self, depth: u32) -> Node {
        let head = [self.wire_type(0), self.wire_type(0)].concat();
        let count = u32::from(self.few(3));
        let links: Vec<u8> = (0..count * 2).flat_map(|_| self.value(depth + 1)).collect();
        (0x16, [head, hostile::words(&[count]), links].concat())
    }
}
