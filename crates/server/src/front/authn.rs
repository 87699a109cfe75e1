//! Who calls: bearer tokens (RFC 6750), and nothing else yet.
//!
//! There are three outcomes, and they are never mixed up: nothing was presented,
//! something was presented and proven, something was presented and failed. A
//! credential that fails is never treated as if it had not been there.
//!
//! It refuses to decide what a caller may do.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{HeaderMap, header::AUTHORIZATION};
use keyreeve_service::Identity;

use crate::token;

/// Longest credential that is looked at, in bytes.
const MAX_CREDENTIAL: usize = 1024;

/// Everybody who may call. Never changes while a front lives.
///
/// The look-up goes by the SHA-256 of what was presented. Its time can tell
/// something about that hash, which tells nothing about a token that has 256
/// random bits; the comparison that admits takes the same time for every hash.
pub(crate) struct Tokens {
    known: HashMap<u64, Vec<([u8; 32], Arc<Identity>)>>,
}

/// What a request said about who sent it.
#[derive(Debug)]
pub(crate) enum Credential {
    /// Nothing.
    NotPresented,
    /// A known token.
    Proven(Arc<Identity>),
    /// Something that is not a known token.
    Failed,
}

impl Tokens {
    /// From identities and SHA-256 of the tokens that prove them.
    pub(crate) fn new(identities: impl IntoIterator<Item = (Identity, [u8; 32])>) -> Self {
        let mut known: HashMap<u64, Vec<_>> = HashMap::new();
        for (identity, hash) in identities {
            known.entry(prefix(&hash)).or_default().push((hash, Arc::new(identity)));
        }
        Self { known }
    }

    /// Reads the request's credential.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Credential {
        let mut presented = headers.get_all(AUTHORIZATION).into_iter();
        let Some(value) = presented.next() else { return Credential::NotPresented };
        if presented.next().is_some() {
            // Two credentials: whoever is in between may have read the other one.
            return Credential::Failed;
        }
        let proven = bearer(value.as_bytes()).and_then(|token| self.find(token));
        proven.map_or(Credential::Failed, Credential::Proven)
    }

    fn find(&self, token: &[u8]) -> Option<Arc<Identity>> {
        let hash = token::hash(token);
        let candidates = self.known.get(&prefix(&hash))?;
        let (_, identity) =
            candidates.iter().find(|(known, _)| verify_slices_are_equal(known, &hash).is_ok())?;
        Some(Arc::clone(identity))
    }
}

impl Credential {
    /// What to tell a caller who needs to be known and is not. Never says what was
    /// presented.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::NotPresented => {
                "this call needs a token: send the header `authorization: Bearer TOKEN`; the \
                 command line and the SDK take it from KEYREEVE_TOKEN"
            }
            Self::Failed => {
                "the token is not known to this service: check that KEYREEVE_TOKEN is complete \
                 and belongs to this service, and that the operator has added it"
            }
            // Nobody who is proven is told this.
            Self::Proven(_) => "",
        }
    }
}

fn prefix(hash: &[u8; 32]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}

/// The token of `Bearer TOKEN`; the scheme compares without case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    let fits = scheme.eq_ignore_ascii_case(b"bearer ") && token.len() <= MAX_CREDENTIAL;
    let token = token.trim_ascii();
    (fits && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use keyreeve_authz::{Principal, PrincipalKind, Subject};
    use keyreeve_service::Method;

    use super::*;

    fn tokens() -> Tokens {
        let identity = |name| {
            let principal = Principal::new(PrincipalKind::Token, None, name).expect("a principal");
            let subject = Subject::new(principal, []).expect("a subject");
            Identity::proven(subject, Method::Token, None)
        };
        Tokens::new([
            (identity("app"), token::hash(b"kr_one")),
            (identity("ops"), token::hash(b"kr_two")),
        ])
    }

    fn outcome(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().expect("a header value"));
        }
        match tokens().authenticate(&headers) {
            Credential::NotPresented => "not presented".to_owned(),
            Credential::Proven(who) => {
                who.subject().expect("somebody").principal().name().to_owned()
            }
            Credential::Failed => "failed".to_owned(),
        }
    }

    /// Guards against one caller taken for another, and a known one turned away.
    #[test]
    fn a_known_token_proves_its_own_name() {
        assert_eq!(outcome(&["Bearer kr_one"]), "app");
        assert_eq!(outcome(&["bearer kr_two"]), "ops");
    }

    /// Guards against a failed credential that is treated as none, or as somebody.
    #[test]
    fn what_is_presented_and_not_known_fails() {
        let long = format!("Bearer {}", "x".repeat(5000));
        for value in [
            "Bearer kr_three",
            "Bearer ",
            "Bearer",
            "",
            "Basic kr_one",
            "kr_one",
            "Bearer kr_one x",
        ] {
            assert_eq!(outcome(&[value]), "failed", "{value:?}");
        }
        assert_eq!(outcome(&[&long]), "failed");
    }

    /// Guards against a proxy and the service reading different credentials.
    #[test]
    fn two_credentials_fail_even_if_one_is_known() {
        assert_eq!(outcome(&["Bearer kr_one", "Bearer kr_two"]), "failed");
    }

    /// Guards against calls without a credential that count as failed logins.
    #[test]
    fn nothing_presented_is_its_own_outcome() {
        assert_eq!(outcome(&[]), "not presented");
    }
}
