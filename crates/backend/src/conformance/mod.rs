//! The suite that every backend passes.
//!
//! It is driven by [`Capabilities`]: what a backend lists must work and agree with
//! an outside opinion; what it does not list must be refused with
//! [`Error::Unsupported`], never with a panic. It calls nothing but the contract,
//! so it judges a backend in this process, behind a wrapper or behind a keyhost
//! alike.
//!
//! Signatures and RSA ciphertexts are judged and made by an [`Outside`] that the
//! caller supplies, on another library than the backend's where there is one. AES,
//! HMAC and imported keys are judged by fixed vectors.
//!
//! A check panics with what went wrong: it is test code that happens to ship with
//! the contract. It refuses to measure time.

mod content;
mod fixtures;
mod imports;
mod keys;
mod lifecycle;
mod macs;
mod misuse;
mod rsa;
mod sessions;
mod signatures;
mod vectors;
mod wrapping;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
};

use keyreeve_types::{KeySpec, RsaPadding, SignatureAlgorithm};

use crate::{Capabilities, Error, KeyBackend};
use keys::Stored;

/// An opinion from outside the backend.
pub trait Outside: Sync {
    /// Whether `signature` verifies with the key in `spki`
    /// (`SubjectPublicKeyInfo` DER) over `input`: digest or message, as the
    /// algorithm takes it. ECDSA signatures are r‖s.
    fn verify(
        &self,
        spki: &[u8],
        algorithm: SignatureAlgorithm,
        input: &[u8],
        signature: &[u8],
    ) -> bool;

    /// Encrypts to the RSA key in `spki`; the plaintext fits.
    fn encrypt(&self, spki: &[u8], padding: RsaPadding, plaintext: &[u8]) -> Vec<u8>;
}

/// A run of the suite over one backend.
pub struct Suite<'a, B: KeyBackend> {
    backend: &'a B,
    outside: &'a dyn Outside,
    kinds: Vec<KeySpec>,
    stored: Mutex<HashMap<(KeySpec, u16), Stored>>,
}

/// A check: its name, and what it does.
pub type Check<'a, B> = (&'static str, fn(&Suite<'a, B>));

impl<'a, B: KeyBackend> Suite<'a, B> {
    /// Every check, in the order they run.
    pub const CHECKS: &'a [Check<'a, B>] = &[
        ("capabilities fit together", Self::capabilities_fit_together),
        ("random bytes differ", Self::random_bytes_differ),
        ("a new key has its public half", Self::a_new_key_has_its_public_half),
        ("generating is idempotent in a device", Self::generating_is_idempotent_in_a_device),
        ("a destroyed key is gone", Self::a_destroyed_key_is_gone),
        ("corrupt material is refused", Self::corrupt_material_is_refused),
        ("an imported key is the one given", Self::an_imported_key_is_the_one_given),
        ("a key of another kind is refused", Self::a_key_of_another_kind_is_refused),
        ("signatures verify outside", Self::signatures_verify_outside),
        ("a digest of another length is refused", Self::a_digest_of_another_length_is_refused),
        ("messages of any size are signed", Self::messages_of_any_size_are_signed),
        ("macs are those of the vectors", Self::macs_are_those_of_the_vectors),
        ("macs of any size", Self::macs_of_any_size),
        ("aes decrypts the vectors", Self::aes_decrypts_the_vectors),
        ("aes decrypts what it encrypts", Self::aes_decrypts_what_it_encrypts),
        ("aes never repeats a nonce", Self::aes_never_repeats_a_nonce),
        ("tampered gcm is refused", Self::tampered_gcm_is_refused),
        ("damaged cbc is refused", Self::damaged_cbc_is_refused),
        ("cbc takes whole blocks", Self::cbc_takes_whole_blocks),
        ("rsa decrypts what was encrypted outside", Self::rsa_decrypts_from_outside),
        ("damaged rsa ciphertext is refused", Self::damaged_rsa_is_refused),
        ("aes unwraps the vectors", Self::aes_unwraps_the_vectors),
        ("aes unwraps what it wraps", Self::aes_unwraps_what_it_wraps),
        ("damaged wrapping is refused", Self::damaged_wrapping_is_refused),
        ("what cannot be wrapped is refused", Self::what_cannot_be_wrapped_is_refused),
        ("an algorithm for another key is refused", Self::another_keys_algorithm_is_refused),
        ("what is not listed is unsupported", Self::what_is_not_listed_is_unsupported),
        ("threads work side by side", Self::threads_work_side_by_side),
    ];

    /// A run over `backend`, with keys of every kind it has.
    pub fn new(backend: &'a B, outside: &'a dyn Outside) -> Self {
        Self { backend, outside, kinds: KeySpec::ALL.to_vec(), stored: Mutex::default() }
    }

    /// Leaves out kinds of key, where making them takes too long for the test at
    /// hand: RSA-4096 in a software token takes seconds.
    pub fn without(mut self, kinds: &[KeySpec]) -> Self {
        self.kinds.retain(|kind| !kinds.contains(kind));
        self
    }

    /// Runs every check, then destroys the keys it made.
    ///
    /// # Panics
    ///
    /// If checks failed: with the name of each and what it saw.
    pub fn run(&self) -> Vec<&'static str> {
        let mut failures = Vec::new();
        for (name, check) in Self::CHECKS {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(self))) {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                failures.push(format!("{name}: {}", text.unwrap_or("a panic without a text")));
            }
        }
        self.clean_up();
        assert!(failures.is_empty(), "checks failed:\n{}", failures.join("\n"));
        Self::CHECKS.iter().map(|(name, _)| *name).collect()
    }

    fn capabilities(&self) -> &Capabilities {
        self.backend.capabilities()
    }

    fn session(&self) -> B::Session {
        self.backend.open_session().expect("a session opens")
    }
}

/// Asserts that an operation answered `expected` and left `out` as it was.
#[track_caller]
fn assert_refused(answer: Result<(), Error>, expected: &Error, out: &[u8], what: &str) {
    assert_eq!(answer.as_ref().err(), Some(expected), "{what}");
    assert_eq!(out, BEFORE, "{what}: something of a result remains in the output");
}

/// What stands in an output buffer before an operation appends to it.
const BEFORE: &[u8] = b"before";

fn buffer() -> Vec<u8> {
    BEFORE.to_vec()
}

/// What an operation appended to [`BEFORE`].
#[track_caller]
fn appended(out: &[u8]) -> &[u8] {
    out.strip_prefix(BEFORE).expect("an operation appends and leaves what was there")
}
