//! `[[issuer]]`: whose JWTs are taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use http::Uri;
use keyreeve_authz::PrincipalKind;
use keyreeve_identity::{
    ClaimPath, Issuer, IssuerSettings, Kind, Mapping, Preset, SpiffeId, verifies_tokens,
};
use keyreeve_types::{Name, SignatureAlgorithm};
use serde::{Deserialize, Serialize};

use super::{Report, file};

/// Most issuers.
const MAX_ISSUERS: usize = 32;
/// How far clocks may differ unless it is set, in seconds.
const LEEWAY: u32 = 60;

/// `[[issuer]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// What principals of this issuer are said to be of: 1 to 127 of `0-9 a-z A-Z -`.
    pub name: String,
    /// Its `iss`, an `https` URL, byte for byte as its tokens have it.
    pub url: String,
    /// One of these must be in `aud`.
    pub audience: OneOrMany,
    /// What its tokens may be signed with, by JOSE names. Default `RS256`.
    #[serde(default = "IssuerConfig::standard_algorithms")]
    pub algorithms: Vec<String>,
    /// `kubernetes`, `entra`, `keycloak`, `github-actions` or `spiffe`: which claims say
    /// who it is.
    pub preset: Option<String>,
    /// The claim that names the principal; a list is a way through members. Default that
    /// of the preset, else `sub`.
    pub principal: Option<OneOrMany>,
    /// `user`, `service-principal` or `managed-identity`. Default that of the preset, else
    /// `user`.
    pub kind: Option<String>,
    /// The claim that lists groups. Default that of the preset, else none.
    pub groups: Option<OneOrMany>,
    /// Claims at the top that must have these texts. Default none.
    #[serde(default)]
    pub require: BTreeMap<String, String>,
    /// The trust domain of SPIFFE IDs. Must be set with the preset `spiffe`.
    pub trust_domain: Option<String>,
    /// Where its JWK set is, so that no discovery document is asked for.
    pub jwks_url: Option<String>,
    /// Other hosts that the discovery document may name for the JWK set. Default none:
    /// the issuer's own.
    #[serde(default)]
    pub jwks_hosts: Vec<String>,
    /// PEM file with the authority of its server's certificate. Default those that the
    /// system trusts.
    pub ca: Option<PathBuf>,
    /// How far clocks may differ, in seconds, 0 to 300. Default 60.
    pub leeway: Option<u32>,
}

/// A text, or a list of texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Any number.
    Many(Vec<String>),
}

impl OneOrMany {
    fn list(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

impl IssuerConfig {
    /// The ports of the servers that it may be asked at.
    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        let urls = [Some(&self.url), self.jwks_url.as_ref()].into_iter().flatten();
        let port_of = |url: &String| url.parse::<Uri>().ok().map(|url| url.port_u16());
        let hosts = self
            .jwks_hosts
            .iter()
            .map(|host| host.parse::<http::uri::Authority>().ok().map(|host| host.port_u16()));
        urls.map(port_of).chain(hosts).flatten().map(|port| port.unwrap_or(443))
    }

    fn standard_algorithms() -> Vec<String> {
        vec!["RS256".to_owned()]
    }

    /// The issuer as it verifies. An error is a field and what is wrong with it.
    pub(crate) fn issuer(&self) -> Result<Issuer, (&'static str, String)> {
        let algorithms = self.algorithms.iter().map(|name| {
            let known = name.parse().ok().filter(|one: &SignatureAlgorithm| verifies_tokens(*one));
            known.ok_or_else(|| ("algorithms", format!("`{name}` is none that tokens may have")))
        });
        let algorithms = algorithms.collect::<Result<Vec<_>, _>>()?;
        let audiences = self.audience.list();
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(("audience", "is empty".to_owned()));
        }
        if algorithms.is_empty() {
            return Err(("algorithms", "is empty".to_owned()));
        }
        https(&self.url).map_err(|why| ("url", why))?;
        Ok(Issuer::new(IssuerSettings {
            name: Arc::from(self.name.as_str()),
            url: self.url.clone(),
            audiences,
            algorithms,
            leeway: self.leeway.unwrap_or(LEEWAY).into(),
            mapping: self.mapping()?,
        }))
    }

    fn mapping(&self) -> Result<Mapping, (&'static str, String)> {
        let preset = match self.preset.as_deref() {
            None => None,
            Some(name) => Some(Preset::parse(name).ok_or_else(|| {
                let known = Preset::ALL.map(Preset::name).join(", ");
                ("preset", format!("`{name}` is none of {known}"))
            })?),
        };
        let path = |field, claim: &OneOrMany| {
            ClaimPath::new(claim.list()).map_err(|error| (field, error.to_string()))
        };
        let mut mapping = match preset {
            Some(preset) => preset.mapping(),
            None => Mapping { groups: None, ..Preset::Keycloak.mapping() },
        };
        if let Some(principal) = &self.principal {
            mapping.principal = path("principal", principal)?;
        }
        if let Some(groups) = &self.groups {
            mapping.groups = Some(path("groups", groups)?);
        }
        if let Some(kind) = self.kind.as_deref() {
            use PrincipalKind::{ManagedIdentity, ServicePrincipal, User};
            let known = PrincipalKind::parse(kind)
                .filter(|kind| matches!(kind, User | ServicePrincipal | ManagedIdentity));
            let wrong = || ("kind", format!("`{kind}` is no kind of principal that an issuer has"));
            mapping.kind = Kind::Always(known.ok_or_else(wrong)?);
        }
        for (claim, text) in &self.require {
            let claim = path("require", &OneOrMany::One(claim.clone()))?;
            mapping.required.push((claim, text.clone()));
        }
        match (&self.trust_domain, preset) {
            (None, Some(Preset::Spiffe)) => {
                Err(("trust_domain", "is not set, so that any SPIFFE ID would do".to_owned()))
            }
            (Some(domain), _) if !SpiffeId::is_trust_domain(domain) => {
                Err(("trust_domain", format!("`{domain}` is no trust domain")))
            }
            (domain, _) => {
                mapping.trust_domain.clone_from(domain);
                Ok(mapping)
            }
        }
    }
}

