//! The Merkle tree of RFC 6962 whose leaves are batch commitments, kept as its frontier.
//!
//! A tree of any size is a list of perfect subtrees, largest first, one per set bit of the size: 32 bytes each,
//! at most 64 of them. That is all a writer has to remember, and all a segment has to repeat.

use std::fmt;
use std::str::FromStr;

use crate::hash::{Hash, NotAHash, Stream};

fn leaf_hash(data: &Hash) -> Hash {
    let mut stream = Stream::new();
    stream.update(&[0]);
    stream.update(&data.0);
    stream.finish()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut stream = Stream::new();
    stream.update(&[1]);
    stream.update(&left.0);
    stream.update(&right.0);
    stream.finish()
}

/// The head of a run: how many batches it has and the Merkle root over them. Written `size:root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Number of batches.
    pub size: u64,
    /// Merkle root over their commitments.
    pub root: Hash,
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.size, self.root)
    }
}

/// A text that is not `size:root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHead {
    /// There is no number before a colon, or it is not written as one writes numbers.
    #[error("a head is size:root, where size is a decimal number")]
    Size,
    /// What follows the colon is not a hash.
    #[error("the root of a head is not a hash")]
    Root(#[source] NotAHash),
}

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (size, root) = text.split_once(':').ok_or(NotAHead::Size)?;
        let number: u64 = size.parse().map_err(|_| NotAHead::Size)?;
        if number.to_string() != size {
            return Err(NotAHead::Size);
        }
        Ok(Self { size: number, root: root.parse().map_err(NotAHead::Root)? })
    }
}

/// A growing Merkle tree, as the roots of its perfect subtrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Returns the empty tree.
    pub const fn new() -> Self {
        Self { size: 0, roots: Vec::new() }
    }

    /// Returns the tree of `size` leaves with these subtree roots, if their number fits the size.
    pub(crate) fn from_parts(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// Returns the number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the roots of the perfect subtrees, largest first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Adds a leaf.
    pub fn push(&mut self, data: &Hash) {
        let mut node = leaf_hash(data);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// Returns size and root.
    pub fn head(&self) -> Head {
        let root = self.roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        Head { size: self.size, root: root.unwrap_or_else(|| Hash::of_blob(&[])) }
    }
}

/// Returns the path that proves leaf `index` of `leaves`, from the leaf up (RFC 6962, 2.1.1); empty if there is no such leaf.
pub fn inclusion_path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    let mut path = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 && index < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            path.push(subtree_root(right));
            leaves = left;
        } else {
            path.push(subtree_root(left));
            index -= left.len();
            leaves = right;
        }
    }
    path.reverse();
    path
}

/// The largest power of two below `count`.
const fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn subtree_root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(leaf);
    }
    frontier.head().root
}

/// Returns the path that proves that the first `size` of `leaves` are the beginning of all of them (RFC 6962, 2.1.2); empty
/// if there is nothing to prove.
pub fn consistency_path(leaves: &[Hash], size: usize) -> Vec<Hash> {
    let mut path = Vec::new();
    if size == 0 || size >= leaves.len() {
        return path;
    }
    let (mut leaves, mut size, mut is_whole) = (leaves, size, true);
    while size < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if size <= left.len() {
            path.push(subtree_root(right));
            leaves = left;
        } else {
            path.push(subtree_root(left));
            size -= left.len();
            (leaves, is_whole) = (right, false);
        }
    }
    if !is_whole {
        path.push(subtree_root(leaves));
    }
    path.reverse();
    path
}

/// Says whether `path` proves that the tree with the head `later` begins with all leaves of the one with the head
/// `earlier` (RFC 9162, 2.1.4.2).
pub fn proves_consistency(earlier: &Head, later: &Head, path: &[Hash]) -> bool {
    if earlier.size == later.size || earlier.size == 0 {
        let is_start = earlier.size == 0 && earlier.root == Frontier::new().head().root;
        return path.is_empty() && (is_start || earlier == later);
    }
    if earlier.size > later.size || path.is_empty() {
        return false;
    }
    // The root of a perfect tree is not repeated in the path.
    let first = if earlier.size.is_power_of_two() { &earlier.root } else { &path[0] };
    let rest = &path[usize::from(!earlier.size.is_power_of_two())..];
    let shift = (earlier.size - 1).trailing_ones();
    let (mut place, mut last) = ((earlier.size - 1) >> shift, (later.size - 1) >> shift);
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            (old, new) = (node_hash(sibling, &old), node_hash(sibling, &new));
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && old == earlier.root && new == later.root
}

/// Says whether `path` proves that `leaf` is the leaf `index` of the tree with this head (RFC 9162, 2.1.3.2).
pub fn proves_inclusion(head: &Head, index: u64, leaf: &Hash, path: &[Hash]) -> bool {
    if index >= head.size {
        return false;
    }
    let (mut node, mut last, mut place) = (leaf_hash(leaf), head.size - 1, index);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(sibling, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && node == head.root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1, word for word.
    fn reference(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of_blob(&[]),
            [leaf] => leaf_hash(leaf),
            _ => {
                let mut power = 1;
                while power * 2 < leaves.len() {
                    power *= 2;
                }
                node_hash(&reference(&leaves[..power]), &reference(&leaves[power..]))
            }
        }
    }

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|index| Hash::of_blob(&[index])).collect()
    }

    #[test]
    fn the_frontier_has_the_root_that_the_rfc_defines() {
        let leaves = leaves(70);
        let mut frontier = Frontier::new();
        for count in 0..leaves.len() {
            assert_eq!(frontier.head(), Head { size: count as u64, root: reference(&leaves[..count]) });
            assert_eq!(Frontier::from_parts(count as u64, frontier.roots().to_vec()), Some(frontier.clone()));
            frontier.push(&leaves[count]);
        }
        assert_eq!(
            Frontier::new().head().root.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_path_proves_its_leaf_and_no_other() {
        let leaves = leaves(20);
        for count in 1..leaves.len() {
            let head = Head { size: count as u64, root: reference(&leaves[..count]) };
            for index in 0..count {
                let path = inclusion_path(&leaves[..count], index);
                for (other, leaf) in leaves.iter().enumerate() {
                    assert_eq!(proves_inclusion(&head, index as u64, leaf, &path), other == index);
                }
                let mut longer = path.clone();
                longer.push(Hash::ZERO);
                assert!(!proves_inclusion(&head, index as u64, &leaves[index], &longer));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!proves_inclusion(&head, index as u64, &leaves[index], shorter));
                }
                assert!(!proves_inclusion(&head, count as u64, &leaves[index], &path));
            }
        }
    }

    #[test]
    fn a_head_has_one_spelling() {
        let head = Head { size: 12, root: Hash::of_blob(b"root") };
        assert_eq!(head.to_string().parse(), Ok(head));
        for text in ["", "12", "012:00", "+12:00", "12:", ":"] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
        assert_eq!(format!("012:{}", head.root).parse::<Head>(), Err(NotAHead::Size));
    }
}
