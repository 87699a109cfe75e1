//! Which client certificates are let through a handshake, and which were revoked since.
//!
//! rustls verifies the chain, the purpose and the end of a certificate, and with a list of
//! revoked certificates (CRL, RFC 5280 section 5) that none in the chain is on it. There
//! must then be a list of every authority in the chain, and none that has ended: what
//! cannot be known is refused.
//!
//! A list is replaced while the service runs. Whoever has a connection goes by the number
//! of the list: one that is later has the certificate looked at once more.
//!
//! It refuses to ask anybody: no OCSP, no distribution points.

use std::{
    fs::File,
    io::Read as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject as _,
};

use crate::tls;

/// Longest file of lists, in bytes: some 400,000 certificates.
const MAX_LEN: u64 = 16 * 1024 * 1024;

/// Verifies client certificates by the latest lists.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    roots: Arc<RootCertStore>,
    subjects: Vec<DistinguishedName>,
    current: ArcSwap<Current>,
    generation: AtomicU64,
}

#[derive(Debug)]
struct Current(Arc<dyn ClientCertVerifier>);

impl ClientVerifier {
    /// Takes client certificates that lead to an authority in the file at `roots`, and
    /// connections without one; none that is on a list in the file at `lists`.
    pub(crate) fn new(roots: &Path, lists: Option<&Path>) -> Result<Arc<Self>, String> {
        let roots = Arc::new(tls::roots(roots)?);
        let at = |path: &Path, why: String| format!("{}: {why}", path.display());
        let lists = match lists {
            None => Vec::new(),
            Some(path) => {
                let file = File::open(path).map_err(|error| at(path, error.to_string()))?;
                read(file).map_err(|why| at(path, why))?
            }
        };
        Ok(Arc::new(Self {
            subjects: roots.subjects(),
            current: ArcSwap::from_pointee(Current(verifier(&roots, lists)?)),
            roots,
            generation: AtomicU64::new(1),
        }))
    }

    /// Goes by the lists in `file` from now on. If they cannot be read, nothing changes.
    pub(crate) fn replace(&self, file: File) -> Result<(), String> {
        let verifier = verifier(&self.roots, read(file)?)?;
        self.current.store(Arc::new(Current(verifier)));
        self.generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// How often the lists were replaced, and one; never `u64::MAX`.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether a chain that was let through would be now.
    pub(crate) fn still_takes(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((leaf, intermediates)) = chain.split_first() else { return false };
        self.verify_client_cert(leaf, intermediates, UnixTime::now()).is_ok()
    }
}

fn read(file: File) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let mut pem = Vec::new();
    let length = file.take(MAX_LEN + 1).read_to_end(&mut pem).map_err(|error| error.to_string())?;
    if length as u64 > MAX_LEN {
        return Err("it is longer than 16 MiB".to_owned());
    }
    let lists = CertificateRevocationListDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let lists = lists.map_err(|error| error.to_string())?;
    if lists.is_empty() { Err("it holds no list in PEM (X509 CRL)".to_owned()) } else { Ok(lists) }
}

fn verifier(
    roots: &Arc<RootCertStore>,
    lists: Vec<CertificateRevocationListDer<'static>>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), tls::provider())
        .with_crls(lists)
        .enforce_revocation_expiration()
        .allow_unauthenticated()
        .build()
        .map_err(|error| error.to_string())
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.current.load().0.verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current.load().0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.current.load().0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current.load().0.supported_verify_schemes()
    }
}
