//! Making, opening and destroying keys.

use keyreeve_types::Secret;

use super::{Suite, fixtures::fixture, keys::Stored};
use crate::{Custody, Error, KeyBackend, Material, Session};

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against a list that promises what no key of the backend can do.
    pub(super) fn capabilities_fit_together(&self) {
        let able = self.capabilities();
        let has = |fits: &dyn Fn(keyreeve_types::KeySpec) -> bool| {
            able.generate.iter().chain(&able.import).any(|kind| fits(*kind))
        };
        assert!(!able.backend.is_empty(), "the backend has a name");
        let wraps = able.custody == Custody::Wrapped;
        assert_eq!(wraps, !able.wrapped.is_empty(), "kinds are wrapped where keys are");
        for algorithm in &able.sign {
            assert!(has(&|kind| algorithm.fits(kind)), "{algorithm} has no key");
        }
        for algorithm in &able.mac {
            assert!(has(&|kind| algorithm.fits(kind)), "{algorithm} has no key");
        }
        for algorithm in &able.decrypt {
            assert!(has(&|kind| algorithm.fits(kind)), "{algorithm} has no key");
        }
        for algorithm in &able.unwrap {
            assert!(has(&|kind| algorithm.fits(kind)), "{algorithm} has no key");
        }
        for kind in &able.generate {
            let ops = able.default_ops(*kind);
            assert!(able.allows_ops(*kind, ops), "{kind} is not allowed {ops}");
        }
    }

    /// Guards against a key without the half that its users need, or a secret key
    /// with one, and against two calls that make one key.
    pub(super) fn a_new_key_has_its_public_half(&self) {
        let mut session = self.session();
        for spec in self.generated_kinds() {
            let secret = spec.is_aes() || spec.is_hmac();
            // RSA keys take long; that two differ shows on the others.
            let count = if spec.curve().is_some() || secret { 2 } else { 1 };
            let mut publics = Vec::new();
            for _ in 0..count {
                let ops = self.capabilities().default_ops(spec);
                let stored = self.make(&mut session, spec, ops);
                assert_eq!(stored.public.is_none(), secret, "{spec}: public half");
                let bytes = stored.kept.bytes();
                let able = self.capabilities();
                let leaves = able.custody == Custody::Portable || able.wrapped.contains(&spec);
                assert_eq!(bytes.is_some(), leaves, "{spec}: custody");
                if let Some(private) = bytes {
                    assert!(private.len() >= 16, "{spec}: private half");
                    publics.push(private.to_vec());
                }
                publics.extend(stored.public.clone());
                self.destroy(&stored);
            }
            let made = publics.len();
            publics.sort();
            publics.dedup();
            assert_eq!(publics.len(), made, "{spec}: two keys are the same");
        }
    }

    /// Guards against a second key when an answer was lost and the call repeated.
    pub(super) fn generating_is_idempotent_in_a_device(&self) {
        if !self.is_resident() {
            return;
        }
        let mut session = self.session();
        for spec in self.generated_kinds() {
            let (id, ops) = (self.fresh_id(), self.capabilities().default_ops(spec));
            let mut make = || {
                let new = session.generate(id, spec, ops).expect("a new key");
                Stored::new(id, spec, new.material, new.public)
            };
            let (first, second) = (make(), make());
            assert_eq!(first.public, second.public, "{spec}");
            self.destroy(&first);
            let answer = self.session().open(id, spec, Material::Resident).map(drop);
            assert_eq!(answer, Err(Error::KeyMissing), "{spec}: there was a second key");
        }
    }

    /// Guards against a destroyed key that still opens, and against taking a key
    /// that is not there for a key that never was.
    pub(super) fn a_destroyed_key_is_gone(&self) {
        let mut session = self.session();
        for spec in self.kinds() {
            let answer = session.open(self.fresh_id(), spec, Material::Resident).map(drop);
            if !self.is_device() {
                assert_eq!(answer, Err(Error::Unsupported), "{spec}: nothing is resident here");
                continue;
            }
            assert_eq!(answer, Err(Error::KeyMissing), "{spec}: an id that no key has");
            if !self.is_resident() {
                continue;
            }
            let stored = self.make(&mut session, spec, self.capabilities().default_ops(spec));
            self.destroy(&stored);
            let answer = session.open(stored.id, spec, Material::Resident).map(drop);
            assert_eq!(answer, Err(Error::KeyMissing), "{spec}: destroyed");
        }
    }

    /// Guards against a store that was damaged and a panic over it.
    pub(super) fn corrupt_material_is_refused(&self) {
        let mut session = self.session();
        let id = self.fresh_id();
        for spec in self.kinds() {
            let whole = fixture(spec).private;
            for damaged in [&whole[..whole.len() - 1], &[], &[0x30; 48]] {
                // 48 bytes are a good key of this one kind.
                if spec.bits() == Some(384) && damaged.len() == 48 {
                    continue;
                }
                let material = Material::Portable(Secret::new(damaged.to_vec()));
                let answer = session.open(id, spec, material).map(drop);
                let expected =
                    if self.is_device() { Error::Unsupported } else { Error::CorruptKey };
                assert_eq!(answer, Err(expected), "{spec}: {} bytes", damaged.len());
            }
        }
        self.damaged_blobs_are_refused(&mut session);
    }

    /// Wrapped keys are opened by the device itself: what is cut, changed or not wrapped
    /// at all is refused by it.
    fn damaged_blobs_are_refused(&self, session: &mut B::Session) {
        if self.capabilities().custody != Custody::Wrapped {
            return;
        }
        for spec in self.generated_kinds().into_iter().filter(|spec| spec.curve().is_some()) {
            let ops = self.capabilities().default_ops(spec);
            let stored = self.make(session, spec, ops);
            let Some(whole) = stored.kept.bytes() else { continue };
            let mut flipped = whole.to_vec();
            flipped[9] ^= 1;
            for damaged in [&whole[..whole.len() - 8], &whole[..0], &[0x30; 48], &flipped] {
                let material = Material::Wrapped { blob: damaged.to_vec(), made_for: ops };
                let answer = session.open(stored.id, spec, material).map(drop);
                assert_eq!(answer, Err(Error::CorruptKey), "{spec}: {} bytes", damaged.len());
            }
        }
    }
}
