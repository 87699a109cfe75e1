//! Revoke a token.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::ATTEMPTS;
use crate::{
    Caller, Error, IssuedToken, Service,
    commit::{NotCommitted, encode},
    directory::Path,
    gate::Ask,
};

impl Service {
    /// Revokes a token. When this returns, no request that begins on this node is taken
    /// with it; a token that was revoked before is left as it is.
    pub async fn revoke_token(
        &self,
        caller: &Caller,
        id: &str,
        deadline: Deadline,
    ) -> Result<Arc<IssuedToken>, Error> {
        let ask = Ask::credential("RevokeToken", Action::WriteIdentity, Some(id));
        self.run(caller, ask, deadline, move |permit| async move {
            for _ in 0..ATTEMPTS {
                let token = self.token(id)?;
                if token.revoked().is_some() {
                    return Ok(token);
                }
                let mut record = token.record.clone();
                record.revoked = Some(self.shared().clock.now().0);
                let path = Path::Token(token.id().into()).to_store();
                let batch = Batch::new()
                    .require_revision(path.clone(), token.revision)
                    .put(path, encode(&record)?);
                match self.commit(&permit, batch, deadline).await {
                    Ok(()) => return self.token(id),
                    Err(NotCommitted::Conflict) => tokio::task::yield_now().await,
                    Err(other) => return Err(other.into()),
                }
            }
            Err(Error::contended())
        })
        .await
    }

    fn token(&self, id: &str) -> Result<Arc<IssuedToken>, Error> {
        let people = self.shared().directory.now();
        let found = people.tokens.get(id.to_ascii_lowercase().as_str()).map(Arc::clone);
        found.ok_or_else(|| Error::not_found("such token; `keyreeve token list` shows them"))
    }
}
