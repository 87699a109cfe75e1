//! The tree and its proofs against a second, naive reading of RFC 6962.

use std::sync::LazyLock;

use keyreeve_audit::{Hash, InclusionProof, Tree, check_consistency, check_inclusion, prove};
use proptest::prelude::*;

use crate::support::{closed, key, record};

/// MTH of RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Hash::of_empty_tree(),
        [leaf] => Hash::of_leaf(leaf),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Hash::of_node(&mth(left), &mth(right))
        }
    }
}

/// PATH of RFC 6962 section 2.1.1.
fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (mut path, sibling) = if m < k {
        (path(m, &leaves[..k]), mth(&leaves[k..]))
    } else {
        (path(m - k, &leaves[k..]), mth(&leaves[..k]))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 section 2.1.2.
fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = split(leaves.len());
    let (mut proof, sibling) = if m <= k {
        (subproof(m, &leaves[..k], whole), mth(&leaves[k..]))
    } else {
        (subproof(m - k, &leaves[k..], false), mth(&leaves[..k]))
    };
    proof.push(sibling);
    proof
}

fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

fn leaves(n: usize) -> Vec<Vec<u8>> {
    (0..n).map(|i| i.to_string().into_bytes()).collect()
}

fn grown(leaves: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.append(Hash::of_leaf(leaf));
    }
    tree
}

/// Guards against hashing that is our own: the roots that Certificate Transparency's
/// reference tests give for their eight leaves.
#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    assert_eq!(
        hex::encode(tree.root().0),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (leaf, root) in leaves.iter().zip(roots) {
        tree.append(Hash::of_leaf(&hex::decode(leaf).unwrap()));
        assert_eq!(hex::encode(tree.root().0), root);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Guards against a tree that is right for the sizes we thought of.
    #[test]
    fn the_tree_is_that_of_rfc_6962(n in 0usize..1500) {
        let leaves = leaves(n);
        prop_assert_eq!(grown(&leaves).root(), mth(&leaves));
    }

    /// Guards against proofs that hold for what is not so: another leaf, index, size,
    /// root, or a path with something missing or changed.
    #[test]
    fn inclusion_holds_for_what_is_in_the_tree_alone(
        (n, m) in (1usize..600).prop_flat_map(|n| (Just(n), 0..n)),
        wrong in 0usize..12,
    ) {
        let leaves = leaves(n);
        let (leaf, root, path) = (Hash::of_leaf(&leaves[m]), mth(&leaves), path(m, &leaves));
        let (m, n) = (m as u64, n as u64);
        prop_assert!(check_inclusion(leaf, m, n, root, &path));
        prop_assert!(!check_inclusion(Hash([1; 32]), m, n, root, &path));
        prop_assert!(!check_inclusion(leaf, n, n, root, &path));
        prop_assert!(!check_inclusion(leaf, m, n, Hash([1; 32]), &path));
        let longer = [&path[..], &[root]].concat();
        prop_assert!(!check_inclusion(leaf, m, n, root, &longer));
        if !path.is_empty() {
            let mut changed = path.clone();
            changed[wrong % path.len()].0[wrong] ^= 1;
            prop_assert!(!check_inclusion(leaf, m, n, root, &changed));
            prop_assert!(!check_inclusion(leaf, m, n, root, &path[1..]));
        }
    }

    /// Guards against a rewritten log that passes as the continuation of an old one.
    #[test]
    fn consistency_holds_for_continuations_alone(
        (n, m) in (1usize..600).prop_flat_map(|n| (Just(n), 1..=n)),
        wrong in 0usize..12,
    ) {
        let leaves = leaves(n);
        let (old, new) = (mth(&leaves[..m]), mth(&leaves));
        let (m, n) = (m as u64, n as u64);
        let proof = subproof(m as usize, &leaves, true);
        prop_assert!(check_consistency((m, old), (n, new), &proof));
        prop_assert!(!check_consistency((m, Hash([1; 32])), (n, new), &proof));
        prop_assert!(!check_consistency((m, old), (n, Hash([1; 32])), &proof));
        if m < n {
            prop_assert!(!check_consistency((n, new), (m, old), &proof));
        }
        if !proof.is_empty() {
            let mut changed = proof.clone();
            changed[wrong % proof.len()].0[wrong] ^= 1;
            prop_assert!(!check_consistency((m, old), (n, new), &changed));
            prop_assert!(!check_consistency((m, old), (n, new), &proof[1..]));
        }
    }

    /// Guards against paths read from tiles that differ from those of the RFC, and
    /// against a text form that loses something.
    #[test]
    fn proofs_from_tiles_are_those_of_rfc_6962(index in 0u64..70_000) {
        let index = index % LOG_SIZE;
        let proof = prove(LOG.path(), &key(), index).unwrap();
        prop_assert_eq!(&proof.path, &path(index as usize, &ENTRIES));
        let parsed = InclusionProof::parse(&proof.to_string()).unwrap();
        prop_assert_eq!(&parsed, &proof);
        let checkpoint = parsed.check(&ENTRIES[index as usize], &key()).unwrap();
        prop_assert_eq!(checkpoint.size, LOG_SIZE);
        prop_assert!(parsed.check(&record(index + 1).encode(), &key()).is_err());
    }

    /// Guards against a parser that panics or takes a proof for another.
    #[test]
    fn a_damaged_proof_is_no_proof(at in 0usize..4000, bit in 0u8..7) {
        let proof = prove(LOG.path(), &key(), 300).unwrap().to_string();
        let mut bytes = proof.into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let entry = &ENTRIES[300];
        if let Ok(proof) = std::str::from_utf8(&bytes)
            .map_err(|_| ())
            .and_then(|text| InclusionProof::parse(text).map_err(|_| ()))
        {
            prop_assert!(proof.check(entry, &key()).is_err());
        }
    }
}

const LOG_SIZE: u64 = 1333;
static LOG: LazyLock<tempfile::TempDir> = LazyLock::new(|| closed(LOG_SIZE, &[]));
static ENTRIES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| (0..LOG_SIZE).map(|number| record(number).encode()).collect());
