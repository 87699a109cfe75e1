//! Signing checkpoints of audit logs.
//!
//! The front writes the log and must not be able to write it anew, so the key is
//! here, and so is the first witness: nothing is signed that is not proven to go on
//! from what was signed before. Of the last life of this process there is the signed
//! checkpoint that the front keeps; of this life there is a memory, which a front
//! cannot talk around with an older one.
//!
//! It refuses to sign any text but a checkpoint, under any name but the log's own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use keyreeve_backend::{Error, KeyBackend};
use keyreeve_tlog::{Checkpoint, Hash, VerifierKey, check_consistency};
use zeroize::Zeroizing;

use super::serve::{Desk, Refusal};
use crate::{
    envelope::expand,
    frame::{PreviousCheckpoint, Response},
    key::LogId,
    root_key::RootKey,
};

/// Most logs that one life signs for; there is one for each node of an installation.
const MAX_LOGS: usize = 64;

/// Longest proof, in hashes: a path of a tree of 2⁶⁴ leaves, and its beginning.
const MAX_PROOF: usize = 65;

impl<'a, B: KeyBackend> Desk<'a, B> {
    /// The public key of a log, as a verifier takes it.
    pub(super) fn audit_key(self, log: LogId) -> Result<Response<'a>, Refusal> {
        let key = self.log_key(log)?;
        self.scratch.extend_from_slice(key.verifier.to_string().as_bytes());
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn sign_checkpoint(
        self,
        log: LogId,
        previous: PreviousCheckpoint<'_>,
        next: (u64, Hash),
        proof: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        let key = self.log_key(log)?;
        match self.shared.checkpoints.sign(log, &key, previous, next, proof) {
            Ok(signature) => {
                self.scratch.extend_from_slice(&signature);
                Ok(Response::Bytes(self.scratch))
            }
            Err(Unsigned::Inconsistent) => Ok(Response::Inconsistent),
            Err(Unsigned::Later(size)) => Ok(Response::SignedLater(size)),
            Err(Unsigned::Failed(error)) => Err(error.into()),
        }
    }

    /// Only the keyhost with the root key signs for the log.
    fn log_key(&self, log: LogId) -> Result<LogKey, Refusal> {
        let root = self.shared.custodian.root().ok_or(Refusal::Malformed)?;
        Ok(LogKey::derive(root, log)?)
    }
}

/// What was signed in this life, by log.
#[derive(Default)]
pub(super) struct Checkpoints(Mutex<HashMap<LogId, Checkpoint>>);

/// Why a checkpoint is not signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// It is not proven to go on from the last one.
    Inconsistent,
    /// It has to go on from one of this size, which was signed in this life.
    Later(u64),
    /// The key cannot be used.
    Failed(Error),
}

/// A log's key.
pub(super) struct LogKey {
    pair: Ed25519KeyPair,
    pub(super) verifier: VerifierKey,
}

impl LogKey {
    /// The key of `log`, from the installation's audit key (docs/formats.md, "Root key
    /// file").
    pub(super) fn derive(root: &RootKey, log: LogId) -> Result<Self, Error> {
        let broken = || Error::DeviceFailed("no Ed25519 key".into());
        let mut seed = Zeroizing::new([0; 32]);
        root.with_audit_key(|key| {
            expand(key, b"", &[b"keyreeve audit log v1", log.as_bytes()], &mut *seed);
        });
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| broken())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| broken())?;
        let verifier =
            VerifierKey::new(&log.origin(root.deployment()), public).map_err(|_| broken())?;
        Ok(Self { pair, verifier })
    }
}

impl Checkpoints {
    /// Signs the checkpoint of `size` and `root` of the log that `key` is of, if it is
    /// proven to go on from the last one.
    pub(super) fn sign(
        &self,
        log: LogId,
        key: &LogKey,
        previous: PreviousCheckpoint<'_>,
        (size, root): (u64, Hash),
        proof: &[u8],
    ) -> Result<[u8; 64], Unsigned> {
        let next = Checkpoint { origin: key.verifier.name().to_owned(), size, root };
        // Held while this signs: two checkpoints of one log must not both be next.
        let mut signed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = start(signed.get(&log), key, previous)?;
        let proof = hashes(proof).ok_or(Unsigned::Inconsistent)?;
        if !check_consistency((start.size, start.root), (size, root), &proof) {
            return Err(Unsigned::Inconsistent);
        }
        if signed.len() >= MAX_LOGS && !signed.contains_key(&log) {
            return Err(Unsigned::Failed(Error::DeviceFailed("too many audit logs".into())));
        }
        let signature = key.pair.sign(next.text().as_bytes());
        let bytes = signature
            .as_ref()
            .try_into()
            .map_err(|_| Unsigned::Failed(Error::DeviceFailed("not 64 bytes".into())))?;
        signed.insert(log, next);
        Ok(bytes)
    }
}

