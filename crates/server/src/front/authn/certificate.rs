//! Client certificates: who is at the other end of a connection.
//!
//! rustls has verified the chain, the purpose and the end of the certificate, and that
//! the other end has its key. Who that is, is decided once for a connection; that the
//! certificate has not ended meanwhile, for each request.

use std::sync::Arc;

use keyreeve_identity::ClientCertificates;
use keyreeve_service::{Credential, Identity, Method};
use keyreeve_types::UnixTime;

/// Whose certificates are taken.
pub(crate) struct Certificates(pub(crate) ClientCertificates);

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
    },
    /// One that proves nobody.
    Failed,
}

impl Certificates {
    pub(super) fn present(&self, leaf: &[u8], now: UnixTime) -> Presented {
        match self.0.subject(leaf, now) {
            Ok((subject, expires)) => {
                let credential = Some(Credential::fingerprint_of(leaf));
                let identity = Identity::proven(subject, Method::MutualTls, credential);
                Presented::Proven { identity: Arc::new(identity), expires }
            }
            Err(refusal) => {
                tracing::debug!(why = refusal.reason(), "a client certificate proves nobody");
                Presented::Failed
            }
        }
    }
}
