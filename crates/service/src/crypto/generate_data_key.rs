//! Generate a data key: random bytes for the caller to encrypt with, and the same
//! sealed, for the caller to keep.

use keyreeve_authz::Action;
use keyreeve_keyhost::{DataKeyAlgorithm as Seal, Deadline};
use keyreeve_types::{AesMode, EncryptionAlgorithm, Operation, RsaPadding, WrapAlgorithm};
use zeroize::Zeroizing;

use super::{DataKeyAlgorithm, Sealed, input, sealed};
use crate::{
    Caller, Error, KeyVersion, Service,
    gate::Ask,
    name::KeyName,
    settings::{DEFAULT_DATA_KEY, MAX_DATA_KEY},
    usable::Use,
};

/// A request for a data key.
#[derive(Clone, Copy)]
pub struct GenerateDataKey<'a> {
    /// Under which key to seal it.
    pub key: KeyName<'a>,
    /// How; `None` for the first that the key may use of AES-KWP, GCM and
    /// RSA-OAEP-256.
    pub algorithm: Option<DataKeyAlgorithm>,
    /// Its length in bytes, 1 to 1024; 0 means 32.
    pub size: i32,
    /// Leave the data key out of the answer.
    pub wrapped_only: bool,
    /// Authenticated with the sealed key; GCM only.
    pub additional_data: &'a [u8],
}

/// A data key.
pub struct NewDataKey {
    /// In the clear; empty if it was not asked for.
    pub key: Zeroizing<Vec<u8>>,
    /// Sealed; UnwrapKey opens it.
    pub sealed: Sealed,
}

impl Service {
    /// Draws a data key and seals it.
    pub async fn generate_data_key(
        &self,
        caller: &Caller,
        request: GenerateDataKey<'_>,
        deadline: Deadline,
    ) -> Result<NewDataKey, Error> {
        self.run(
            caller,
            Ask::key(Action::GenerateDataKey, request.key),
            deadline,
            move |permit| async move {
                let GenerateDataKey { key, algorithm, wrapped_only, additional_data, .. } = request;
                let size = length(request.size)?;
                let version = self.find(&permit, key)?;
                let algorithm = match algorithm {
                    Some(algorithm) => algorithm,
                    None => sealed::default_data_key(&version)?,
                };
                let authenticated = matches!(
                    algorithm,
                    DataKeyAlgorithm::Content(EncryptionAlgorithm::Aes(_, AesMode::Gcm))
                );
                input::additional_data("additional_data", additional_data, authenticated)?;
                let (wanted, seal) = plan(algorithm, size, &version)?;
                let seal = match seal {
                    Plan::Wrap { padded } => Seal::Wrap { padded },
                    Plan::Gcm => Seal::Gcm { aad: additional_data },
                    Plan::Rsa(padding) => {
                        let key = self.check_public(version, wanted)?;
                        let client = self.backends().named(key.version().backend())?;
                        let seal = Seal::Rsa { padding, public_spki: key.public()?.spki() };
                        let made = client
                            .generate_data_key(None, seal, size, wrapped_only, deadline)
                            .await
                            .map_err(|e| Error::from_call(e, client.name(), "size"))?;
                        let sealed = Sealed::new(key.into_version(), padding.name(), made.sealed);
                        return Ok(NewDataKey { key: made.key, sealed });
                    }
                };
                let key = self.check(version, wanted)?;
                let made = key
                    .client()
                    .generate_data_key(Some(key.sealed()), seal, size, wrapped_only, deadline)
                    .await
                    .map_err(|e| key.failed(e, "size"))?;
                let sealed = Sealed::new(key.into_version(), wanted.algorithm_name(), made.sealed);
                Ok(NewDataKey { key: made.key, sealed })
            },
        )
        .await
    }
}

/// What a data key is sealed with.
enum Plan {
    Wrap { padded: bool },
    Gcm,
    Rsa(RsaPadding),
}

fn length(size: i32) -> Result<u16, Error> {
    let size = if size == 0 { DEFAULT_DATA_KEY as i32 } else { size };
    u16::try_from(size).ok().filter(|n| (1..=MAX_DATA_KEY).contains(&usize::from(*n))).ok_or_else(
        || Error::invalid("size", format!("size must be 1 to {MAX_DATA_KEY} bytes; 0 means 32")),
    )
}

/// What the key must be allowed to do, and how the data key is sealed.
fn plan(
    algorithm: DataKeyAlgorithm,
    size: u16,
    version: &KeyVersion,
) -> Result<(Use, Plan), Error> {
    let wraps = version.policy().ops.contains(Operation::WrapKey);
    match algorithm {
        DataKeyAlgorithm::Wrap(wrap @ WrapAlgorithm::AesKw(_)) => {
            if size < 16 || !size.is_multiple_of(8) {
                return Err(Error::invalid(
                    "size",
                    "this algorithm wraps 16 bytes or more, in steps of 8; AES-KWP wraps any size",
                ));
            }
            Ok((Use::Wrap(wrap), Plan::Wrap { padded: false }))
        }
        DataKeyAlgorithm::Wrap(wrap @ WrapAlgorithm::AesKwp) => {
            Ok((Use::Wrap(wrap), Plan::Wrap { padded: true }))
        }
        DataKeyAlgorithm::Wrap(WrapAlgorithm::Rsa(padding))
        | DataKeyAlgorithm::Content(EncryptionAlgorithm::Rsa(padding)) => {
            let wanted = if wraps {
                Use::Wrap(WrapAlgorithm::Rsa(padding))
            } else {
                Use::Encrypt(EncryptionAlgorithm::Rsa(padding))
            };
            Ok((wanted, Plan::Rsa(padding)))
        }
        DataKeyAlgorithm::Content(content @ EncryptionAlgorithm::Aes(_, AesMode::Gcm)) => {
            Ok((Use::Encrypt(content), Plan::Gcm))
        }
        DataKeyAlgorithm::Content(EncryptionAlgorithm::Aes(_, AesMode::Cbc | AesMode::CbcPad)) => {
            Err(Error::invalid("algorithm", "CBC does not authenticate; use AES-KWP or GCM"))
        }
    }
}
