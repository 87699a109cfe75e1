//! What a keyhost does with a request.
//!
//! The order is the same for all: find or open the key, check that its policy and
//! kind allow what is asked, and only then let the backend work. The checks repeat
//! the service's on purpose: the service gives the caller a good answer, this one
//! holds against a front that lies.

use std::sync::Arc;

use keyreeve_backend::{Error, InvalidInput, KeyBackend, Session};
use keyreeve_tlog::Hash;
use keyreeve_types::{KeyState, Operation, UnixTime, VersionId};

use super::{
    Shared,
    open_keys::{Lookup, OpenKey},
    pulse::Progress,
};
use crate::frame::{KeyRef, Opening, Request, Response};

/// Where one request is served.
pub(super) struct Desk<'a, B: KeyBackend> {
    pub(super) shared: &'a Shared<B>,
    pub(super) session: &'a mut B::Session,
    /// Where results are put together; emptied and wiped by the caller.
    pub(super) scratch: &'a mut Vec<u8>,
    pub(super) now: UnixTime,
    /// Told of each step where there are several.
    pub(super) progress: Progress<'a>,
}

/// Why there is no result.
pub(super) enum Refusal {
    NotOpen,
    Stale,
    NotAllowed(KeyState),
    WrongAlgorithm,
    PolicyWidens,
    WrongRecipient,
    Malformed,
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<InvalidInput> for Refusal {
    fn from(why: InvalidInput) -> Self {
        Self::Failed(why.into())
    }
}

/// What became of a request.
pub(super) enum Answer<'a> {
    /// This is for the caller.
    Response(Response<'a>),
    /// It failed, and whose fault it was is for [`Suspicion::judge`] to say.
    Suspect(Suspicion),
}

/// A failure that a caller's input can cause as well as a dying device.
pub(super) struct Suspicion {
    error: Error,
    /// Which key was to be used.
    version: Option<VersionId>,
    /// Whether it was sent along.
    came_along: bool,
}

/// How things are after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Well,
    /// The session is to be replaced.
    SessionBroken,
    /// The backend does not do its work: a fresh process may find one that does.
    Dead,
}

