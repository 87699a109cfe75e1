//! Which client asks, and whether it is that client.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use keyreeve_identity::{Claims, Token, claimed_client};
use keyreeve_service::{
    Clock, FederatedCredential, Identity, Method, Service,
    identities::{ClientProof, NotProven},
};
use zeroize::Zeroizing;

use super::{TokenEndpoint, form::Form};
use crate::front::authn::Trouble;

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request makes no sense.
    Request(&'static str),
    /// The grant is not offered.
    Grant,
    /// The client is not proven.
    Client {
        /// Whether it used the `Authorization` header.
        basic: bool,
    },
    /// Something is missing that is needed to decide.
    Unavailable,
}

/// What a client presented; of three ways, one.
enum Way<'f> {
    Secret { client: String, secret: Zeroizing<Vec<u8>>, basic: bool },
    Assertion { client: Option<&'f str>, assertion: &'f str },
}

impl TokenEndpoint {
    /// Proves the client of a request.
    pub(super) async fn prove(
        &self,
        service: &Service,
        uri: &Uri,
        headers: &HeaderMap,
        form: &Form,
    ) -> Result<Arc<Identity>, Failure> {
        match way(headers, form)? {
            Way::Secret { client, secret, basic } => {
                let proof = ClientProof::Secret(&secret);
                let proven = service.shared().prove_client(&client, proof);
                proven.map_err(|why| refused(&client, why, basic))
            }
            Way::Assertion { client, assertion } => {
                let token = parsed(assertion)?;
                let own = claimed_client(&token).map(str::to_owned);
                match (own, client) {
                    // About itself: `client_id` may be left out (RFC 7521 section 4.2).
                    (Some(own), given) if given.is_none_or(|given| given == own) => {
                        self.by_own_assertion(service, uri, &own, token)
                    }
                    (_, Some(client)) => self.by_federation(service, client, assertion).await,
                    (_, None) => Err(Failure::Request("client_id is missing")),
                }
            }
        }
    }

    fn by_own_assertion(
        &self,
        service: &Service,
        uri: &Uri,
        client: &str,
        token: Token<'_>,
    ) -> Result<Arc<Identity>, Failure> {
        // Where the request says that it went is the sender's word: an assertion for
        // another server would fit. Only the configured address counts.
        let Some(url) = &self.url else {
            tracing::warn!("a client assertion is refused because https.url is not configured");
            return Err(Failure::Client { basic: false });
        };
        let (standard, asked) = (format!("{url}/oauth2/token"), format!("{url}{}", uri.path()));
        let endpoints = [standard.as_str(), asked.as_str()];
        let replays = &self.replays;
        let proof = ClientProof::Assertion { token, endpoints: &endpoints, replays };
        let proven = service.shared().prove_client(client, proof);
        proven.map_err(|why| refused(client, why, false))
    }

    async fn by_federation(
        &self,
        service: &Service,
        client: &str,
        assertion: &str,
    ) -> Result<Arc<Identity>, Failure> {
        let account = service.shared().client(client);
        let account = account.ok_or_else(|| refused(client, NotProven::NoClient, false))?;
        let issuer = parsed(assertion)?.claimed_issuer().map(str::to_owned);
        let named: Vec<&FederatedCredential> =
            account.federated().iter().filter(|one| Some(&one.issuer) == issuer.as_ref()).collect();
        let audiences: Vec<&str> = named.iter().map(|one| one.audience.as_str()).collect();
        if audiences.is_empty() {
            return Err(refused(client, NotProven::NoMatch, false));
        }
        let claims = match self.verify(assertion, &audiences) {
            Err(Trouble::Refetch(place)) => {
                self.issuers.refetched(place).await;
                match self.verify(assertion, &audiences) {
                    Err(Trouble::Refetch(place)) if !self.issuers.has_keys(place) => {
                        return Err(Failure::Unavailable);
                    }
                    again => again,
                }
            }
            first => first,
        };
        let claims = claims.map_err(|why| {
            tracing::debug!(client, ?why, "a federated assertion is refused");
            Failure::Client { basic: false }
        })?;
        let subject = claims.subject().map_err(|_| Failure::Client { basic: false })?;
        let fits =
            |one: &&&FederatedCredential| one.subject == subject && claims.is_for(&one.audience);
        let found = named.iter().find(fits);
        let found = found.ok_or_else(|| refused(client, NotProven::NoMatch, false))?;
        let proof =
            ClientProof::Federated { issuer: &found.issuer, subject, audience: &found.audience };
        let proven = service.shared().prove_client(client, proof);
        proven.map_err(|why| refused(client, why, false))
    }

    fn verify(&self, assertion: &str, audiences: &[&str]) -> Result<Claims, Trouble> {
        let token = Token::parse(assertion).map_err(Trouble::Refused)?;
        self.issuers.claims(token, audiences, Clock::system().now())
    }
}

fn parsed(assertion: &str) -> Result<Token<'_>, Failure> {
    Token::parse(assertion).map_err(|why| {
        tracing::debug!(why = why.reason(), "a client assertion is refused");
        Failure::Client { basic: false }
    })
}

