//! A backend that fails when told to: the contract, wrapped.
//!
//! It stands where a real backend stands and does what that does, except for the
//! calls that a [`Plan`] names: those fail with a given error, take longer, or
//! return a damaged result. Without a plan it passes the conformance suite like
//! what it wraps. It refuses to be clever: a plan counts calls, nothing more.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, SignatureAlgorithm, VersionId,
    WrapAlgorithm,
};

use crate::{
    Capabilities, Encrypted, Error, KeyBackend, Material, NewKey, PrivateKey, Sealed, Session,
};

/// A call of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Any of them, opening a session included.
    Any,
    /// [`KeyBackend::open_session`].
    OpenSession,
    /// [`Session::generate`].
    Generate,
    /// [`Session::import`].
    Import,
    /// [`Session::open`].
    Open,
    /// [`Session::destroy`].
    Destroy,
    /// [`Session::sign`].
    Sign,
    /// [`Session::mac`].
    Mac,
    /// [`Session::encrypt`].
    Encrypt,
    /// [`Session::decrypt`].
    Decrypt,
    /// [`Session::wrap`].
    Wrap,
    /// [`Session::unwrap`].
    Unwrap,
    /// [`Session::random`].
    Random,
    /// [`Session::check`].
    Check,
}

/// What happens instead of a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and nothing was done.
    Fail(Error),
    /// The call is made after this time.
    Delay(Duration),
    /// The call is made, and one bit of the last byte that it appended is flipped.
    /// Calls that append nothing are not damaged.
    Corrupt,
}

/// Which calls go wrong. Clones share one plan, so that a test can change it while
/// the backend is in use.
#[derive(Debug, Clone, Default)]
pub struct Plan(Arc<Mutex<Vec<Rule>>>);

#[derive(Debug)]
struct Rule {
    call: Call,
    /// Matching calls that still go well.
    skip: u64,
    /// Matching calls that go wrong after those.
    count: u64,
    fault: Fault,
}

impl Plan {
    /// A plan without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the `nth` matching call from now on go wrong, counting from 1.
    pub fn nth(&self, call: Call, nth: u64, fault: Fault) {
        self.add(Rule { call, skip: nth.saturating_sub(1), count: 1, fault });
    }

    /// Makes every matching call go wrong, until [`Plan::clear`].
    pub fn always(&self, call: Call, fault: Fault) {
        self.add(Rule { call, skip: 0, count: u64::MAX, fault });
    }

    /// Everything goes well again.
    pub fn clear(&self) {
        self.rules().clear();
    }

    fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Counts `call` and returns the faults that hit it.
    fn faults(&self, call: Call) -> Vec<Fault> {
        let mut hit = Vec::new();
        let mut rules = self.rules();
        for rule in rules.iter_mut().filter(|r| r.call == Call::Any || r.call == call) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else {
                rule.count -= 1;
                hit.push(rule.fault.clone());
            }
        }
        rules.retain(|rule| rule.count > 0);
        hit
    }

    /// Lets the faults of `call` happen that come before it; whether to corrupt it.
    fn enter(&self, call: Call) -> Result<bool, Error> {
        let mut corrupt = false;
        for fault in self.faults(call) {
            match fault {
                Fault::Fail(error) => return Err(error),
                Fault::Delay(time) => thread::sleep(time),
                Fault::Corrupt => corrupt = true,
            }
        }
        Ok(corrupt)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A backend under a plan.
#[derive(Debug)]
pub struct FaultBackend<B> {
    inner: B,
    plan: Plan,
}

impl<B: KeyBackend> FaultBackend<B> {
    /// Wraps `inner`, to go wrong as `plan` says.
    pub const fn new(inner: B, plan: Plan) -> Self {
        Self { inner, plan }
    }
}

impl<B: KeyBackend> KeyBackend for FaultBackend<B> {
    type Key = B::Key;
    type Session = FaultSession<B::Session>;

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn open_session(&self) -> Result<Self::Session, Error> {
        self.plan.enter(Call::OpenSession)?;
        Ok(FaultSession { inner: self.inner.open_session()?, plan: self.plan.clone() })
    }
}

/// A session under a plan.
#[derive(Debug)]
pub struct FaultSession<S> {
    inner: S,
    plan: Plan,
}

impl<S: Session> FaultSession<S> {
    /// Makes a call that appends to `out`, as the plan says.
    fn appending<T>(
        &mut self,
        call: Call,
        out: &mut Vec<u8>,
        make: impl FnOnce(&mut S, &mut Vec<u8>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let corrupt = self.plan.enter(call)?;
        let before = out.len();
        let answer = make(&mut self.inner, out)?;
        if corrupt && let Some(last) = out[before..].last_mut() {
            *last ^= 1;
        }
        Ok(answer)
    }
}

impl<S: Session> Session for FaultSession<S> {
    type Key = S::Key;

    fn generate(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
    ) -> Result<NewKey<S::Key>, Error> {
        self.plan.enter(Call::Generate)?;
        self.inner.generate(id, spec, ops)
    }

    fn import(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
        private: PrivateKey,
    ) -> Result<NewKey<S::Key>, Error> {
        self.plan.enter(Call::Import)?;
        self.inner.import(id, spec, ops, private)
    }

    fn open(&mut self, id: VersionId, spec: KeySpec, material: Material) -> Result<S::Key, Error> {
        self.plan.enter(Call::Open)?;
        self.inner.open(id, spec, material)
    }

    fn destroy(&mut self, id: VersionId, spec: KeySpec) -> Result<(), Error> {
        self.plan.enter(Call::Destroy)?;
        self.inner.destroy(id, spec)
    }

    fn sign(
        &mut self,
        key: &S::Key,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.appending(Call::Sign, out, |s, out| s.sign(key, algorithm, input, out))
    }

    fn mac(
        &mut self,
        key: &S::Key,
        algorithm: MacAlgorithm,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.appending(Call::Mac, out, |s, out| s.mac(key, algorithm, message, out))
    }

    fn encrypt(
        &mut self,
        key: &S::Key,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Encrypted, Error> {
        self.appending(Call::Encrypt, out, |s, out| s.encrypt(key, mode, aad, plaintext, out))
    }

    fn decrypt(
        &mut self,
        key: &S::Key,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.appending(Call::Decrypt, out, |s, out| s.decrypt(key, algorithm, sealed, out))
    }

    fn wrap(
        &mut self,
        key: &S::Key,
        padded: bool,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.appending(Call::Wrap, out, |s, out| s.wrap(key, padded, plaintext, out))
    }

    fn unwrap(
        &mut self,
        key: &S::Key,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.appending(Call::Unwrap, out, |s, out| s.unwrap(key, algorithm, wrapped, out))
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.plan.enter(Call::Random)?;
        self.inner.random(out)
    }
    fn check(&mut self) -> Result<(), Error> {
        self.plan.enter(Call::Check)?;
        self.inner.check()
    }
}
