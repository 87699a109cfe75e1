//! From a name to a key that may be used.
//!
//! A [`UsableKey`] or [`UsablePublicKey`] exists only as the outcome of one check
//! of everything that decides: the algorithm fits the key, its policy allows the
//! operation now, the configuration allows the algorithm, the backend has it. The
//! operations take nothing else.

use std::sync::Arc;

use keyreeve_backend::Capabilities;
use keyreeve_keyhost::{CallError, Client, SealedKey};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{
    EncryptionAlgorithm, KeySpec, MacAlgorithm, Operation, RsaPadding, SignatureAlgorithm,
    WrapAlgorithm,
};

use crate::{
    Error, KeyVersion, Service, Vault, backends,
    gate::Permit,
    name::{KeyName, VaultName},
};

/// What a key is to be used for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Sign(SignatureAlgorithm),
    Verify(SignatureAlgorithm),
    Mac(MacAlgorithm),
    VerifyMac(MacAlgorithm),
    Encrypt(EncryptionAlgorithm),
    Decrypt(EncryptionAlgorithm),
    Wrap(WrapAlgorithm),
    Unwrap(WrapAlgorithm),
}

/// A key that may be used, through its keyhost, for what it was checked for.
pub(crate) struct UsableKey<'s> {
    version: Arc<KeyVersion>,
    client: &'s Client,
}

/// A public key that may be used, here, for what it was checked for.
pub(crate) struct UsablePublicKey {
    version: Arc<KeyVersion>,
}

impl Service {
    /// Looks up a vault.
    pub(crate) fn find_vault(&self, _: &Permit, name: VaultName<'_>) -> Result<Arc<Vault>, Error> {
        self.shared().registry.vault(name)
    }

    /// Looks up a key version, and charges for what the permit allows to do with it.
    pub(crate) fn find(
        &self,
        permit: &Permit,
        name: KeyName<'_>,
    ) -> Result<Arc<KeyVersion>, Error> {
        let version = self.shared().registry.version(name)?;
        self.charge(permit, &version, 1)?;
        Ok(version)
    }

    /// Checks a key for a use that needs its private half.
    pub(crate) fn check(
        &self,
        version: Arc<KeyVersion>,
        wanted: Use,
    ) -> Result<UsableKey<'_>, Error> {
        self.check_rules(&version, wanted)?;
        let client = self.check_backend(&version, wanted)?;
        Ok(UsableKey { version, client })
    }

    /// Checks a key for a use that needs its public half alone.
    pub(crate) fn check_public(
        &self,
        version: Arc<KeyVersion>,
        wanted: Use,
    ) -> Result<UsablePublicKey, Error> {
        self.check_rules(&version, wanted)?;
        // What the backend cannot open again would be lost.
        if matches!(wanted, Use::Encrypt(_) | Use::Wrap(_)) {
            self.check_backend(&version, wanted)?;
        }
        Ok(UsablePublicKey { version })
    }

    fn check_backend(&self, version: &KeyVersion, wanted: Use) -> Result<&Client, Error> {
        let client = self.backends().named(version.backend())?;
        let description = backends::description(client)?;
        if !wanted.is_supported(&description.capabilities) {
            return Err(Error::precondition(
                "ALGORITHM_NOT_SUPPORTED_BY_BACKEND",
                format!(
                    "backend {} ({}) does not support {}; docs/algorithms.md lists what it does",
                    client.name(),
                    description.capabilities.backend,
                    wanted.algorithm_name(),
                ),
            ));
        }
        Ok(client)
    }

    fn check_rules(&self, version: &KeyVersion, wanted: Use) -> Result<(), Error> {
        if !wanted.fits(version.spec()) {
            return Err(Error::precondition(
                "WRONG_KEY_TYPE",
                format!(
                    "{} does not go with a key of kind {}",
                    wanted.algorithm_name(),
                    version.spec()
                ),
            ));
        }
        let shared = self.shared();
        if wanted.padding() == Some(RsaPadding::Pkcs1V15) && !shared.settings.allow_rsa1_5 {
            return Err(Error::precondition(
                "ALGORITHM_NOT_ALLOWED",
                "RSA1_5 is not safe and is off; use RSA-OAEP-256, or set allow_rsa1_5 in the \
                 configuration",
            ));
        }
        version.policy().check(wanted.operation(), shared.clock.now()).map_err(Error::from_state)
    }
}