/// For the log; the client is told that it failed.
fn refused(client: &str, why: NotProven, basic: bool) -> Failure {
    // The id is what somebody sent: it is shown as far as any real one, and escaped.
    let client: String = client.chars().take(64).collect();
    tracing::info!(?client, ?why, "a client is not proven");
    Failure::Client { basic }
}

/// How the client of a request that failed meant to prove itself. For the log, which is
/// told nothing else of what somebody sent.
pub(super) fn tried(headers: &HeaderMap, body: &[u8]) -> Method {
    let form = Form::parse(body);
    let way = form.as_ref().ok().and_then(|form| way(headers, form).ok());
    let own = |assertion, client: Option<&str>| {
        let token = Token::parse(assertion).ok();
        let own = token.as_ref().and_then(claimed_client);
        own.is_some_and(|own| client.is_none_or(|client| client == own))
    };
    match way {
        None => Method::NotPresented,
        Some(Way::Secret { .. }) => Method::ClientSecret,
        Some(Way::Assertion { client, assertion }) if own(assertion, client) => {
            Method::ClientAssertion
        }
        Some(Way::Assertion { .. }) => Method::Federated,
    }
}

/// How the client proves itself. More than one way is refused (RFC 6749 section 2.3).
fn way<'f>(headers: &HeaderMap, form: &'f Form) -> Result<Way<'f>, Failure> {
    const TWO_WAYS: Failure = Failure::Request("a client proves itself in one way");
    let client = form.get("client_id");
    let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
    let mut authorization = headers.get_all(header::AUTHORIZATION).into_iter();
    match (authorization.next(), secret, assertion) {
        (Some(value), None, None) if authorization.next().is_none() => {
            let (id, secret) = basic(value.as_bytes()).ok_or(Failure::Client { basic: true })?;
            if client.is_some_and(|client| client != id) {
                return Err(TWO_WAYS);
            }
            Ok(Way::Secret { client: id, secret, basic: true })
        }
        (None, Some(secret), None) => {
            let client = client.ok_or(Failure::Request("client_id is missing"))?.to_owned();
            let secret = Zeroizing::new(secret.as_bytes().to_vec());
            Ok(Way::Secret { client, secret, basic: false })
        }
        (None, None, Some(assertion)) => {
            if form.get("client_assertion_type") != Some(JWT_BEARER) {
                return Err(Failure::Request("client_assertion_type must be that of RFC 7523"));
            }
            Ok(Way::Assertion { client, assertion })
        }
        (None, None, None) => Err(Failure::Client { basic: false }),
        _ => Err(TWO_WAYS),
    }
}

/// Client id and secret of `Basic` (RFC 6749 section 2.3.1): each encoded as in a form.
fn basic(value: &[u8]) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (scheme, encoded) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let part = |part: &[u8]| {
        // As the value of a parameter without a name.
        let pair = [b"=", part].concat();
        let (_, value) = form_urlencoded::parse(&pair).next()?;
        Some(value.into_owned())
    };
    let secret = Zeroizing::new(part(&decoded[colon + 1..])?.into_bytes());
    Some((part(&decoded[..colon])?, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(authorization: Option<&str>, body: &str) -> Result<String, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        let form = Form::parse(body.as_bytes()).expect("a form");
        way(&headers, &form).map(|way| match way {
            Way::Secret { client, secret, basic } => {
                format!("{client} {} {basic}", String::from_utf8_lossy(&secret))
            }
            Way::Assertion { client, assertion } => format!("{client:?} {assertion}"),
        })
    }

    /// Guards against a request that is read in another way than it was meant, and
    /// against a second way that is tried when the first fails.
    #[test]
    fn a_client_proves_itself_in_one_way() {
        let basic = format!("Basic {}", STANDARD.encode("a%3Ab:s+%2B"));
        assert_eq!(ask(Some(&basic), ""), Ok("a:b s + true".to_owned()));
        assert_eq!(ask(Some(&basic), "client_id=a:b"), Ok("a:b s + true".to_owned()));
        assert_eq!(ask(None, "client_id=a&client_secret=s"), Ok("a s false".to_owned()));
        let jwt = format!("client_assertion=x.y.z&client_assertion_type={JWT_BEARER}");
        assert_eq!(ask(None, &jwt), Ok("None x.y.z".to_owned()));
        for (authorization, body) in [
            (Some(&basic), "client_secret=s"),
            (Some(&basic), "client_id=other"),
            (Some(&basic), jwt.as_str()),
            (None, "client_id=a&client_secret=s&client_assertion=x"),
            (None, "client_secret=s"),
            (None, "client_assertion=x.y.z"),
        ] {
            let failed = ask(authorization.map(String::as_str), body);
            assert!(matches!(failed, Err(Failure::Request(_))), "{body} {failed:?}");
        }
        assert_eq!(ask(Some("Bearer kr_x"), ""), Err(Failure::Client { basic: true }));
        assert_eq!(ask(Some("Basic %%%"), ""), Err(Failure::Client { basic: true }));
        assert_eq!(ask(None, "client_id=a"), Err(Failure::Client { basic: false }));
    }
}
