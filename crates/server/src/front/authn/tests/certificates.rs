//! Client certificates, through a real handshake.

use std::path::Path;

use keyreeve_identity::ClientCertificates;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, RevokedCertParams, SanType,
    SerialNumber,
};
use rustls::{ClientConfig, RootCertStore, server::danger::ClientCertVerifier};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{client_verifier::ClientVerifier, config::TlsConfig, tls};

/// An authority for servers and clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Its list of revoked certificates, which lasts.
    fn revoking(&self, revoked: &[&Pair]) -> String {
        self.listing(revoked, 2045)
    }

    /// One that lasts to the beginning of a year.
    fn listing(&self, revoked: &[&Pair], until: i32) -> String {
        let this_update = rcgen::date_time_ymd(2020, 1, 1);
        let next_update = rcgen::date_time_ymd(until, 1, 1);
        let revoked_certs = revoked.iter().map(|pair| RevokedCertParams {
            serial_number: pair.serial.clone(),
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked_certs.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }

    fn sign(&self, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose, ended: bool) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "app");
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        if ended {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let mut serial = [0; 8];
        aws_lc_rs::rand::fill(&mut serial).expect("random bytes");
        serial[0] = 1;
        let serial = SerialNumber::from_slice(&serial);
        params.serial_number = Some(serial.clone());
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Pair { certificate, key, serial }
    }
}

struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
    serial: SerialNumber,
}

fn spiffe(path: &str) -> Vec<SanType> {
    vec![SanType::URI(format!("spiffe://{path}").try_into().expect("ASCII"))]
}

struct Site {
    authority: Authority,
    directory: tempfile::TempDir,
    authn: Authn,
    verifier: Arc<ClientVerifier>,
}