/// Where the proof has to begin. What was signed in this life counts more than
/// anything that comes along.
fn start(
    last: Option<&Checkpoint>,
    key: &LogKey,
    previous: PreviousCheckpoint<'_>,
) -> Result<Checkpoint, Unsigned> {
    let given = match previous {
        PreviousCheckpoint::Nothing => empty(key),
        PreviousCheckpoint::Signed(note) => {
            Checkpoint::open(note, &key.verifier).map_err(|_| Unsigned::Inconsistent)?
        }
        PreviousCheckpoint::Remembered => {
            return last.cloned().ok_or(Unsigned::Inconsistent);
        }
    };
    match last {
        Some(last) if *last != given => Err(Unsigned::Later(last.size)),
        _ => Ok(given),
    }
}

fn empty(key: &LogKey) -> Checkpoint {
    Checkpoint { origin: key.verifier.name().to_owned(), size: 0, root: Hash::of_empty_tree() }
}

fn hashes(proof: &[u8]) -> Option<Vec<Hash>> {
    let chunks = proof.chunks_exact(Hash::LEN);
    if !chunks.remainder().is_empty() || chunks.len() > MAX_PROOF {
        return None;
    }
    chunks.map(Hash::from_slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId::from_bytes([3; 8]);

    fn key() -> LogKey {
        let root = RootKey::for_tests(&[9; 32]);
        LogKey::derive(&root, LOG).expect("a key")
    }

    fn leaf(text: &str) -> Hash {
        Hash::of_leaf(text.as_bytes())
    }

    fn head(leaves: &[Hash]) -> (u64, Hash) {
        let root = match leaves {
            [] => Hash::of_empty_tree(),
            [one] => *one,
            [one, two] => Hash::of_node(one, two),
            _ => unreachable!("two leaves are enough here"),
        };
        (leaves.len() as u64, root)
    }

    fn note(key: &LogKey, (size, root): (u64, Hash), signature: &[u8; 64]) -> String {
        let checkpoint = Checkpoint { origin: key.verifier.name().to_owned(), size, root };
        key.verifier.seal(&checkpoint.text(), signature)
    }

    /// Guards against a log that is written anew and signed all the same: in this life
    /// by the memory, after a start by the checkpoint that was kept.
    #[test]
    fn a_log_only_ever_grows() {
        let (key, checkpoints) = (key(), Checkpoints::default());
        let (a, b, c) = (leaf("a"), leaf("b"), leaf("c"));
        let ab = head(&[a, b]);
        let sign = |on: &Checkpoints, previous, next, proof: &[u8]| {
            on.sign(LOG, &key, previous, next, proof)
        };
        let nothing = PreviousCheckpoint::Nothing;
        let first = sign(&checkpoints, nothing, head(&[a]), &[]).expect("from nothing");
        let first = note(&key, head(&[a]), &first);
        let from_first = PreviousCheckpoint::Signed(first.as_bytes());
        let second = sign(&checkpoints, from_first, ab, &b.0).expect("it goes on");

        // Backwards, another second record, and a log that begins anew.
        assert_eq!(sign(&checkpoints, from_first, ab, &b.0), Err(Unsigned::Later(2)));
        assert_eq!(sign(&checkpoints, nothing, head(&[a]), &[]), Err(Unsigned::Later(2)));
        let remembered = PreviousCheckpoint::Remembered;
        let inconsistent = Err(Unsigned::Inconsistent);
        assert_eq!(sign(&checkpoints, remembered, head(&[a]), &[]), inconsistent);
        assert_eq!(sign(&checkpoints, remembered, head(&[a, c]), &[]), inconsistent);
        assert_eq!(sign(&checkpoints, remembered, ab, &[]), Ok(second));

        // A life later, with nothing to remember.
        let later = Checkpoints::default();
        assert_eq!(sign(&later, remembered, ab, &[]), inconsistent);
        assert_eq!(sign(&later, from_first, head(&[c, b]), &b.0), inconsistent);
        assert_eq!(sign(&later, from_first, ab, &[0; 31]), inconsistent);
        let forged = first.replace("\n1\n", "\n2\n");
        let forged = PreviousCheckpoint::Signed(forged.as_bytes());
        assert_eq!(sign(&later, forged, ab, &[]), inconsistent);
        sign(&later, from_first, ab, &b.0).expect("the true one goes on");
    }

    /// Guards against one log's key vouching for another log.
    #[test]
    fn each_log_has_a_key_of_its_own() {
        let root = RootKey::for_tests(&[9; 32]);
        let one = LogKey::derive(&root, LOG).expect("a key").verifier;
        let two = LogKey::derive(&root, LogId::from_bytes([4; 8])).expect("a key").verifier;
        let other = LogKey::derive(&RootKey::for_tests(&[8; 32]), LOG).expect("a key").verifier;
        assert_ne!(one.public(), two.public());
        assert_ne!(one.public(), other.public());
        assert_ne!(one.name(), other.name());
    }
}
