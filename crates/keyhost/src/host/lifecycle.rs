//! How keys come to be, change their rules and end.

use keyreeve_backend::{Error, InvalidInput, KeyBackend, Material, NewKey, Session};
use keyreeve_types::{KeyPolicy, VaultId};

use super::{
    custody::{Custodian, POLICY_KEY},
    serve::{Desk, Refusal},
};
use crate::{
    frame::{Opening, Response, SealedImport},
    key::Binding,
};

impl<'a, B: KeyBackend> Desk<'a, B> {
    pub(super) fn create_vault_key(self, vault: VaultId) -> Result<Response<'a>, Refusal> {
        *self.scratch = self.shared.custodian.create_vault_key(self.session, vault)?;
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn generate(
        mut self,
        binding: Binding,
        policy: KeyPolicy,
        vault_key: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        self.admit(&binding, &policy)?;
        self.is_new(&binding, &policy)?;
        let made = self.session.generate(binding.version, policy.spec, policy.made_for)?;
        self.keep(binding, policy, vault_key, made)
    }

    /// Opens, parses and checks an imported key, and takes it in.
    pub(super) fn import(
        mut self,
        binding: Binding,
        mut policy: KeyPolicy,
        any_spec: bool,
        vault_key: &[u8],
        sealed: SealedImport<'_>,
    ) -> Result<Response<'a>, Refusal> {
        if sealed.recipient != self.shared.import.recipient().id {
            return Err(Refusal::WrongRecipient);
        }
        let key = self
            .shared
            .import
            .open(sealed.encapsulated, sealed.aad, sealed.ciphertext)
            .ok_or(Error::CryptoFailed)?;
        let (spec, private) = keyreeve_import::parse(key.expose(), policy.made_for)?;
        if spec != policy.spec && !any_spec {
            return Err(InvalidInput::WrongKeyType.into());
        }
        policy.spec = spec;
        if policy.made_for.is_empty() {
            policy.made_for = self.shared.description.capabilities.default_ops(spec);
            policy.ops = policy.made_for;
        }
        if !spec.operations().covers(policy.made_for) {
            return Err(InvalidInput::WrongKeyType.into());
        }
        self.admit(&binding, &policy)?;
        self.is_new(&binding, &policy)?;
        let taken = self.session.import(binding.version, spec, policy.made_for, private)?;
        self.keep(binding, policy, vault_key, taken)
    }

    /// Authenticates a key's material under new rules, which may only narrow what it
    /// was made for.
    pub(super) fn reseal(
        self,
        from: &Opening<'_>,
        policy: KeyPolicy,
    ) -> Result<Response<'a>, Refusal> {
        let old = &from.policy;
        let narrows = policy.spec == old.spec
            && policy.made_for == old.made_for
            && policy.made_for.covers(policy.ops)
            && old.revision.checked_add(1) == Some(policy.revision);
        if !narrows {
            return Err(Refusal::PolicyWidens);
        }
        let material = self.shared.custodian.open(self.session, from)?;
        let sealed = self.shared.custodian.seal(
            self.session,
            &from.binding,
            &policy,
            from.vault_key,
            &material,
        )?;
        *self.scratch = sealed;
        Ok(Response::Key { policy, sealed: self.scratch, public: &[] })
    }

    /// Destroys a resident key. The opening proves that the record is genuine.
    pub(super) fn destroy(self, from: &Opening<'_>) -> Result<Response<'a>, Refusal> {
        let material = self.shared.custodian.open(self.session, from)?;
        self.shared.open.remove(from.binding.version);
        if matches!(material, Material::Resident) {
            self.session.destroy(from.binding.version, from.policy.spec)?;
        }
        Ok(Response::Done)
    }

    /// Whether the backend and the rules of use allow such a key here.
    fn admit(&self, binding: &Binding, policy: &KeyPolicy) -> Result<(), Refusal> {
        if binding.version == POLICY_KEY {
            return Err(Refusal::Malformed);
        }
        let consistent = policy.made_for.covers(policy.ops) && policy.revision == 1;
        if !consistent {
            return Err(Refusal::PolicyWidens);
        }
        let capabilities = &self.shared.description.capabilities;
        if !capabilities.allows_ops(policy.spec, policy.made_for) {
            return Err(Error::Unsupported.into());
        }
        Ok(())
    }

    /// Whether a slot holds nothing under this id yet. What it holds was sealed under
    /// rules of its own, and must not get new ones by being made a second time.
    fn is_new(&mut self, binding: &Binding, policy: &KeyPolicy) -> Result<(), Refusal> {
        let leaves = self.shared.description.capabilities.wrapped.contains(&policy.spec);
        if leaves || !matches!(self.shared.custodian, Custodian::Slot(_)) {
            return Ok(());
        }
        match self.session.open(binding.version, policy.spec, Material::Resident) {
            Err(Error::KeyMissing) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Err(Refusal::Malformed),
        }
    }

    /// Seals a new key and keeps it open: it is likely to be used at once.
    fn keep(
        self,
        binding: Binding,
        policy: KeyPolicy,
        vault_key: &[u8],
        new: NewKey<B::Key>,
    ) -> Result<Response<'a>, Refusal> {
        let NewKey { key, material, public } = new;
        let sealed =
            self.shared.custodian.seal(self.session, &binding, &policy, vault_key, &material)?;
        self.shared.open.insert(binding.version, key, policy.clone());
        let public = public.unwrap_or_default();
        let len = sealed.len();
        *self.scratch = sealed;
        self.scratch.extend_from_slice(&public);
        let (sealed, public) = self.scratch.split_at(len);
        Ok(Response::Key { policy, sealed, public })
    }
}