impl<'a, B: KeyBackend> Desk<'a, B> {
    /// Serves one request.
    pub(super) fn answer(self, opening: Option<Opening<'_>>, request: Request<'_>) -> Answer<'a> {
        let came_along = opening.is_some();
        let version = request.key().map(|key| key.version);
        Answer::Response(match self.serve(opening, request) {
            Ok(response) => response,
            Err(Refusal::Failed(error)) if blames_device(&error) => {
                return Answer::Suspect(Suspicion { error, version, came_along });
            }
            Err(Refusal::Failed(error)) => Response::Failed(error),
            Err(Refusal::NotOpen) => Response::NotOpen,
            Err(Refusal::Stale) => Response::Stale,
            Err(Refusal::NotAllowed(state)) => Response::NotAllowed(state),
            Err(Refusal::WrongAlgorithm) => Response::WrongAlgorithm,
            Err(Refusal::PolicyWidens) => Response::PolicyWidens,
            Err(Refusal::WrongRecipient) => Response::WrongRecipient,
            Err(Refusal::Malformed) => Response::Malformed,
        })
    }

    fn serve(
        mut self,
        opening: Option<Opening<'_>>,
        request: Request<'_>,
    ) -> Result<Response<'a>, Refusal> {
        let opening = opening.as_ref();
        match request {
            Request::Describe => {
                Ok(Response::Description(Box::new(self.shared.description.clone())))
            }
            Request::CreateVaultKey(vault) => self.create_vault_key(vault),
            Request::Generate { binding, policy, vault_key } => {
                self.generate(binding, policy, vault_key)
            }
            Request::Import { binding, policy, any_spec, vault_key, sealed } => {
                self.import(binding, policy, any_spec, vault_key, sealed)
            }
            Request::Reseal { opening, policy } => self.reseal(&opening, policy),
            Request::Open { opening } => {
                self.open(&opening)?;
                Ok(Response::Done)
            }
            Request::Check => {
                self.session.check()?;
                Ok(Response::Done)
            }
            Request::Destroy { opening } => self.destroy(&opening),
            Request::Sign { key, algorithm, input } => {
                let key = self.key(key, opening, Operation::Sign)?;
                self.sign(&key, algorithm, input)
            }
            Request::SignEach { key, algorithm, inputs } => {
                let key = self.key(key, opening, Operation::Sign)?;
                self.sign_each(&key, algorithm, &inputs)
            }
            Request::Mac { key, algorithm, message } => {
                let key = self.key(key, opening, Operation::Sign)?;
                self.mac(&key, algorithm, message)
            }
            Request::VerifyMac { key, algorithm, message, tag } => {
                let key = self.key(key, opening, Operation::Verify)?;
                self.verify_mac(&key, algorithm, message, tag)
            }
            Request::Encrypt { key, mode, aad, plaintext } => {
                let key = self.key(key, opening, Operation::Encrypt)?;
                self.encrypt(&key, mode, aad, plaintext)
            }
            Request::Decrypt { key, algorithm, iv, aad, ciphertext, tag } => {
                let key = self.key(key, opening, Operation::Decrypt)?;
                let sealed = keyreeve_backend::Sealed { iv, aad, ciphertext, tag };
                self.decrypt(&key, algorithm, sealed)
            }
            Request::Wrap { key, padded, plaintext } => {
                let key = self.key(key, opening, Operation::WrapKey)?;
                self.wrap(&key, padded, plaintext)
            }
            Request::Unwrap { key, algorithm, wrapped } => {
                let key = self.key(key, opening, Operation::UnwrapKey)?;
                self.unwrap(&key, algorithm, wrapped)
            }
            Request::GenerateDataKey { under, size, wrapped_only } => {
                self.generate_data_key(under, opening, size, wrapped_only)
            }
            Request::Random { size } => self.random(size),
            Request::AuditKey(log) => self.audit_key(log),
            Request::SignCheckpoint { log, previous, size, root, proof } => {
                self.sign_checkpoint(log, previous, (size, Hash(root)), proof)
            }
        }
    }

    /// The key, open and allowed to do `operation` now.
    pub(super) fn key(
        &mut self,
        wanted: KeyRef,
        opening: Option<&Opening<'_>>,
        operation: Operation,
    ) -> Result<Arc<OpenKey<B::Key>>, Refusal> {
        let open = match (self.shared.open.get(wanted), opening) {
            (Lookup::Open(open), _) => open,
            (Lookup::Stale, _) => return Err(Refusal::Stale),
            (Lookup::NotOpen, None) => return Err(Refusal::NotOpen),
            (Lookup::NotOpen, Some(opening)) => {
                if opening.binding.version != wanted.version
                    || opening.policy.revision != wanted.revision
                {
                    return Err(Refusal::Malformed);
                }
                self.open(opening)?
            }
        };
        open.policy.check(operation, self.now).map_err(Refusal::NotAllowed)?;
        Ok(open)
    }

    fn open(&mut self, from: &Opening<'_>) -> Result<Arc<OpenKey<B::Key>>, Refusal> {
        let material = self.shared.custodian.open(self.session, from)?;
        let version = from.binding.version;
        let key = self.session.open(version, from.policy.spec, material)?;
        match self.shared.open.insert(version, key, from.policy.clone()) {
            Lookup::Open(open) => Ok(open),
            Lookup::Stale | Lookup::NotOpen => Err(Refusal::Stale),
        }
    }
}

impl Suspicion {
    /// Has the canary sign: if it does, the error is what it seems to be.
    pub(super) fn judge<B: KeyBackend>(
        self,
        shared: &Shared<B>,
        session: &mut B::Session,
    ) -> (Response<'static>, After) {
        let Self { error, version, came_along } = self;
        if let Err(canary) = session.check() {
            tracing::error!(%error, %canary, "the canary does not sign: the device is unwell");
            let text = format!("{error}; and the canary: {canary}");
            return (Response::Failed(Error::DeviceFailed(text)), After::Dead);
        }
        let broken = matches!(error, Error::SessionFailed(_));
        let after = if broken { After::SessionBroken } else { After::Well };
        if matches!(error, Error::SessionFailed(_) | Error::KeyMissing) {
            // The key's handle may have died with its session: forget it, and if it was
            // only remembered, have it sent along and opened anew.
            version.inspect(|version| shared.open.remove(*version));
            if version.is_some() && !came_along {
                return (Response::NotOpen, after);
            }
        }
        (Response::Failed(error), after)
    }
}

/// Whether an error may be the device's, whoever it seems to blame.
const fn blames_device(error: &Error) -> bool {
    match error {
        Error::SessionFailed(_)
        | Error::DeviceFailed(_)
        | Error::KeyMissing
        | Error::CorruptKey
        | Error::CryptoFailed
        | Error::FaultyResult => true,
        Error::InvalidInput(_) | Error::Unsupported | Error::NeedsOperator(_) => false,
    }
}
