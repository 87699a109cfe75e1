//! The keys that the checks use: made once per kind, opened anew for each check,
//! so that every check also proves that a stored key opens.

use keyreeve_types::{KeyOps, KeySpec, Operation, Secret, VersionId};

use super::{Suite, fixtures::fixture};
use crate::{Custody, KeyBackend, Material, PrivateKey, Session};

/// A key as a keyhost's caller would keep it.
pub(super) struct Stored {
    pub(super) id: VersionId,
    pub(super) spec: KeySpec,
    pub(super) kept: Kept,
    pub(super) public: Option<Vec<u8>>,
}

/// Where its private half is.
pub(super) enum Kept {
    Portable(PrivateKey),
    Wrapped { blob: Vec<u8>, made_for: KeyOps },
    Resident,
}

impl Kept {
    /// What is stored of it outside the backend.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Portable(private) => Some(private.expose()),
            Self::Wrapped { blob, .. } => Some(blob),
            Self::Resident => None,
        }
    }
}

impl Stored {
    /// Keeps what making a key returned.
    pub(super) fn new(
        id: VersionId,
        spec: KeySpec,
        material: Material,
        public: Option<Vec<u8>>,
    ) -> Self {
        let kept = match material {
            Material::Portable(private) => Kept::Portable(private),
            Material::Wrapped { blob, made_for } => Kept::Wrapped { blob, made_for },
            Material::Resident => Kept::Resident,
        };
        Self { id, spec, kept, public }
    }

    pub(super) fn material(&self) -> Material {
        match &self.kept {
            Kept::Portable(private) => Material::Portable(Secret::new(private.expose().clone())),
            Kept::Wrapped { blob, made_for } => {
                Material::Wrapped { blob: blob.clone(), made_for: *made_for }
            }
            Kept::Resident => Material::Resident,
        }
    }

    pub(super) fn public(&self) -> &[u8] {
        self.public.as_deref().expect("an asymmetric key has a public half")
    }
}

impl<B: KeyBackend> Suite<'_, B> {
    /// The kinds that the backend can make or take, and this run includes.
    pub(super) fn kinds(&self) -> Vec<KeySpec> {
        let able = self.capabilities();
        let has = |kind: &KeySpec| able.generate.contains(kind) || able.import.contains(kind);
        self.kinds.iter().copied().filter(has).collect()
    }

    pub(super) fn generated_kinds(&self) -> Vec<KeySpec> {
        let generates = |kind: &KeySpec| self.capabilities().generate.contains(kind);
        self.kinds().into_iter().filter(generates).collect()
    }

    pub(super) fn imported_kinds(&self) -> Vec<KeySpec> {
        let imports = |kind: &KeySpec| self.capabilities().import.contains(kind);
        self.kinds().into_iter().filter(imports).collect()
    }

    /// An id that no key has.
    pub(super) fn fresh_id(&self) -> VersionId {
        let mut bytes = [0; 16];
        self.session().random(&mut bytes).expect("random bytes");
        VersionId::from_bytes(bytes)
    }

    /// What a key of kind `spec` is made for so that it can do `operation`.
    pub(super) fn ops_for(&self, spec: KeySpec, operation: Operation) -> KeyOps {
        use Operation::{Decrypt, Encrypt, UnwrapKey, WrapKey};
        match operation {
            WrapKey | UnwrapKey if spec.is_aes() => KeyOps::of(&[WrapKey, UnwrapKey]),
            Encrypt | Decrypt if spec.is_aes() => KeyOps::of(&[Encrypt, Decrypt]),
            _ => self.capabilities().default_ops(spec),
        }
    }

    /// Opens the run's key of kind `spec` for `operation` in `session`, and hands
    /// it to `use_key` with its public half. Makes it first if need be.
    pub(super) fn with_key<T>(
        &self,
        session: &mut B::Session,
        spec: KeySpec,
        operation: Operation,
        use_key: impl FnOnce(&mut B::Session, &B::Key, Option<&[u8]>) -> T,
    ) -> T {
        let ops = self.ops_for(spec, operation);
        let (id, material, public) = {
            let mut all = self.stored.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let stored =
                all.entry((spec, ops.bits())).or_insert_with(|| self.make(session, spec, ops));
            (stored.id, stored.material(), stored.public.clone())
        };
        let key = session
            .open(id, spec, material)
            .unwrap_or_else(|error| panic!("a stored {spec} key opens: {error}"));
        use_key(session, &key, public.as_deref())
    }

    /// Generates a key, or imports one where the backend cannot generate its kind.
    pub(super) fn make(&self, session: &mut B::Session, spec: KeySpec, ops: KeyOps) -> Stored {
        let id = self.fresh_id();
        let new = if self.capabilities().generate.contains(&spec) {
            session.generate(id, spec, ops)
        } else {
            session.import(id, spec, ops, Secret::new(fixture(spec).private))
        };
        let new = new.unwrap_or_else(|error| panic!("a new {spec} key: {error}"));
        Stored::new(id, spec, new.material, new.public)
    }

    pub(super) fn destroy(&self, stored: &Stored) {
        let gone = self.session().destroy(stored.id, stored.spec);
        assert_eq!(gone, Ok(()), "destroying a {} key", stored.spec);
    }

    pub(super) fn clean_up(&self) {
        let mut all = self.stored.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (_, stored) in all.drain() {
            self.destroy(&stored);
        }
    }

    pub(super) fn is_resident(&self) -> bool {
        self.capabilities().custody == Custody::Resident
    }

    /// Whether keys can be resident here, whatever new ones are.
    pub(super) fn is_device(&self) -> bool {
        self.capabilities().custody != Custody::Portable
    }
}
