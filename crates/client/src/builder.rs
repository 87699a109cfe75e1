//! How a client is set up: from the environment, or by hand.

use std::{env, fs, path::PathBuf, time::Duration};

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Uri};

use crate::{Client, Error, Fault, connections::Connections, token::Token};

/// Settings of a [`Client`]. Nothing connects until the first call.
#[derive(Default)]
pub struct Builder {
    address: Option<String>,
    ca_certificate: Option<Certificates>,
    token: Option<TokenSource>,
    https_url: Option<String>,
    server_name: Option<String>,
    deadline: Option<Duration>,
    connections: Option<usize>,
}

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("keyreeve-client/", env!("CARGO_PKG_VERSION"));

enum Certificates {
    File(PathBuf),
    Pem(Vec<u8>),
}

enum TokenSource {
    Fixed(zeroize::Zeroizing<String>),
    File(PathBuf),
}

impl Builder {
    /// Takes `KEYREEVE_ADDR`, `KEYREEVE_CACERT`, `KEYREEVE_TOKEN` or
    /// `KEYREEVE_TOKEN_FILE` (the file wins), and `KEYREEVE_HTTPS_URL`. What is unset
    /// or empty stays as it is.
    #[must_use]
    pub fn environment(mut self) -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        self.address = set("KEYREEVE_ADDR").or(self.address);
        self.https_url = set("KEYREEVE_HTTPS_URL").or(self.https_url);
        if let Some(path) = set("KEYREEVE_CACERT") {
            self = self.ca_certificate_file(path);
        }
        if let Some(path) = set("KEYREEVE_TOKEN_FILE") {
            self = self.token_file(path);
        } else if let Some(token) = set("KEYREEVE_TOKEN") {
            self = self.token(token);
        }
        self
    }

    /// The gRPC address: `https://HOST:PORT`, or `HOST:PORT`, which means the same; or
    /// `unix:PATH`, a socket of this machine, which goes without TLS.
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// The authority that the service's certificate must come from, as a PEM file.
    /// Without one, the authorities the operating system trusts.
    #[must_use]
    pub fn ca_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_certificate = Some(Certificates::File(path.into()));
        self
    }

    /// The same as PEM text.
    #[must_use]
    pub fn ca_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(Certificates::Pem(pem.into()));
        self
    }

    /// The bearer token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(TokenSource::Fixed(token.into().into()));
        self
    }

    /// A file that holds the bearer token. It is read again when the service refuses
    /// the token, so that a token can be replaced while the program runs.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token = Some(TokenSource::File(path.into()));
        self
    }

    /// Where the HTTPS side of the service is (JWKS, health); see
    /// [`Client::https_url`].
    #[must_use]
    pub fn https_url(mut self, url: impl Into<String>) -> Self {
        self.https_url = Some(url.into());
        self
    }

    /// The name in the service's certificate, if it is not the host of the address.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// How long a call may take, with all its attempts. 10 seconds unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// At most this many connections, 4 unless set. A second one is opened only when
    /// the first has calls under way.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most.max(1));
        self
    }

    /// Checks the settings and makes the client. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`Fault::Environment`] if the address is missing or not one, or a file cannot
    /// be read.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = self.endpoint()?;
        let token = match self.token {
            None => Token::none(),
            Some(TokenSource::Fixed(token)) => Token::fixed(&token)?,
            Some(TokenSource::File(path)) => Token::from_file(path)?,
        };
        let connections = Connections::new(&endpoint, self.connections.unwrap_or(4));
        let deadline = self.deadline.unwrap_or(Duration::from_secs(10));
        Ok(Client::assemble(connections, token, self.https_url, deadline))
    }

    fn endpoint(&self) -> Result<Endpoint, Error> {
        let address = self.address.as_deref().ok_or_else(|| {
            Error::new(
                Fault::Environment,
                "the service's address is not set",
                "set KEYREEVE_ADDR, as https://127.0.0.1:8443",
            )
        })?;
        if address.starts_with("unix:") {
            return unix_endpoint(address);
        }
        let uri = parse_address(address)?;
        let mut tls = ClientTlsConfig::new();
        tls = match &self.ca_certificate {
            Some(certificates) => tls.ca_certificate(Certificate::from_pem(certificates.pem()?)),
            None => tls.with_native_roots(),
        };
        if let Some(name) = &self.server_name {
            tls = tls.domain_name(name);
        }
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .user_agent(USER_AGENT)
            .and_then(|endpoint| endpoint.tls_config(tls));
        endpoint.map_err(|error| {
            Error::new(
                Fault::Environment,
                format!("TLS could not be set up: {}", innermost(&error)),
                "check that KEYREEVE_CACERT is a PEM certificate",
            )
        })
    }
}

impl Certificates {
    fn pem(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Pem(pem) => Ok(pem.clone()),
            Self::File(path) => fs::read(path).map_err(|error| {
                Error::new(
                    Fault::Environment,
                    format!("the certificate {} cannot be read: {error}", path.display()),
                    "set KEYREEVE_CACERT to the PEM certificate of the service's authority",
                )
            }),
        }
    }
}

/// A socket of this machine: what goes through it is seen by nobody but the kernel.
fn unix_endpoint(address: &str) -> Result<Endpoint, Error> {
    let bad = || {
        Error::new(
            Fault::Environment,
            format!("{address:?} is not the path of a socket"),
            "write it as unix:/run/keyreeve/inside.sock",
        )
    };
    let path = address.strip_prefix("unix://").or_else(|| address.strip_prefix("unix:"));
    path.filter(|path| path.starts_with('/')).ok_or_else(bad)?;
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| bad())?;
    endpoint.connect_timeout(CONNECT_LIMIT).user_agent(USER_AGENT).map_err(|_| bad())
}

/// A token must not travel in the clear, so `http://` is not an address.
fn parse_address(text: &str) -> Result<Uri, Error> {
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let uri = full.parse::<Uri>().ok();
    let uri = uri.filter(|u| u.scheme_str() == Some("https") && u.host().is_some());
    uri.ok_or_else(|| {
        Error::new(
            Fault::Environment,
            format!("{text:?} is not an address of the service"),
            "write it as https://HOST:PORT, or as unix:PATH for a socket of this machine",
        )
    })
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a token sent over plain HTTP because of one missing letter.
    #[test]
    fn only_https_is_an_address() {
        assert!(parse_address("https://127.0.0.1:8443").is_ok());
        assert_eq!(
            parse_address("localhost:8443").expect("an address").to_string(),
            "https://localhost:8443/"
        );
        for text in ["http://localhost:8443", "", "https://", "a b"] {
            assert!(parse_address(text).is_err(), "{text:?}");
        }
        for text in ["unix:/run/x", "unix:///run/x"] {
            assert!(unix_endpoint(text).is_ok(), "{text:?}");
        }
        for text in ["unix:", "unix:x", "unix://host"] {
            assert!(unix_endpoint(text).is_err(), "{text:?}");
        }
    }

    /// Guards against a setting that is wrong being noticed at the first call only.
    #[tokio::test]
    async fn wrong_settings_are_the_environments_fault() {
        let missing = Builder::default().build().err().expect("no address");
        assert_eq!(missing.fault(), Fault::Environment);
        let absent = Builder::default().address("localhost:1").ca_certificate_file("/nonexistent");
        let error = absent.build().err().expect("no such file");
        assert!(error.message().contains("/nonexistent"), "{error}");
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bad = Builder::default().address("localhost:1").ca_certificate_pem(garbage);
        let error = bad.build().err();
        assert!(error.is_none_or(|e| e.fault() == Fault::Environment));
    }
}
