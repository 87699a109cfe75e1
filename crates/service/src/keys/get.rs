//! Get a key.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName};

impl Service {
    /// Reads a key at the version named, or at its latest.
    pub async fn get_key(
        &self,
        caller: &Caller,
        key: KeyName<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        self.run(caller, Ask::key(Action::GetKey, key), deadline, move |permit| async move {
            self.find(&permit, key)
        })
        .await
    }
}
