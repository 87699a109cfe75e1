//! From a client certificate to a subject.
//!
//! The certificate was verified when the connection was made: its chain leads to the
//! configured CA, it is for clients, it has not ended. What is decided here is who it
//! is about. A certificate with a URI name is a SPIFFE SVID or nothing: exactly one
//! URI, a SPIFFE ID of a configured trust domain. One without goes by its subject, which
//! must be configured as a whole. A name that merely looks right, in a part of the
//! subject or in a DNS name, proves nothing.

use std::sync::Arc;

use keyreeve_authz::{Principal, PrincipalKind, Subject};
use keyreeve_types::UnixTime;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{Refusal, SpiffeId};

/// Longest certificate, in bytes.
const MAX_CERTIFICATE: usize = 32 * 1024;

/// Whose certificates are taken.
#[derive(Debug, Clone)]
pub struct ClientCertificates {
    /// What we call the CA. Principals carry this name.
    pub name: Arc<str>,
    /// SPIFFE trust domains.
    pub trust_domains: Vec<String>,
    /// Subjects of certificates without a URI name.
    pub subjects: Vec<SubjectRule>,
}

/// A subject whose certificates are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRule {
    /// The whole subject as RFC 4514 writes it, `CN=app,O=Example`.
    pub subject: String,
    /// What the principal is called.
    pub principal: String,
}

impl ClientCertificates {
    /// Who the verified certificate `der` is about, and when it ends.
    pub fn subject(&self, der: &[u8], now: UnixTime) -> Result<(Subject, UnixTime), Refusal> {
        if der.len() > MAX_CERTIFICATE {
            return Err(Refusal::TooLong);
        }
        let certificate = Certificate::from_der(der).map_err(|_| Refusal::Malformed)?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        // A connection may outlast the certificate it was made with.
        let seconds = |time: &x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).map(UnixTime)
        };
        let expires = seconds(&validity.not_after).map_err(|_| Refusal::Malformed)?;
        if now.0 >= expires.0 {
            return Err(Refusal::Expired);
        }
        let names = certificate.get_extension::<SubjectAltName>();
        let names = names.map_err(|_| Refusal::Malformed)?.map(|(_, names)| names.0);
        let uris: Vec<&str> = names.iter().flatten().filter_map(uri).collect();
        let name = match uris[..] {
            [] => self.by_subject(&certificate.subject().to_string()),
            [uri] => self.by_spiffe_id(uri),
            _ => None,
        };
        let name = name.ok_or(Refusal::Subject)?;
        let principal = Principal::new(PrincipalKind::Certificate, Some(&self.name), name);
        let subject = Subject::new(principal.map_err(|_| Refusal::Subject)?, []);
        Ok((subject.map_err(|_| Refusal::Subject)?, expires))
    }

    fn by_spiffe_id<'u>(&self, uri: &'u str) -> Option<&'u str> {
        let id = SpiffeId::parse(uri).ok()?;
        let ours = self.trust_domains.iter().any(|domain| domain == id.trust_domain());
        ours.then_some(id.as_str())
    }

    fn by_subject(&self, subject: &str) -> Option<&str> {
        let rule = self.subjects.iter().find(|rule| rule.subject == subject)?;
        Some(&rule.principal)
    }
}

fn uri(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        _ => None,
    }
}
