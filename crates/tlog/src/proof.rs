//! Inclusion and consistency: making proofs from a tree's perfect subtrees, and
//! checking them with two roots alone (RFC 6962 section 2.1, RFC 9162 sections
//! 2.1.3.2 and 2.1.4.2).

use crate::Hash;

/// Gives the roots of a tree's perfect subtrees.
pub trait Subtrees {
    /// Why a hash cannot be read.
    type Error;

    /// The root over the `2^level` leaves from `index · 2^level` on, all of which the
    /// tree has.
    ///
    /// # Errors
    /// If it cannot be read.
    fn perfect(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root over the leaves `start..end`, where `start` is where the largest perfect
/// subtree below `end` could begin.
///
/// # Errors
/// Those of `tree`.
pub fn root<S: Subtrees>(tree: &S, start: u64, end: u64) -> Result<Hash, S::Error> {
    let width = end - start;
    if width == 0 {
        return Ok(Hash::of_empty_tree());
    }
    if width.is_power_of_two() {
        let level = width.trailing_zeros();
        return tree.perfect(level, start >> level);
    }
    let split = start + left_width(width);
    Ok(Hash::of_node(&root(tree, start, split)?, &root(tree, split, end)?))
}

/// The proof that leaf `index` is in the tree of `size` leaves: the siblings on the
/// way up, the leaf's first.
///
/// # Errors
/// Those of `tree`.
pub fn inclusion<S: Subtrees>(tree: &S, index: u64, size: u64) -> Result<Vec<Hash>, S::Error> {
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let split = start + left_width(end - start);
        if index < split {
            path.push(root(tree, split, end)?);
            end = split;
        } else {
            path.push(root(tree, start, split)?);
            start = split;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// # Errors
/// Those of `tree`.
pub fn consistency<S: Subtrees>(tree: &S, old: u64, new: u64) -> Result<Vec<Hash>, S::Error> {
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut start, mut end, mut whole) = (0, new, true);
    while end != old {
        let split = start + left_width(end - start);
        if old <= split {
            path.push(root(tree, split, end)?);
            end = split;
        } else {
            path.push(root(tree, start, split)?);
            start = split;
            whole = false;
        }
    }
    if !whole {
        path.push(root(tree, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The largest power of two below `width`, which is at least 2.
const fn left_width(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// Whether `path` leads from `leaf` at `index` to the root of a tree of `size` leaves.
pub fn check_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, path: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = Hash::of_node(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether `path` proves that the tree `new` (size and root) begins with `old`.
pub fn check_consistency(old: (u64, Hash), new: (u64, Hash), path: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        let empty = Hash::of_empty_tree();
        return path.is_empty() && old_root == empty && (new_size > 0 || new_root == empty);
    }
    if old_size >= new_size {
        return old == new && path.is_empty();
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut path = path.iter();
    let first = if node == 0 {
        old_root
    } else {
        let Some(first) = path.next() else { return false };
        *first
    };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = Hash::of_node(sibling, &old_hash);
            new_hash = Hash::of_node(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = Hash::of_node(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}