impl<'s> UsableKey<'s> {
    /// The key as its keyhost takes it.
    pub(crate) fn sealed(&self) -> &SealedKey {
        self.version.sealed()
    }

    /// Its keyhost.
    pub(crate) fn client(&self) -> &'s Client {
        self.client
    }

    /// Translates an error of a call that makes something; `field` is where the
    /// request carries the input.
    pub(crate) fn failed(&self, error: CallError, field: &'static str) -> Error {
        Error::from_call(error, self.client.name(), field)
    }

    /// Translates an error of a call that opens something.
    pub(crate) fn failed_to_open(&self, error: CallError) -> Error {
        Error::from_opening_call(error, self.client.name())
    }

    /// Done with it: the version that was used.
    pub(crate) fn into_version(self) -> Arc<KeyVersion> {
        self.version
    }
}

impl UsablePublicKey {
    /// The public key. Missing only if the record is damaged.
    pub(crate) fn public(&self) -> Result<&PublicKey, Error> {
        self.version.public().ok_or_else(|| {
            let name = self.version.resource_name();
            Error::internal("CORRUPT_RECORD", format!("{name} has no public key"))
        })
    }

    /// The version it belongs to.
    pub(crate) fn version(&self) -> &KeyVersion {
        &self.version
    }

    /// Done with it: the version that was used.
    pub(crate) fn into_version(self) -> Arc<KeyVersion> {
        self.version
    }
}

impl Use {
    fn operation(self) -> Operation {
        match self {
            Self::Sign(_) | Self::Mac(_) => Operation::Sign,
            Self::Verify(_) | Self::VerifyMac(_) => Operation::Verify,
            Self::Encrypt(_) => Operation::Encrypt,
            Self::Decrypt(_) => Operation::Decrypt,
            Self::Wrap(_) => Operation::WrapKey,
            Self::Unwrap(_) => Operation::UnwrapKey,
        }
    }

    /// What the algorithm is called.
    pub(crate) fn algorithm_name(self) -> &'static str {
        match self {
            Self::Sign(a) | Self::Verify(a) => a.name(),
            Self::Mac(a) | Self::VerifyMac(a) => a.name(),
            Self::Encrypt(a) | Self::Decrypt(a) => a.name(),
            Self::Wrap(a) | Self::Unwrap(a) => a.name(),
        }
    }

    fn fits(self, spec: KeySpec) -> bool {
        match self {
            Self::Sign(a) | Self::Verify(a) => a.fits(spec),
            Self::Mac(a) | Self::VerifyMac(a) => a.fits(spec),
            Self::Encrypt(a) | Self::Decrypt(a) => a.fits(spec),
            Self::Wrap(a) | Self::Unwrap(a) => a.fits(spec),
        }
    }

    fn padding(self) -> Option<RsaPadding> {
        match self {
            Self::Encrypt(EncryptionAlgorithm::Rsa(p))
            | Self::Decrypt(EncryptionAlgorithm::Rsa(p)) => Some(p),
            Self::Wrap(WrapAlgorithm::Rsa(p)) | Self::Unwrap(WrapAlgorithm::Rsa(p)) => Some(p),
            _ => None,
        }
    }

    /// Whether a backend can do it. What it can open it can also seal.
    fn is_supported(self, capabilities: &Capabilities) -> bool {
        match self {
            Self::Sign(a) | Self::Verify(a) => capabilities.sign.contains(&a),
            Self::Mac(a) | Self::VerifyMac(a) => capabilities.mac.contains(&a),
            Self::Encrypt(a) | Self::Decrypt(a) => capabilities.decrypt.contains(&a),
            Self::Wrap(a) | Self::Unwrap(a) => capabilities.unwrap.contains(&a),
        }
    }
}
