//! Operations on principals that Keyreeve keeps, their credentials, and tokens.
//!
//! Whoever may write here may be anyone, which is why only an Owner may. A secret is
//! shown once, in the answer that made it; what is stored proves it and does not reveal
//! it.

mod add_certificate;
mod add_federated;
mod add_secret;
mod create_principal;
mod create_token;
mod delete_principal;
mod get_principal;
mod issue_access_token;
mod list_principals;
mod list_tokens;
mod prove_client;
mod prove_token;
mod remove_credential;
mod revoke_token;
mod update_principal;

use std::sync::Arc;

use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use keyreeve_types::{Secret, UnixTime};

pub use create_principal::CreatePrincipal;
pub use create_token::CreateToken;
pub use issue_access_token::{ACCESS_TOKEN_LIFE, AccessToken};
pub use prove_client::{ClientProof, NotProven};
pub use update_principal::PrincipalChanges;

use crate::{
    Account, Error, Service,
    commit::{NotCommitted, encode},
    directory::Path,
    gate::Permit,
    record::PrincipalRecord,
};

/// Most credentials of one kind that a principal has.
pub const MAX_CREDENTIALS: usize = 20;
/// Longest display name, in bytes.
pub const MAX_DISPLAY_NAME: usize = 256;
/// Longest issuer, subject and audience of a federated credential, in bytes.
pub const MAX_FEDERATED: usize = 1024;
/// Longest life of a token or client secret, in seconds: ten years.
pub const MAX_LIFE: i64 = 10 * 366 * 86_400;

/// Something that was made, with the secret that is shown this once.
#[derive(Debug)]
pub struct Made<T> {
    /// What was made.
    pub made: T,
    /// The secret.
    pub secret: Secret<String>,
}

/// How often a principal that somebody else changed is read again.
const ATTEMPTS: usize = 3;

impl Service {
    /// The principal of that id, whatever the case of its letters.
    fn account(&self, _: &Permit, id: &str) -> Result<Arc<Account>, Error> {
        let people = self.shared().directory.now();
        let found = people.accounts.get(id.to_ascii_lowercase().as_str()).map(Arc::clone);
        found
            .ok_or_else(|| Error::not_found("such principal; `keyreeve principal list` shows them"))
    }

    /// Changes a principal's record, again if somebody else changed it meanwhile.
    async fn change_account(
        &self,
        permit: &Permit,
        id: &str,
        deadline: Deadline,
        change: impl Fn(&mut PrincipalRecord) -> Result<(), Error>,
    ) -> Result<Arc<Account>, Error> {
        for _ in 0..ATTEMPTS {
            let account = self.account(permit, id)?;
            let mut record = account.record.clone();
            change(&mut record)?;
            let path = Path::Principal(account.id().into()).to_store();
            let batch = Batch::new()
                .require_revision(path.clone(), account.revision)
                .put(path, encode(&record)?);
            match self.commit(permit, batch, deadline).await {
                Ok(()) => return self.account(permit, id),
                // The winner's commit arrives here by the watch if it was another node's.
                Err(NotCommitted::Conflict) => tokio::task::yield_now().await,
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::contended())
    }
}

/// When something made at `now` ends, if that is lawful.
fn end(now: UnixTime, expires: UnixTime) -> Result<i64, Error> {
    if (now.0 + 1..=now.0 + MAX_LIFE).contains(&expires.0) {
        return Ok(expires.0);
    }
    Err(Error::invalid("expire_time", "it must lie in the future, by at most ten years"))
}

/// Text that people read and nothing else.
fn check_display_name(name: &str) -> Result<(), Error> {
    let lawful =
        (1..=MAX_DISPLAY_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
    if lawful {
        return Ok(());
    }
    Err(Error::invalid("display_name", "it has 1 to 256 bytes and no control characters"))
}

fn check_room(count: usize) -> Result<(), Error> {
    if count < MAX_CREDENTIALS {
        return Ok(());
    }
    Err(Error::precondition(
        "TOO_MANY_CREDENTIALS",
        "the principal has 20 credentials of this kind; remove one that is no longer used",
    ))
}
