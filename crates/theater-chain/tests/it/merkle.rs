//! Merkle trees and proofs agree with a second implementation, and with the vectors of Certificate Transparency.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;
use theater_chain::{
    Frontier, Hash, Head, consistency_path, inclusion_path, proves_consistency, proves_inclusion,
};

fn head(leaves: &[Hash]) -> Head {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.push(leaf));
    frontier.head()
}

fn other_tree(leaves: &[Hash]) -> MemoryBackedTree<Sha256, [u8; 32]> {
    let mut tree = MemoryBackedTree::new();
    leaves.iter().for_each(|leaf| tree.push(leaf.0));
    tree
}

fn joined(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| hash.0).collect()
}

fn leaves(count: usize, seed: u64) -> Vec<Hash> {
    (0..count as u64)
        .map(|number| Hash::of_blob(&[seed.to_le_bytes(), number.to_le_bytes()].concat()))
        .collect()
}

proptest! {
    #[test]
    fn both_implementations_have_the_same_roots_and_paths(
        count in 1..600usize, place in any::<prop::sample::Index>(), before in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let leaves = leaves(count, seed);
        let (place, before) = (place.index(count), before.index(count) + 1);
        let (later, earlier) = (head(&leaves), head(&leaves[..before]));
        let (tree, tree_before) = (other_tree(&leaves), other_tree(&leaves[..before]));
        let root = tree.root();
        prop_assert_eq!(root.as_bytes().as_slice(), later.root.0.as_slice());

        let path = inclusion_path(&leaves, place);
        prop_assert_eq!(tree.prove_inclusion(place).as_bytes().to_vec(), joined(&path));
        prop_assert!(proves_inclusion(&later, place as u64, &leaves[place], &path));
        let theirs = InclusionProof::<Sha256>::try_from_bytes(joined(&path)).unwrap();
        tree.root().verify_inclusion(&leaves[place].0, place as u64, &theirs).unwrap();

        let path = consistency_path(&leaves, before);
        prop_assert_eq!(tree.prove_consistency(count - before).as_bytes().to_vec(), joined(&path));
        prop_assert!(proves_consistency(&earlier, &later, &path));
        let theirs = ConsistencyProof::<Sha256>::try_from_bytes(joined(&path)).unwrap();
        tree.root().verify_consistency(&tree_before.root(), &theirs).unwrap();
    }

    #[test]
    fn both_implementations_refuse_the_same_altered_proofs(
        count in 2..200usize, before in any::<prop::sample::Index>(), alter in 0..6u8, at in any::<prop::sample::Index>(),
    ) {
        let leaves = leaves(count, 1);
        let before = before.index(count - 1) + 1;
        let (mut later, mut earlier) = (head(&leaves), head(&leaves[..before]));
        let mut path = consistency_path(&leaves, before);
        let at = at.index(path.len());
        match alter {
            0 => path[at].0[at % 32] ^= 1,
            1 => drop(path.remove(at)),
            2 => path.insert(at, Hash::ZERO),
            3 => earlier.root.0[0] ^= 1,
            4 => later.root.0[0] ^= 1,
            _ => earlier.size += 1,
        }
        let root = |head: &Head| RootHash::<Sha256>::new(head.root.0.into(), head.size);
        let theirs = ConsistencyProof::<Sha256>::try_from_bytes(joined(&path)).unwrap();
        let holds = root(&later).verify_consistency(&root(&earlier), &theirs).is_ok();
        prop_assert_eq!(proves_consistency(&earlier, &later, &path), holds);
        prop_assert!(!holds);
    }
}

#[test]
fn every_small_tree_continues_every_smaller_one_and_no_other() {
    let leaves = leaves(33, 0);
    for count in 0..leaves.len() {
        let later = head(&leaves[..count]);
        for before in 0..=count {
            let path = consistency_path(&leaves[..count], before);
            for other in 0..=count {
                let earlier = head(&leaves[..other]);
                // Nothing is needed to continue nothing.
                let is_one =
                    other == before || (other == 0 && path.is_empty()) || (other == count && path.is_empty());
                assert_eq!(
                    proves_consistency(&earlier, &later, &path),
                    is_one,
                    "{other} of {before} in {count}"
                );
            }
        }
    }
}

/// Root after each of the eight entries of Certificate Transparency's reference tests.
const CT_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_second_implementation_has_the_roots_of_certificate_transparency() {
    // Our leaves are always hashes, those of the vectors are not: the bridge is the implementation that agrees with ours.
    let entries: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (entry, root) in entries.iter().zip(CT_ROOTS) {
        tree.push(entry.to_vec());
        let found = Hash(tree.root().as_bytes().as_slice().try_into().unwrap());
        assert_eq!(found.to_string(), root);
    }
}
