//! Delete a principal.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use crate::{Caller, Error, Service, directory::Path, gate::Ask};

impl Service {
    /// Deletes a principal with its credentials. Its tokens prove nothing from then on,
    /// because the one whom they prove is gone, and no other ever gets its id: roles that
    /// were assigned to it stay without a holder.
    pub async fn delete_principal(
        &self,
        caller: &Caller,
        id: &str,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let ask = Ask::principal("DeletePrincipal", Action::WriteIdentity, Some(id));
        self.run(caller, ask, deadline, move |permit| async move {
            let account = self.account(&permit, id)?;
            let path = Path::Principal(account.id().into()).to_store();
            let batch = Batch::new().require_revision(path.clone(), account.revision).delete(path);
            Ok(self.commit(&permit, batch, deadline).await?)
        })
        .await
    }
}
