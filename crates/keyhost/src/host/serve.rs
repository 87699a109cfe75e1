//! What a keyhost does with a request.
//!
//! The order is the same for all: find or open the key, check that its policy and
//! kind allow what is asked, and only then let the backend work. The checks repeat
//! the service's on purpose: the service gives the caller a good answer, this one
//! holds against a front that lies.

use std::sync::Arc;

use keyreeve_backend::{Error, InvalidInput, KeyBackend, Session};
use keyreeve_tlog::Hash;
use keyreeve_types::{KeyState, Operation, UnixTime};

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

/// What became of a request, and whether the session survived it.
pub(super) struct Outcome<'a> {
    pub(super) response: Response<'a>,
    pub(super) session_broken: bool,
}

impl<'a, B: KeyBackend> Desk<'a, B> {
    /// Serves one request.
    pub(super) fn answer(self, opening: Option<Opening<'_>>, request: Request<'_>) -> Outcome<'a> {
        let open_keys = &self.shared.open;
        let came_along = opening.is_some();
        let version = request.key().map(|key| key.version);
        let (response, session_broken) = match self.serve(opening, request) {
            Ok(response) => return Outcome { response, session_broken: false },
            Err(Refusal::Failed(error @ (Error::SessionFailed(_) | Error::KeyMissing))) => {
                // The key's handle may have died with its session: forget it, and if
                // it was only remembered, have it sent along and opened anew.
                let broken = matches!(error, Error::SessionFailed(_));
                version.inspect(|version| open_keys.remove(*version));
                let again = version.is_some() && !came_along;
                (if again { Response::NotOpen } else { Response::Failed(error) }, broken)
            }
            Err(Refusal::Failed(error)) => (Response::Failed(error), false),
            Err(Refusal::NotOpen) => (Response::NotOpen, false),
            Err(Refusal::Stale) => (Response::Stale, false),
            Err(Refusal::NotAllowed(state)) => (Response::NotAllowed(state), false),
            Err(Refusal::WrongAlgorithm) => (Response::WrongAlgorithm, false),
            Err(Refusal::PolicyWidens) => (Response::PolicyWidens, false),
            Err(Refusal::WrongRecipient) => (Response::WrongRecipient, false),
            Err(Refusal::Malformed) => (Response::Malformed, false),
        };
        Outcome { response, session_broken }
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
