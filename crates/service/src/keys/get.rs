//! Get a key.

use std::sync::Arc;

use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, KeyVersion, Service,
    gate::{Action, Target},
    name::KeyName,
};

impl Service {
    /// Reads a key at the version named, or at its latest.
    pub async fn get_key(
        &self,
        caller: &Caller,
        key: KeyName<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        self.run(caller, Action::GetKey, Target::Key(key), deadline, move |permit| async move {
            self.find(&permit, key)
        })
        .await
    }
}
