//! What one principal, or one vault, may use of what there is for all.
//!
//! Every operation is charged what it costs, in processor time: to the principal that
//! asks, or for what is public to the address it comes from, and once it is allowed and
//! its key is known, to the vault of that key. So nobody can use up another's vault
//! without a right to it. Who has used more than their rate is refused while others
//! wait; where nobody does, what is spare is lent, unless the configuration says not to.
//!
//! A request that is denied is charged like any other, and its answer is the denial.

mod buckets;
pub(crate) mod cost;

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use buckets::Buckets;
pub use buckets::Rate;
pub(crate) use cost::Work;
use keyreeve_types::{KeySpec, VaultId};

use crate::{
    Caller, Error, KeyVersion, Kind, Service, Vault,
    gate::{Ask, Permit},
};

/// What one may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// One principal, or one address that asks for what is public.
    pub principal: Rate,
    /// All who use one vault, together.
    pub vault: Rate,
    /// Whether more may be used as long as nobody waits for it.
    pub lend_spare: bool,
}

impl Rates {
    /// Three quarters of a machine of so many cores for one principal, nine tenths for
    /// one vault, each with ten seconds of that at once; what is spare is lent.
    pub const fn for_cores(cores: usize) -> Self {
        let cores = cores as u64;
        let (principal, vault) = (750_000 * cores, 900_000 * cores);
        Self {
            principal: Rate { us_per_second: principal, burst_us: 10 * principal },
            vault: Rate { us_per_second: vault, burst_us: 10 * vault },
            lend_spare: true,
        }
    }
}

impl Default for Rates {
    /// For a machine of 16 cores.
    fn default() -> Self {
        Self::for_cores(16)
    }
}

/// Who pays for an operation, and by what measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payer {
    id: u64,
    work: Work,
}

impl Payer {
    /// Nobody, before anybody was asked.
    pub(crate) const NONE: Self = Self { id: 0, work: Work::None };
}

/// Whom a door charges for what it could not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debtor(u64);

/// How often operations were refused because of a rate, since the service was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throttled {
    /// Of a principal or an address.
    pub principal: u64,
    /// Of a vault.
    pub vault: u64,
}

/// What everybody has used.
pub(crate) struct Accounts {
    principals: Buckets,
    vaults: Buckets,
    lend_spare: bool,
    /// So that nobody can choose a name that shares a bucket with somebody else's.
    hasher: RandomState,
    since: Instant,
    throttled: [AtomicU64; 2],
}

/// Whose rate it was.
#[derive(Clone, Copy)]
enum Whose {
    Principal,
    Vault,
}

impl Accounts {
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            principals: Buckets::new(rates.principal),
            vaults: Buckets::new(rates.vault),
            lend_spare: rates.lend_spare,
            hasher: RandomState::new(),
            since: Instant::now(),
            throttled: Default::default(),
        }
    }

    pub(crate) fn throttled(&self) -> Throttled {
        let [principal, vault] = &self.throttled;
        Throttled { principal: principal.load(Relaxed), vault: vault.load(Relaxed) }
    }

    /// Whom a request is charged to.
    fn who(&self, caller: &Caller) -> u64 {
        match caller.identity().subject() {
            Some(subject) => self.hasher.hash_one(subject.principal()),
            None => self.hasher.hash_one(caller.source().address().map(network)),
        }
    }

    /// Charges a principal, and a vault if it is known. `spare` says whether what it is
    /// for waits for nobody; it is asked only of who has nothing left.
    fn charge(
        &self,
        payer: Payer,
        vault: Option<VaultId>,
        cost_us: u64,
        spare: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let now = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let lent = || self.lend_spare && spare();
        // Who comes back pays for the request first.
        let request = Duration::from_nanos(self.principals.time(cost::REQUEST));
        let refused = |whose| move |wait: Duration| (whose, wait.saturating_add(request));
        let outcome = self
            .principals
            .take(payer.id, now, cost_us, lent)
            .map_err(refused(Whose::Principal))
            .and_then(|()| match vault {
                Some(vault) => {
                    let id = self.hasher.hash_one(vault);
                    self.vaults.take(id, now, cost_us, lent).map_err(refused(Whose::Vault))
                }
                None => Ok(()),
            });
        outcome.map_err(|(whose, wait)| {
            self.throttled[whose as usize].fetch_add(1, Relaxed);
            whose.refusal(wait)
        })
    }
}

impl Whose {
    fn refusal(self, wait: Duration) -> Error {
        let message = match self {
            Self::Principal => {
                "this caller has used more processor time than one caller may while others wait; \
                 try again after the time given, or ask the operator to raise \
                 limits.principal_cpu_ms"
            }
            Self::Vault => {
                "this vault has used more processor time than one vault may while others wait; \
                 try again after the time given, or ask the operator to raise limits.vault_cpu_ms"
            }
        };
        // What is a moment to a clock is none to a client.
        let wait = wait.max(Duration::from_millis(1));
        Error::new(Kind::ResourceExhausted { retry_after: Some(wait) }, "RATE_LIMITED", message)
    }
}

impl Service {
    /// Whom a door charges for a request that does not get as far as the gate.
    pub fn debtor(&self, caller: &Caller) -> Debtor {
        Debtor(self.shared().accounts.who(caller))
    }

    /// Charges a request that could not be read. Its answer is that it could not.
    pub fn charge_malformed(&self, debtor: Debtor) {
        let payer = Payer { id: debtor.0, work: Work::None };
        let _ = self.shared().accounts.charge(payer, None, cost::REQUEST, || true);
    }

    /// Charges a request that was decided on, and hands the permit to whoever pays.
    pub(crate) fn admit(
        &self,
        caller: &Caller,
        ask: &Ask<'_>,
        decided: Result<Permit, Error>,
    ) -> Result<Permit, Error> {
        let accounts = &self.shared().accounts;
        let payer = Payer { id: accounts.who(caller), work: Work::of(ask) };
        // A request by itself takes nobody's place.
        let charged = accounts.charge(payer, None, cost::REQUEST, || true);
        let permit = decided?;
        charged.map(|()| permit.paid_by(payer))
    }

    /// Charges `count` operations with a key that was looked up.
    pub(crate) fn charge(
        &self,
        permit: &Permit,
        version: &KeyVersion,
        count: u64,
    ) -> Result<(), Error> {
        let payer = permit.payer();
        let cost = payer.work.cost(version.spec()) * count;
        if cost == 0 {
            return Ok(());
        }
        let vault = Some(version.sealed().binding.vault);
        let spare = || !self.is_overloaded(version.backend(), false);
        self.shared().accounts.charge(payer, vault, cost, spare)
    }

    /// Charges the making of a key.
    pub(crate) fn charge_making(
        &self,
        permit: &Permit,
        vault: &Vault,
        spec: KeySpec,
    ) -> Result<(), Error> {
        self.charge_slow(permit, vault, cost::making(spec))
    }

    /// Charges the taking of a key made elsewhere.
    pub(crate) fn charge_import(&self, permit: &Permit, vault: &Vault) -> Result<(), Error> {
        self.charge_slow(permit, vault, cost::IMPORT)
    }

    fn charge_slow(&self, permit: &Permit, vault: &Vault, cost_us: u64) -> Result<(), Error> {
        let spare = || !self.is_overloaded(vault.backend(), true);
        self.shared().accounts.charge(permit.payer(), Some(vault.id()), cost_us, spare)
    }

    fn is_overloaded(&self, backend: &str, slow: bool) -> bool {
        self.backends().named(backend).is_ok_and(|client| client.is_overloaded(slow))
    }
}

/// What one host has of addresses: an IPv6 host has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}
