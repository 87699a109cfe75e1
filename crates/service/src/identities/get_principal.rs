//! Read a principal.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Account, Caller, Error, Service, gate::Ask};

impl Service {
    /// Reads a principal with what is known of its credentials.
    pub async fn get_principal(
        &self,
        caller: &Caller,
        id: &str,
        deadline: Deadline,
    ) -> Result<Arc<Account>, Error> {
        let ask = Ask::principal("GetPrincipal", Action::ListIdentities, Some(id));
        self.run(caller, ask, deadline, move |permit| async move { self.account(&permit, id) })
            .await
    }
}
