//! Principals that Keyreeve keeps, and the tokens it issued, in memory.
//!
//! A snapshot beside the registry's, read without a lock whenever a token is proven:
//! tokens by the SHA-256 of their characters, principals by their ids. A commit is
//! taken over before it is acknowledged, so that whoever has the answer to a revocation
//! finds the token gone.
//!
//! What was deleted is remembered by its revision for as long as the process lives:
//! the watch delivers commits that were taken over before, and must not bring back what
//! a later one removed.

mod account;
mod apply;
mod issued;
mod path;

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, Guard};
use imbl::{HashMap, OrdMap};
use keyreeve_store::Revision;

pub use account::{Account, CertificateCredential, ClientSecret, FederatedCredential};
pub use issued::{IssuedToken, TokenOwner};
pub(crate) use path::Path;

/// Everybody at one moment.
#[derive(Clone, Default)]
pub(crate) struct People {
    /// By id.
    pub(crate) accounts: OrdMap<Box<str>, Arc<Account>>,
    /// By id.
    pub(crate) tokens: OrdMap<Box<str>, Arc<IssuedToken>>,
    /// Those that are not revoked, by the SHA-256 of their characters.
    by_hash: HashMap<[u8; 32], Arc<IssuedToken>>,
    /// What was deleted, and when.
    deleted: OrdMap<Path, Revision>,
}

/// The directory.
pub(crate) struct Directory {
    people: ArcSwap<People>,
    /// Held while a snapshot is replaced, by writers alone.
    writing: Mutex<()>,
}

impl Directory {
    pub(crate) fn empty() -> Self {
        Self { people: ArcSwap::from_pointee(People::default()), writing: Mutex::new(()) }
    }

    /// This moment. Not to be held across an `await`: it keeps a writer's slot busy.
    pub(crate) fn now(&self) -> Guard<Arc<People>> {
        self.people.load()
    }
}

impl People {
    /// The token of that hash, unless it was revoked.
    pub(crate) fn token(&self, hash: &[u8; 32]) -> Option<&Arc<IssuedToken>> {
        self.by_hash.get(hash)
    }
}
