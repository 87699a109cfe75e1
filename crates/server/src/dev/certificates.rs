//! A certificate authority for one machine, and the server's certificate.
//!
//! The authority may only vouch for `localhost` and for addresses (RFC 5280 section
//! 4.2.1.10), so that one who trusts it and loses its key loses little.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use x509_cert::der::DateTime;
use zeroize::Zeroizing;

use super::{DevError, at, write_private};
use crate::tls;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the authority lasts.
const CA_LIFE: Duration = Duration::from_secs(3650 * 24 * 60 * 60);
/// How long a server's certificate lasts: what browsers accept.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 24 * 60 * 60);
/// How long before its end a certificate is replaced.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Makes what is missing or about to end, and returns the authority's certificate.
pub(super) fn make(dir: &Path, listen: [SocketAddr; 2]) -> Result<PathBuf, DevError> {
    let (ca, ca_key) = (dir.join("ca.pem"), dir.join("ca.key"));
    let (server, server_key) = (dir.join("server.pem"), dir.join("server.key"));
    let renewed = if lasts(&ca) && ca_key.is_file() {
        false
    } else {
        make_ca(&ca, &ca_key)?;
        true
    };
    // An address beyond the loopback may be a new one each time.
    let ordinary = listen.iter().all(|address| address.ip().is_loopback());
    if renewed || !ordinary || !lasts(&server) || !server_key.is_file() {
        make_server(&ca_key, &server, &server_key, listen)?;
    }
    Ok(ca)
}

fn lasts(certificate: &Path) -> bool {
    tls::expiry(certificate).is_some_and(|end| end > SystemTime::now() + RENEW_BEFORE)
}

fn make_ca(certificate: &Path, key_file: &Path) -> Result<(), DevError> {
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = ca_params();
    limit_life(&mut params, CA_LIFE)?;
    let made = params.self_signed(&key).map_err(failed)?;
    write_private(key_file, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write_private(certificate, made.pem().as_bytes())
}

/// The authority but for its time: also what its signatures name it by.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Keyreeve development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("localhost".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    params
}

fn make_server(
    ca_key: &Path,
    certificate: &Path,
    key_file: &Path,
    listen: [SocketAddr; 2],
) -> Result<(), DevError> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(at(path));
    let ca_key = KeyPair::from_pem(&Zeroizing::new(read(ca_key)?)).map_err(failed)?;
    let issuer = Issuer::new(ca_params(), ca_key);

    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
    limit_life(&mut params, SERVER_LIFE)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    addresses.extend(listen.map(|address| address.ip()).iter().filter(|ip| !ip.is_unspecified()));
    addresses.sort();
    addresses.dedup();
    params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let made = params.signed_by(&key, &issuer).map_err(failed)?;
    write_private(key_file, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write_private(certificate, made.pem().as_bytes())
}

/// From yesterday, because clocks differ, for as long as `life`.
fn limit_life(params: &mut CertificateParams, life: Duration) -> Result<(), DevError> {
    let date = |time: SystemTime| {
        let date = DateTime::from_system_time(time).map_err(failed)?;
        Ok(date_time_ymd(i32::from(date.year()), date.month(), date.day()))
    };
    params.not_before = date(SystemTime::now() - DAY)?;
    params.not_after = date(SystemTime::now() + life)?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> DevError {
    DevError::Step { what: "making the development certificates", why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsConfig;

    fn listen(text: &str) -> [SocketAddr; 2] {
        [text.parse().expect("an address"); 2]
    }

    /// Guards against a start that makes every client distrust the service, and
    /// against a certificate that the service itself would refuse.
    #[test]
    fn certificates_are_made_once_and_can_be_served() {
        let dir = tempfile::tempdir().expect("a directory");
        let ca = make(dir.path(), listen("127.0.0.1:0")).expect("made");
        let tls = TlsConfig {
            certificate: dir.path().join("server.pem"),
            key: dir.path().join("server.key"),
        };
        let before = [std::fs::read(&ca), std::fs::read(&tls.certificate)];
        tls::load(&tls, &[b"h2"], None).expect("a usable pair");

        make(dir.path(), listen("127.0.0.1:0")).expect("made");
        let after = [std::fs::read(&ca), std::fs::read(&tls.certificate)];
        assert_eq!(before.map(|r| r.expect("read")), after.map(|r| r.expect("read")));
    }

    /// Guards against a certificate that ends while nobody looks.
    #[test]
    fn a_certificate_without_its_key_is_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        make(dir.path(), listen("127.0.0.1:0")).expect("made");
        let server = dir.path().join("server.pem");
        let before = std::fs::read(&server).expect("read");
        std::fs::remove_file(dir.path().join("server.key")).expect("removed");
        make(dir.path(), listen("127.0.0.1:0")).expect("made");
        assert_ne!(before, std::fs::read(&server).expect("read"));
    }
}
