//! Client certificates: who is at the other end of a connection.
//!
//! rustls has verified the chain, the purpose and the end of the certificate, and that
//! the other end has its key. Who that is, is decided once for a connection; that the
//! certificate has not ended or been revoked meanwhile, for each request.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use keyreeve_identity::ClientCertificates;
use keyreeve_service::{Credential, Identity, Method};
use keyreeve_types::UnixTime;
use rustls_pki_types::CertificateDer;

use crate::client_verifier::ClientVerifier;

/// Whose certificates are taken.
pub(crate) struct Certificates {
    rules: ClientCertificates,
    verifier: Arc<ClientVerifier>,
}

/// The certificates of a connection, and by which lists of revoked ones they were let
/// through last.
#[derive(Debug)]
pub(crate) struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    /// [`REFUSED`] once they were not.
    by: AtomicU64,
}

const REFUSED: u64 = u64::MAX;

/// What a connection presented.
#[derive(Debug, Clone)]
pub(crate) enum Presented {
    /// No certificate.
    Nothing,
    /// One that proves somebody.
    Proven {
        /// Whom.
        identity: Arc<Identity>,
        /// From when on it no longer does.
        expires: UnixTime,
        /// By what.
        chain: Arc<Chain>,
    },
    /// One that proves nobody.
    Failed,
}

impl Certificates {
    pub(crate) fn new(rules: ClientCertificates, verifier: Arc<ClientVerifier>) -> Self {
        Self { rules, verifier }
    }

    /// Whom the certificates of a handshake prove, of which `leaf` is the first.
    pub(super) fn present(
        &self,
        leaf: &[u8],
        certificates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Presented {
        // The handshake may have gone by the lists before these.
        let by = AtomicU64::new(0);
        let certificates = certificates.iter().map(|one| one.clone().into_owned()).collect();
        let chain = Arc::new(Chain { certificates, by });
        match self.rules.subject(leaf, now) {
            Ok((subject, expires)) => {
                let credential = Some(Credential::fingerprint_of(leaf));
                let identity = Identity::proven(subject, Method::MutualTls, credential);
                Presented::Proven { identity: Arc::new(identity), expires, chain }
            }
            Err(refusal) => {
                tracing::debug!(why = refusal.reason(), "a client certificate proves nobody");
                Presented::Failed
            }
        }
    }

    /// Whether none of `chain` has been revoked. Looked up once for each connection and
    /// list.
    pub(super) fn still_take(&self, chain: &Chain) -> bool {
        let generation = self.verifier.generation();
        match chain.by.load(Ordering::Relaxed) {
            REFUSED => return false,
            by if by == generation => return true,
            _ => {}
        }
        let taken = self.verifier.still_takes(&chain.certificates);
        if !taken {
            tracing::info!("a client certificate was revoked, or its list has ended");
        }
        chain.by.store(if taken { generation } else { REFUSED }, Ordering::Relaxed);
        taken
    }
}
