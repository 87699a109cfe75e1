//! The certificate and key of both doors.
//!
//! TLS 1.3 and 1.2 on aws-lc-rs, nothing else. The same loading serves the check
//! before the start and the front.

use std::{path::Path, sync::Arc, time::SystemTime};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsConnector;
use x509_cert::der::Decode;

use crate::{
    config::{Report, TlsConfig, check_secret},
    remote::PROTOCOL,
};

/// Reports everything that would keep the doors from being opened.
pub(crate) fn check(report: &mut Report, tls: &TlsConfig) {
    let chain = match certificates(&tls.certificate) {
        Ok(chain) => chain,
        Err(why) => {
            report.add(
                "tls.certificate",
                why,
                "name a PEM file with the server's certificate first, then its intermediates",
            );
            Vec::new()
        }
    };
    if let Some(first) = chain.first() {
        check_validity(report, &tls.certificate, first);
    }
    let mend = "name the PEM file of the certificate's private key";
    if !check_secret(report, "tls.key", &tls.key, mend) {
        return;
    }
    match key(&tls.key) {
        Err(why) => report.add("tls.key", why, mend),
        Ok(_) if chain.is_empty() => {}
        Ok(key) => {
            if let Err(error) = server_config(chain, key, None) {
                report.add(
                    "tls.key",
                    format!("{} does not go with tls.certificate: {error}", tls.key.display()),
                    mend,
                );
            }
        }
    }
}

/// What the doors show. `protocols` are the ALPN names (RFC 7301) of one door; clients
/// are asked for a certificate if `clients` says whose are taken.
pub(crate) fn load(
    tls: &TlsConfig,
    protocols: &[&[u8]],
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, String> {
    let chain = certificates(&tls.certificate)?;
    let config = server_config(chain, key(&tls.key)?, clients);
    let mut config = config.map_err(|error| error.to_string())?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// When the first certificate in the file at `path` ends.
pub(crate) fn expiry(path: &Path) -> Option<SystemTime> {
    let chain = certificates(path).ok()?;
    let certificate = x509_cert::Certificate::from_der(chain.first()?).ok()?;
    Some(certificate.tbs_certificate().validity().not_after.to_system_time())
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, rustls::Error> {
    let clients = clients.unwrap_or_else(WebPkiClientVerifier::no_client_auth);
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
}

/// What a gate shows, and whom it takes: TLS 1.3, and nobody without a certificate that
/// leads to an authority in the file at `ca`.
pub(crate) fn mutual_server(
    ca: &Path,
    certificate: &Path,
    own: &Path,
) -> Result<Arc<ServerConfig>, String> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(ca)?), provider()).build();
    let verifier = verifier.map_err(|error| error.to_string())?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .and_then(|builder| {
            let chain = certificates(certificate).map_err(rustls::Error::General)?;
            let key = key(own).map_err(rustls::Error::General)?;
            builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)
        })
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

/// The other side of [`mutual_server`].
pub(crate) fn mutual_client(
    ca: &Path,
    certificate: &Path,
    own: &Path,
) -> Result<Arc<ClientConfig>, String> {
    let (chain, key) = (certificates(certificate)?, key(own)?);
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots(ca)?)
        .with_client_auth_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}

/// The authorities in the PEM file at `path`.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// For connections to servers that have their certificate from an authority in the file
/// `ca`, or from one that the system trusts. `protocols` are ALPN names.
pub(crate) fn client(ca: Option<&Path>, protocols: &[&[u8]]) -> Result<TlsConnector, String> {
    let mut roots = ca.map_or_else(|| Ok(RootCertStore::empty()), roots)?;
    if ca.is_none() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err("there is no authority to trust; name one with `ca`".to_owned());
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsConnector::from(Arc::new(config)))
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    if chain.is_empty() {
        return Err(format!("{} holds no PEM certificate", path.display()));
    }
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    // The parser's own words could quote the file; it holds a secret.
    PrivateKeyDer::from_pem_file(path)
        .map_err(|_| format!("{} holds no PEM private key that can be read", path.display()))
}

fn check_validity(report: &mut Report, path: &Path, certificate: &CertificateDer<'_>) {
    let Ok(certificate) = x509_cert::Certificate::from_der(certificate) else {
        report.add(
            "tls.certificate",
            format!("{} is not an X.509 certificate", path.display()),
            "name a PEM file with the server's certificate first",
        );
        return;
    };
    let validity = certificate.tbs_certificate().validity();
    if validity.not_after.to_system_time() <= SystemTime::now() {
        report.add(
            "tls.certificate",
            format!("{} expired on {}", path.display(), validity.not_after),
            "renew the certificate; every client would refuse this one",
        );
    }
}
