//! Make a principal.

use std::sync::Arc;

use keyreeve_authz::{Action, PrincipalKind};
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::check_display_name;
use crate::{
    Account, Caller, Error, Service,
    commit::encode,
    directory::Path,
    draw,
    gate::Ask,
    record::{FORMAT, PrincipalRecord},
};

/// A request to make a principal.
#[derive(Debug, Clone, Copy)]
pub struct CreatePrincipal<'a> {
    /// What people call it. Two may be called the same.
    pub display_name: &'a str,
    /// A service principal or a managed identity.
    pub kind: PrincipalKind,
}

impl Service {
    /// Makes a principal without credentials, under an id of its own.
    pub async fn create_principal(
        &self,
        caller: &Caller,
        request: CreatePrincipal<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Account>, Error> {
        let ask = Ask::principal("CreatePrincipal", Action::WriteIdentity, None);
        self.run(caller, ask, deadline, move |permit| async move {
            check_display_name(request.display_name)?;
            if !matches!(
                request.kind,
                PrincipalKind::ServicePrincipal | PrincipalKind::ManagedIdentity
            ) {
                return Err(Error::invalid(
                    "kind",
                    "a principal that is kept here is a service principal or a managed identity",
                ));
            }
            let id = draw::principal_id()?;
            let record = PrincipalRecord {
                format: FORMAT,
                id: id.clone(),
                kind: request.kind,
                display_name: request.display_name.to_owned(),
                enabled: true,
                created: self.shared().clock.now().0,
                secrets: Vec::new(),
                certificates: Vec::new(),
                federated: Vec::new(),
            };
            let path = Path::Principal(id.as_str().into()).to_store();
            let batch = Batch::new().require_absent(path.clone()).put(path, encode(&record)?);
            self.commit(&permit, batch, deadline).await?;
            self.account(&permit, &id)
        })
        .await
    }
}