/// An `https` URL with a host and without what has no place in one.
pub(crate) fn https(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|_| format!("`{text}` is not a URL"))?;
    let plain = url.query().is_none() && !text.contains(['#', '@']);
    if url.scheme_str() == Some("https") && url.host().is_some_and(|host| !host.is_empty()) && plain
    {
        return Ok(url);
    }
    Err(format!("`{text}` is not an https URL without query and user"))
}

/// The issuers, with absolute paths.
pub(super) fn check(
    report: &mut Report,
    issuers: Vec<IssuerConfig>,
    base: &Path,
) -> Vec<IssuerConfig> {
    if issuers.len() > MAX_ISSUERS {
        report.add("issuer", format!("there are more than {MAX_ISSUERS}"), "remove some");
    }
    let (mut names, mut urls) = (BTreeSet::new(), BTreeSet::new());
    let mut checked = Vec::new();
    for (index, mut issuer) in issuers.into_iter().enumerate() {
        let field = |name: &str| format!("issuer[{index}].{name}");
        let mend = "docs/identity.md has one for each kind of issuer";
        if issuer.name.parse::<Name>().is_err() {
            let wrong = format!("`{}` is not a name", issuer.name);
            report.add(field("name"), wrong, "use 1 to 127 of 0-9, a-z, A-Z and '-'");
        }
        if !names.insert(issuer.name.to_ascii_lowercase()) {
            report.add(field("name"), "is another issuer's", "give each a name of its own");
        }
        if !urls.insert(issuer.url.clone()) {
            report.add(field("url"), "is another issuer's", "give each URL once");
        }
        if let Err((name, wrong)) = issuer.issuer() {
            report.add(field(name), wrong, mend);
        }
        if let Some(Err(wrong)) = issuer.jwks_url.as_deref().map(https) {
            report.add(field("jwks_url"), wrong, mend);
        }
        if issuer.leeway.is_some_and(|leeway| i64::from(leeway) > Issuer::MAX_LEEWAY) {
            report.add(field("leeway"), "is more than 300 s", "mend the clocks");
        }
        issuer.ca = issuer.ca.map(|ca| base.join(ca));
        if let Some(ca) = &issuer.ca {
            file::check_readable(report, &field("ca"), ca, "name the authority's PEM file");
        }
        checked.push(issuer);
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(more: &str) -> Result<(), &'static str> {
        let text =
            format!("name = \"idp\"\nurl = \"https://i.example/x\"\naudience = \"kr\"\n{more}");
        let config: IssuerConfig = toml::from_str(&text).map_err(|_| "the text")?;
        config.issuer().map(drop).map_err(|(field, _)| field)
    }

    /// Guards against a configuration of the documentation that is not taken.
    #[test]
    fn what_is_documented_is_taken() {
        for good in [
            "",
            "preset = \"kubernetes\"\nca = \"ca.crt\"",
            "preset = \"entra\"",
            "preset = \"keycloak\"\nkind = \"service-principal\"",
            "preset = \"github-actions\"\nrequire = { repository_owner_id = \"1\" }",
            "preset = \"spiffe\"\ntrust_domain = \"example.org\"\nalgorithms = [\"ES256\"]",
            "principal = [\"a\", \"b.c\"]\ngroups = \"roles\"\nleeway = 0",
            "jwks_url = \"https://i.example/keys\"\njwks_hosts = [\"k.example:8443\"]",
        ] {
            assert_eq!(issuer(good), Ok(()), "{good}");
        }
    }

    /// Guards against a slip that widens who is let in, and against one that is told
    /// under another field's name.
    #[test]
    fn a_slip_is_refused_under_its_name() {
        for (bad, field) in [
            ("algorithms = [\"none\"]", "algorithms"),
            ("algorithms = [\"HS256\"]", "algorithms"),
            ("algorithms = [\"ES256K\"]", "algorithms"),
            ("algorithms = []", "algorithms"),
            ("preset = \"okta\"", "preset"),
            ("preset = \"spiffe\"", "trust_domain"),
            ("trust_domain = \"spiffe://x\"", "trust_domain"),
            ("kind = \"group\"", "kind"),
            ("principal = []", "principal"),
            ("groups = [\"\"]", "groups"),
            ("tenant = \"x\"", "the text"),
        ] {
            assert_eq!(issuer(bad), Err(field), "{bad}");
        }
        for bad in
            ["http://i", "https://", "i.example", "https://u@i/", "https://i/?a", "https://i/#a"]
        {
            assert!(https(bad).is_err(), "{bad}");
        }
    }
}
