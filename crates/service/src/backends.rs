//! Which keyhost serves which vault.

use std::{sync::Arc, time::Duration};

use keyreeve_keyhost::{Client, Description};
use serde::{Deserialize, Serialize};

use crate::Error;

/// When to try again while a keyhost starts for the first time.
const START_RETRY: Duration = Duration::from_secs(1);

/// Where a vault's keys are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// In the software keystore.
    Standard,
    /// In an HSM slot group.
    Premium,
}

/// One thread's clients, one for each keyhost.
#[derive(Clone)]
pub struct Backends {
    standard: Client,
    premium: Option<Client>,
}

impl Backends {
    /// The keyhost of the software keystore, and that of the slot group which
    /// serves the premium tier, if there is one.
    pub fn new(standard: Client, premium: Option<Client>) -> Self {
        Self { standard, premium }
    }

    /// The client for a new vault of `tier`.
    pub(crate) fn for_tier(&self, tier: Tier) -> Result<&Client, Error> {
        match tier {
            Tier::Standard => Ok(&self.standard),
            Tier::Premium => self.premium.as_ref().ok_or_else(|| {
                Error::precondition(
                    "NO_PREMIUM_BACKEND",
                    "no slot serves the premium tier; configure one, or use the standard tier",
                )
            }),
        }
    }

    /// The client of the keyhost called `name`, which is what a vault's record says.
    pub(crate) fn named(&self, name: &str) -> Result<&Client, Error> {
        if self.standard.name() == name {
            return Ok(&self.standard);
        }
        self.premium.as_ref().filter(|client| client.name() == name).ok_or_else(|| {
            Error::new(
                crate::Kind::Unavailable { retry_after: None },
                "BACKEND_NOT_CONFIGURED",
                format!("backend {name}, which holds the keys of this vault, is not configured"),
            )
        })
    }
}

/// What the keyhost behind `client` is; an error until it has started once.
pub(crate) fn description(client: &Client) -> Result<Arc<Description>, Error> {
    client.description().ok_or_else(|| Error::keyhost_down(client.name(), START_RETRY))
}
