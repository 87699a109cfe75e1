//! Prove who presents a token that Keyreeve issued.

use std::sync::Arc;

use crate::{Identity, Shared, TokenOwner};

impl Shared {
    /// Whom the token with the SHA-256 `hash` proves now; `None` if it was not issued,
    /// has ended or was revoked, or if its principal is disabled or gone. Reads a
    /// snapshot and no store.
    ///
    /// The look-up's time can tell something about a hash, which tells nothing about a
    /// token that has 256 random bits.
    pub fn prove_token(&self, hash: &[u8; 32]) -> Option<Arc<Identity>> {
        let people = self.directory.now();
        let token = people.token(hash)?;
        if self.clock.now().0 >= token.expires().0 {
            return None;
        }
        match token.owner() {
            TokenOwner::Name(_) => token.identity(None),
            TokenOwner::Principal(id) => {
                let account = people.accounts.get(id).filter(|account| account.enabled())?;
                token.identity(Some(account.subject()))
            }
        }
    }
}
