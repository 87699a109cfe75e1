//! Take a credential from a principal.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Account, Caller, Error, Service, gate::Ask};

impl Service {
    /// Removes the client secret, certificate or federated credential of that id. Access
    /// tokens that were issued for it last until they end, an hour at most: revoke them,
    /// or disable the principal, if that is too long.
    pub async fn remove_credential(
        &self,
        caller: &Caller,
        principal: &str,
        credential: &str,
        deadline: Deadline,
    ) -> Result<Arc<Account>, Error> {
        let ask = Ask::credential("RemoveCredential", Action::WriteIdentity, Some(credential));
        self.run(caller, ask, deadline, move |permit| async move {
            self.change_account(&permit, principal, deadline, |record| {
                let count = |record: &crate::record::PrincipalRecord| {
                    record.secrets.len() + record.certificates.len() + record.federated.len()
                };
                let before = count(record);
                record.secrets.retain(|one| one.id != credential);
                record.certificates.retain(|one| one.id != credential);
                record.federated.retain(|one| one.id != credential);
                if count(record) == before {
                    return Err(Error::not_found(
                        "such credential; `keyreeve principal show` shows them",
                    ));
                }
                Ok(())
            })
            .await
        })
        .await
    }
}
