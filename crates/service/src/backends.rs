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

/// One thread's clients, one for each backend: the software keystore and the slot groups.
#[derive(Clone)]
pub struct Backends {
    standard: Client,
    groups: Arc<[Client]>,
    /// The place of the group that new premium vaults are in.
    premium: Option<usize>,
}

impl Backends {
    /// The software keystore, the slot groups, and the name of the one that serves the
    /// premium tier, if there is one.
    pub fn new(standard: Client, groups: Vec<Client>, premium: Option<&str>) -> Self {
        let premium = premium.and_then(|name| groups.iter().position(|it| it.name() == name));
        Self { standard, groups: groups.into(), premium }
    }

    /// The client for a new vault of `tier`.
    pub(crate) fn for_tier(&self, tier: Tier) -> Result<&Client, Error> {
        match tier {
            Tier::Standard => Ok(&self.standard),
            Tier::Premium => self.premium.map(|place| &self.groups[place]).ok_or_else(|| {
                Error::precondition(
                    "NO_PREMIUM_BACKEND",
                    "no slot group serves the premium tier; configure one, or use the standard tier",
                )
            }),
        }
    }

    /// The client of the backend called `name`, which is what a vault's record says.
    pub(crate) fn named(&self, name: &str) -> Result<&Client, Error> {
        if self.standard.name() == name {
            return Ok(&self.standard);
        }
        self.groups.iter().find(|client| client.name() == name).ok_or_else(|| {
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
