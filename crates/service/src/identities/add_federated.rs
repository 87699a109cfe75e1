//! Have tokens of another issuer prove a principal.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use super::{MAX_FEDERATED, check_room};
use crate::{
    Account, Caller, Error, FederatedCredential, Service, draw, gate::Ask, record::FederatedRecord,
};

impl Service {
    /// Adds a federated credential; its `id` and `created` are ignored. The issuer must
    /// be one of the configuration by the time such a token is presented. Returned with
    /// the credential's id.
    pub async fn add_federated_credential(
        &self,
        caller: &Caller,
        principal: &str,
        credential: &FederatedCredential,
        deadline: Deadline,
    ) -> Result<(Arc<Account>, String), Error> {
        let ask = Ask::principal("AddFederatedCredential", Action::WriteIdentity, Some(principal));
        self.run(caller, ask, deadline, move |permit| async move {
            check("issuer", &credential.issuer)?;
            check("subject", &credential.subject)?;
            check("audience", &credential.audience)?;
            let id = draw::credential_id()?;
            let added = FederatedRecord {
                id: id.clone(),
                issuer: credential.issuer.clone(),
                subject: credential.subject.clone(),
                audience: credential.audience.clone(),
                created: self.shared().clock.now().0,
            };
            let account = self
                .change_account(&permit, principal, deadline, |record| {
                    check_room(record.federated.len())?;
                    record.federated.push(added.clone());
                    Ok(())
                })
                .await?;
            Ok((account, id))
        })
        .await
    }
}

/// Compared byte for byte, so anything goes that can be in a claim. A pattern would be
/// taken for its characters, which nobody means: `*` is refused.
fn check(field: &'static str, text: &str) -> Result<(), Error> {
    if text.is_empty() || text.len() > MAX_FEDERATED || text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "it has 1 to 1024 bytes and no control characters"));
    }
    if text.contains('*') {
        return Err(Error::invalid(field, "there are no patterns here: it is compared as it is"));
    }
    Ok(())
}
