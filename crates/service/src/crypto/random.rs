//! Random bytes from a vault's backend.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use zeroize::Zeroizing;

use crate::{Caller, Error, Service, gate::Ask, name::VaultName, settings::MAX_RANDOM};

impl Service {
    /// Draws `size` bytes, 1 to 4096, from the backend of `vault`.
    pub async fn random_bytes(
        &self,
        caller: &Caller,
        vault: VaultName<'_>,
        size: i32,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.run(
            caller,
            Ask::vault(Action::RandomBytes, vault),
            deadline,
            move |permit| async move {
                let size = u16::try_from(size)
                    .ok()
                    .filter(|n| (1..=MAX_RANDOM).contains(&usize::from(*n)))
                    .ok_or_else(|| {
                        Error::invalid("size", format!("size must be 1 to {MAX_RANDOM} bytes"))
                    })?;
                let vault = self.find_vault(&permit, vault)?;
                let client = self.backends().named(vault.backend())?;
                client
                    .random(size, deadline)
                    .await
                    .map_err(|e| Error::from_call(e, client.name(), "size"))
            },
        )
        .await
    }
}