impl Site {
    async fn new() -> Self {
        let (authority, directory) = (Authority::new(), tempfile::tempdir().expect("a directory"));
        let names = vec![SanType::DnsName("localhost".try_into().expect("ASCII"))];
        let server = authority.sign(names, ExtendedKeyUsagePurpose::ServerAuth, false);
        let write = |name: &str, text: String| {
            std::fs::write(directory.path().join(name), text).expect("a file");
        };
        write("ca.pem", authority.certificate.pem());
        write("server.pem", server.certificate.pem());
        write("server.key", server.key.serialize_pem());
        let rules = ClientCertificates {
            name: Arc::from("mesh"),
            trust_domains: vec!["example.org".to_owned()],
            subjects: Vec::new(),
        };
        write("revoked.pem", authority.revoking(&[]));
        let path = |name: &str| directory.path().join(name);
        let verifier = ClientVerifier::new(&path("ca.pem"), Some(&path("revoked.pem")));
        let verifier = verifier.expect("an authority");
        let certificates = Certificates::new(rules, Arc::clone(&verifier));
        let authn = authn(Some(certificates), nobody()).await;
        Self { authority, directory, authn, verifier }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// What the service makes of a connection with the client's certificate; `None` if
    /// there is no connection.
    async fn connect(&self, client: Option<&Pair>) -> Option<Presented> {
        let pair = TlsConfig { certificate: self.path("server.pem"), key: self.path("server.key") };
        let verifier = Arc::clone(&self.verifier) as Arc<dyn ClientCertVerifier>;
        let server = tls::load(&pair, &[b"h2"], Some(verifier)).expect("a server");
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate.der().clone()).expect("an authority");
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match client {
            None => config.with_no_client_auth(),
            Some(pair) => {
                let chain: Vec<CertificateDer<'static>> = vec![pair.certificate.der().clone()];
                let key = PrivatePkcs8KeyDer::from(pair.key.serialize_der()).into();
                config.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (near, far) = tokio::io::duplex(64 * 1024);
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        // Kept until the other end is done with the handshake.
        let client = tokio::spawn(async move { connector.connect(name, near).await });
        let accepted = TlsAcceptor::from(server).accept(far).await;
        let _client = client.await;
        let stream = accepted.ok()?;
        Some(self.authn.present(stream.get_ref().1.peer_certificates()))
    }

    async fn outcome(&self, client: Option<&Pair>, authorization: &[&str]) -> String {
        match self.connect(client).await {
            Some(presented) => outcome(&self.authn, authorization, &presented).await,
            None => "no connection".to_owned(),
        }
    }
}

/// Guards against a certificate that is taken from an authority of nobody's, for another
/// purpose or after its end, and against one that decides where a token has failed.
#[tokio::test]
async fn a_client_certificate_proves_its_workload() {
    let site = Site::new().await;
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    let sign = |path: &str| site.authority.sign(spiffe(path), client.clone(), false);
    let api = sign("example.org/ns/prod/sa/api");
    let id = "spiffe://example.org/ns/prod/sa/api";
    assert_eq!(site.outcome(Some(&api), &[]).await, id);
    assert_eq!(site.outcome(None, &[]).await, "not presented");
    assert_eq!(site.outcome(None, &["Bearer kr_one"]).await, "app");
    // The token is asked first, and a token that fails ends it.
    assert_eq!(site.outcome(Some(&api), &["Bearer kr_one"]).await, "app");
    assert_eq!(site.outcome(Some(&api), &["Bearer kr_three"]).await, "failed");

    assert_eq!(site.outcome(Some(&sign("evil.example/api")), &[]).await, "failed");
    assert_eq!(site.outcome(Some(&sign("evil.example/api")), &["Bearer kr_one"]).await, "app");
    let unnamed = site.authority.sign(Vec::new(), client.clone(), false);
    assert_eq!(site.outcome(Some(&unnamed), &[]).await, "failed");

    let server = ExtendedKeyUsagePurpose::ServerAuth;
    let name = "example.org/api";
    for refused in [
        Authority::new().sign(spiffe(name), client.clone(), false),
        site.authority.sign(spiffe(name), server, false),
        site.authority.sign(spiffe(name), client, true),
    ] {
        assert_eq!(site.outcome(Some(&refused), &[]).await, "no connection");
    }
}

/// Guards against a connection that goes on proving after its certificate has ended.
#[tokio::test]
async fn a_certificate_that_ends_while_connected_proves_no_longer() {
    let site = Site::new().await;
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    let api = site.authority.sign(spiffe("example.org/api"), client, false);
    let Some(Presented::Proven { identity, chain, .. }) = site.connect(Some(&api)).await else {
        panic!("it is proven");
    };
    let ended = Presented::Proven { identity, expires: Clock::system().now(), chain };
    assert_eq!(outcome(&site.authn, &[], &ended).await, "failed");
}

/// Guards against a certificate that was revoked and still opens connections, or goes on
/// proving on one that is open; against a list that is damaged and lets everybody in, and
/// against one that has ended.
#[tokio::test]
async fn a_certificate_that_was_revoked_proves_nobody() {
    let site = Site::new().await;
    let sign =
        |path: &str| site.authority.sign(spiffe(path), ExtendedKeyUsagePurpose::ClientAuth, false);
    let (api, other) = (sign("example.org/api"), sign("example.org/other"));
    let replace = |text: String| {
        std::fs::write(site.path("revoked.pem"), text).expect("written");
        site.verifier.replace(std::fs::File::open(site.path("revoked.pem")).expect("opened"))
    };
    let open = site.connect(Some(&api)).await.expect("a connection");
    assert_eq!(outcome(&site.authn, &[], &open).await, "spiffe://example.org/api");

    replace(site.authority.revoking(&[&api])).expect("a list");
    assert_eq!(outcome(&site.authn, &[], &open).await, "failed", "while it is connected");
    assert_eq!(site.outcome(Some(&api), &[]).await, "no connection");
    assert_eq!(site.outcome(Some(&other), &[]).await, "spiffe://example.org/other");

    for damaged in [String::new(), "-----BEGIN X509 CRL-----\nAAAA\n".to_owned()] {
        replace(damaged).expect_err("no list");
        assert_eq!(site.outcome(Some(&api), &[]).await, "no connection");
    }
    replace(site.authority.listing(&[], 2021)).expect("a list");
    assert_eq!(site.outcome(Some(&other), &[]).await, "no connection");
    let elsewhere = Authority::new().revoking(&[]);
    replace(elsewhere).expect("a list");
    assert_eq!(site.outcome(Some(&other), &[]).await, "no connection", "no list of its authority");
}
