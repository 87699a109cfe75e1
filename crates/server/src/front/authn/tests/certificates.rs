//! Client certificates, through a real handshake.

use std::path::Path;

use keyreeve_identity::ClientCertificates;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SanType,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{config::TlsConfig, tls};

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
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Pair { certificate, key }
    }
}

struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn spiffe(path: &str) -> Vec<SanType> {
    vec![SanType::URI(format!("spiffe://{path}").try_into().expect("ASCII"))]
}

struct Site {
    authority: Authority,
    directory: tempfile::TempDir,
    authn: Authn,
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
        let authn = authn(Some(Certificates(rules)), nobody()).await;
        Self { authority, directory, authn }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// What the service makes of a connection with the client's certificate; `None` if
    /// there is no connection.
    async fn connect(&self, client: Option<&Pair>) -> Option<Presented> {
        let pair = TlsConfig { certificate: self.path("server.pem"), key: self.path("server.key") };
        let verifier = tls::client_verifier(&self.path("ca.pem")).expect("an authority");
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
    let Some(Presented::Proven { identity, .. }) = site.connect(Some(&api)).await else {
        panic!("it is proven");
    };
    let ended = Presented::Proven { identity, expires: Clock::system().now() };
    assert_eq!(outcome(&site.authn, &[], &ended).await, "failed");
}
