//! Rotate a key.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use super::{Attributes, create::Generate};
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName};

impl Service {
    /// Makes a new version like the latest: same kind, operations and tags; enabled,
    /// and without times, which were those of the version before.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        key: KeyName<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        let key = key.without_version();
        self.run(caller, Ask::key(Action::RotateKey, key), deadline, move |permit| async move {
            let latest = self.find(&permit, key)?;
            let vault = self.find_vault(&permit, key.vault())?;
            self.charge_making(&permit, &vault, latest.spec())?;
            let (spec, ops) = (latest.spec(), latest.policy().made_for);
            let attributes = &Attributes { tags: latest.tags().clone(), ..Attributes::default() };
            let making = Generate { spec, operations: Some(ops), attributes: attributes.clone() };
            self.add_version(permit, key, attributes, deadline, making).await
        })
        .await
    }
}
