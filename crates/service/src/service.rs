//! The service, put together.

use std::sync::Arc;

use keyreeve_audit::{Recorder, Scribe};
use keyreeve_store::Store;

use crate::{
    Backends, Clock, Follower, LoadError, Settings, Throttled,
    access::Access,
    directory::Directory,
    early::Early,
    limit::Accounts,
    meter::{LastCount, Meter, Meters, Spans},
    outlet::Outlet,
    registry::Registry,
};

/// The service, as one runtime uses it. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    backends: Backends,
    meter: Arc<Meter>,
    scribe: Scribe,
}

/// What the service's runtimes share.
pub struct Shared {
    pub(crate) registry: Arc<Registry>,
    pub(crate) access: Arc<Access>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) audit: Arc<Recorder>,
    pub(crate) early: Early,
    pub(crate) accounts: Accounts,
    pub(crate) meters: Meters,
    pub(crate) spans: Spans,
    pub(crate) outlet: Outlet,
    pub(crate) expiring: LastCount,
}

impl Shared {
    /// Reads the store; what is done is recorded in `audit`. The follower is to be
    /// spawned once, on any runtime, and
    /// keeps the records in memory as the store has them.
    pub async fn open(
        store: Arc<dyn Store>,
        settings: Settings,
        clock: Clock,
        audit: Arc<Recorder>,
    ) -> Result<(Arc<Self>, Follower), LoadError> {
        let access = Arc::new(Access::new(&settings.roles).map_err(LoadError::Roles)?);
        let directory = Arc::new(Directory::empty());
        let followed =
            Follower::start(Arc::clone(&store), Arc::clone(&access), Arc::clone(&directory))
                .await?;
        let (registry, follower) = followed;
        let accounts = Accounts::new(settings.rates);
        let shared = Self {
            registry,
            access,
            directory,
            store,
            settings,
            clock,
            audit,
            early: Early::default(),
            accounts,
            meters: Meters::default(),
            spans: Spans::default(),
            outlet: Outlet::default(),
            expiring: LastCount::default(),
        };
        Ok((Arc::new(shared), follower))
    }

    /// Whether the store takes changes, as far as it knows without I/O. Whatever it
    /// says, keys that exist work: no operation with a key reads or writes the store.
    ///
    /// # Errors
    /// As [`Store::health`].
    pub fn store_health(&self) -> Result<(), keyreeve_store::Error> {
        self.store.health()
    }

    /// The audit log.
    pub fn audit(&self) -> &Recorder {
        &self.audit
    }

    /// How often an operation was refused because of a rate.
    pub fn throttled(&self) -> Throttled {
        self.accounts.throttled()
    }

    /// How far the audit log has come outside.
    pub fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Where spans go.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// What the operator decides.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Service {
    /// The service for one runtime, with that runtime's clients. To be called on the
    /// runtime: what hands its records to the audit log is a task there.
    pub fn new(shared: Arc<Shared>, backends: Backends) -> Self {
        let meter = shared.meters.add();
        let (scribe, driver) = Scribe::new(Arc::clone(&shared.audit));
        tokio::spawn(driver);
        Self { shared, backends, meter, scribe }
    }

    /// What the service's runtimes share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) const fn scribe(&self) -> &Scribe {
        &self.scribe
    }

    pub(crate) fn backends(&self) -> &Backends {
        &self.backends
    }
}
