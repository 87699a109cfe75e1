//! `[client_ca]`: whose client certificates are taken.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use keyreeve_identity::{ClientCertificates, SpiffeId, SubjectRule};
use keyreeve_types::Name;
use serde::{Deserialize, Serialize};

use super::{Report, file};
use crate::client_verifier::ClientVerifier;

/// `[client_ca]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCaConfig {
    /// PEM file with the authorities that client certificates lead to.
    pub file: PathBuf,
    /// PEM file with lists of revoked certificates (CRL), of every authority that a client
    /// certificate comes from. Read again when it changes. Default none: nothing is
    /// looked up.
    pub crl: Option<PathBuf>,
    /// What principals with a certificate are said to be of. Default `client-ca`.
    #[serde(default = "ClientCaConfig::standard_name")]
    pub name: String,
    /// Trust domains whose SPIFFE IDs are taken from certificates. Default none.
    #[serde(default)]
    pub trust_domains: Vec<String>,
    /// Subjects of certificates without a SPIFFE ID that are taken. Default none.
    #[serde(default, rename = "subject")]
    pub subjects: Vec<SubjectConfig>,
}

/// `[[client_ca.subject]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectConfig {
    /// The whole subject as RFC 4514 writes it, as `CN=app,O=Example`.
    pub subject: String,
    /// What the principal is called: 1 to 127 of `0-9 a-z A-Z -`.
    pub name: String,
}

impl ClientCaConfig {
    fn standard_name() -> String {
        "client-ca".to_owned()
    }

    pub(crate) fn rules(&self) -> ClientCertificates {
        let rule = |one: &SubjectConfig| SubjectRule {
            subject: one.subject.clone(),
            principal: one.name.clone(),
        };
        ClientCertificates {
            name: Arc::from(self.name.as_str()),
            trust_domains: self.trust_domains.clone(),
            subjects: self.subjects.iter().map(rule).collect(),
        }
    }

    pub(super) fn check(mut self, report: &mut Report, base: &Path) -> Self {
        self.file = base.join(&self.file);
        let mend = "name the PEM file with the authority of client certificates";
        if file::check_readable(report, "client_ca.file", &self.file, mend)
            && let Err(why) = ClientVerifier::new(&self.file, None)
        {
            report.add("client_ca.file", why, mend);
        }
        self.crl = self.crl.map(|crl| base.join(crl));
        if let Some(crl) = &self.crl {
            let mend = "name the PEM file with the lists of the authorities' revoked certificates";
            if file::check_readable(report, "client_ca.crl", crl, mend)
                && let Err(why) = ClientVerifier::new(&self.file, Some(crl))
            {
                report.add("client_ca.crl", why, mend);
            }
        }
        let names = std::iter::once(&self.name).chain(self.subjects.iter().map(|one| &one.name));
        for name in names.filter(|name| name.parse::<Name>().is_err()) {
            let wrong = format!("`{name}` is not a name");
            report.add("client_ca", wrong, "use 1 to 127 of 0-9, a-z, A-Z and '-'");
        }
        for domain in self.trust_domains.iter().filter(|domain| !SpiffeId::is_trust_domain(domain))
        {
            let wrong = format!("`{domain}` is no trust domain");
            report.add("client_ca.trust_domains", wrong, "write it as in spiffe://example.org/");
        }
        if self.trust_domains.is_empty() && self.subjects.is_empty() {
            report.add(
                "client_ca",
                "takes nobody's certificate",
                "add trust_domains or a [[client_ca.subject]]",
            );
        }
        self
    }
}
