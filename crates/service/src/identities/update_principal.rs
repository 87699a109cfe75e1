//! Change a principal: its display name, and whether it is enabled.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use super::check_display_name;
use crate::{Account, Caller, Error, Service, gate::Ask};

/// What to change. `None` leaves it as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrincipalChanges<'a> {
    /// What people call it.
    pub display_name: Option<&'a str>,
    /// Whether its credentials and its tokens prove anything.
    pub enabled: Option<bool>,
}

impl Service {
    /// Changes a principal. Once a principal is disabled, none of its credentials and
    /// none of its tokens is taken here.
    pub async fn update_principal(
        &self,
        caller: &Caller,
        id: &str,
        changes: PrincipalChanges<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Account>, Error> {
        let ask = Ask::principal("UpdatePrincipal", Action::WriteIdentity, Some(id));
        self.run(caller, ask, deadline, move |permit| async move {
            changes.display_name.map_or(Ok(()), check_display_name)?;
            self.change_account(&permit, id, deadline, |record| {
                if let Some(name) = changes.display_name {
                    record.display_name = name.to_owned();
                }
                record.enabled = changes.enabled.unwrap_or(record.enabled);
                Ok(())
            })
            .await
        })
        .await
    }
}
