//! Give a principal a client secret.

use std::sync::Arc;

use keyreeve_authz::{Action, PrincipalKind};
use keyreeve_identity::secret;
use keyreeve_keyhost::Deadline;
use keyreeve_types::UnixTime;

use super::{Made, check_room, end};
use crate::{Account, Caller, Error, Service, draw, gate::Ask, record::SecretRecord};

impl Service {
    /// Makes a client secret that ends at `expires`. Returned with the principal and the
    /// secret's id.
    pub async fn add_client_secret(
        &self,
        caller: &Caller,
        principal: &str,
        expires: UnixTime,
        deadline: Deadline,
    ) -> Result<Made<(Arc<Account>, String)>, Error> {
        let ask = Ask::principal("AddClientSecret", Action::WriteIdentity, Some(principal));
        self.run(caller, ask, deadline, move |permit| async move {
            let now = self.shared().clock.now();
            let expires = end(now, expires)?;
            let (id, made) =
                (draw::credential_id()?, secret::new(secret::CLIENT_SECRET, &draw::secret()?));
            let sha256 = secret::hash(made.expose().as_bytes());
            let account = self
                .change_account(&permit, principal, deadline, |record| {
                    if record.kind == PrincipalKind::ManagedIdentity {
                        return Err(Error::precondition(
                            "MANAGED_IDENTITY",
                            "a managed identity has no secrets and certificates; give it a \
                             federated credential, or make a service principal",
                        ));
                    }
                    check_room(record.secrets.len())?;
                    record.secrets.push(SecretRecord {
                        id: id.clone(),
                        sha256: sha256.to_vec(),
                        created: now.0,
                        expires,
                    });
                    Ok(())
                })
                .await?;
            Ok(Made { made: (account, id), secret: made })
        })
        .await
    }
}
