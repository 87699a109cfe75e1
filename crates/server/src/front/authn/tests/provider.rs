//! An identity provider for tests: a real HTTPS server with a discovery document, keys
//! that can be changed, and tokens signed with them.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{config::IssuerConfig, tls};

/// A key that signs tokens with ES256.
pub(in crate::front) struct Signer {
    kid: String,
    key: EcdsaKeyPair,
}

impl Signer {
    pub(in crate::front) fn new(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { kid: kid.to_owned(), key }
    }

    /// With the key of a certificate.
    pub(in crate::front) fn of(kid: &str, key: &KeyPair) -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &key.serialize_der()).expect("a key");
        Self { kid: kid.to_owned(), key }
    }

    pub(in crate::front) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.kid, "typ": "JWT"});
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn jwk(&self) -> Value {
        let point = &self.key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(32);
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": encode(x), "y": encode(y)})
    }
}

/// The provider, while it lives.
pub(in crate::front) struct Provider {
    pub(in crate::front) url: String,
    directory: TempDir,
    answers: Arc<Mutex<Answers>>,
}

#[derive(Default)]
struct Answers {
    /// Status, `Location`, body.
    by_path: HashMap<String, (u16, String, String)>,
    asked: HashMap<String, usize>,
}

pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(super) const KEYS: &str = "/keys";

impl Provider {
    /// One that is asked and says nothing of use yet.
    pub(in crate::front) async fn start() -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).expect("a file");
        let config = ServerConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("a pair");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answers = Arc::new(Mutex::new(Answers::default()));
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), Arc::clone(&answers)));
        Self { url: format!("https://localhost:{port}"), directory, answers }
    }

    /// What a configuration says of it.
    pub(in crate::front) fn config(&self) -> IssuerConfig {
        let ca = self.directory.path().join("ca.pem");
        let text = format!(
            "name = \"idp\"\nurl = {:?}\naudience = \"kr\"\nalgorithms = [\"ES256\"]\nca = {ca:?}",
            self.url
        );
        toml::from_str(&text).expect("a configuration")
    }

    pub(super) fn answer(&self, path: &str, status: u16, location: &str, body: &Value) {
        let answer = (status, location.to_owned(), body.to_string());
        self.answers.lock().expect("unpoisoned").by_path.insert(path.to_owned(), answer);
    }

    /// Serves the discovery document, and the keys of `signers` at its own address.
    pub(in crate::front) fn publish(&self, signers: &[&Signer]) {
        let jwks_uri = format!("{}{KEYS}", self.url);
        self.answer(DISCOVERY, 200, "", &json!({"issuer": self.url, "jwks_uri": jwks_uri}));
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        self.answer(KEYS, 200, "", &json!({ "keys": keys }));
    }

    /// How often `path` was asked for.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.answers.lock().expect("unpoisoned").asked.get(path).copied().unwrap_or(0)
    }

    /// Claims of a token for `audience` that lasts.
    pub(in crate::front) fn claims(&self, subject: &str, audience: &str) -> Value {
        let now = keyreeve_service::Clock::system().now().0;
        json!({"iss": self.url, "sub": subject, "aud": audience, "exp": now + 600, "iat": now})
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, answers: Arc<Mutex<Answers>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (tls, answers) = (tls.clone(), Arc::clone(&answers));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(|request: Request<Incoming>| {
                let path = request.uri().path().to_owned();
                let mut answers = answers.lock().expect("unpoisoned");
                *answers.asked.entry(path.clone()).or_default() += 1;
                let none = (503, String::new(), "{}".to_owned());
                let (status, location, body) = answers.by_path.get(&path).unwrap_or(&none).clone();
                let answer = Response::builder()
                    .status(status)
                    .header(header::LOCATION, location)
                    .body(Full::new(Bytes::from(body)));
                async move { Ok::<_, Infallible>(answer.expect("an answer")) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
