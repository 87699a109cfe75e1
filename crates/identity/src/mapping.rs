//! From claims to a subject: which claim names the principal, what kind of principal
//! that is, and which claim lists its groups.
//!
//! Groups are taken from the token or not at all. Where an issuer leaves them out
//! because they are too many (Entra ID's overage), the caller is in none: roles that
//! were given to a group are then missing, never the other way round.

use std::fmt;

use keyreeve_authz::{Principal, PrincipalKind, Subject};

use crate::{Claims, Json, Refusal, SpiffeId};

/// The way to a claim: the names of the members on it, since names may hold dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

/// Which claims say who a token's bearer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The claim with the principal's name.
    pub principal: ClaimPath,
    /// What kind of principal it is.
    pub kind: Kind,
    /// The claim with the names of its groups, a list of texts.
    pub groups: Option<ClaimPath>,
    /// Claims that must have these texts.
    pub required: Vec<(ClaimPath, String)>,
    /// Whether the name must be a SPIFFE ID of this trust domain.
    pub trust_domain: Option<String>,
}

/// How the kind of a principal is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Always this one.
    Always(PrincipalKind),
    /// Entra ID: a service principal if `idtyp` is `app`, or if there is neither an
    /// `idtyp` nor a `scp`; else a user.
    Entra,
}

/// A kind of issuer whose claims are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Service-account tokens: `sub` is `system:serviceaccount:NAMESPACE:NAME`.
    Kubernetes,
    /// Microsoft Entra ID: `oid`, with groups from `groups`.
    Entra,
    /// Keycloak: users by `sub`, with groups from `groups`.
    Keycloak,
    /// GitHub Actions: `sub`, as `repo:OWNER/NAME:ref:refs/heads/main`.
    GithubActions,
    /// JWT-SVIDs: `sub` is a SPIFFE ID.
    Spiffe,
}

/// A way to a claim has 1 to 8 names, none of them empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPath;

impl ClaimPath {
    /// The way through members of these names.
    pub fn new(names: Vec<String>) -> Result<Self, BadPath> {
        let lawful = (1..=8).contains(&names.len()) && names.iter().all(|name| !name.is_empty());
        if lawful { Ok(Self(names)) } else { Err(BadPath) }
    }

    /// A claim at the top.
    fn top(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    fn find<'c>(&self, claims: &'c Json) -> Option<&'c Json> {
        self.0.iter().try_fold(claims, |at, name| at.get(name))
    }
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] =
        [Self::Kubernetes, Self::Entra, Self::Keycloak, Self::GithubActions, Self::Spiffe];

    /// Its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Entra => "entra",
            Self::Keycloak => "keycloak",
            Self::GithubActions => "github-actions",
            Self::Spiffe => "spiffe",
        }
    }

    /// The preset of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == text)
    }

    /// Its mapping.
    pub fn mapping(self) -> Mapping {
        let (principal, kind, groups) = match self {
            Self::Entra => ("oid", Kind::Entra, Some("groups")),
            Self::Keycloak => ("sub", Kind::Always(PrincipalKind::User), Some("groups")),
            Self::Kubernetes | Self::GithubActions | Self::Spiffe => {
                ("sub", Kind::Always(PrincipalKind::ServicePrincipal), None)
            }
        };
        Mapping {
            principal: ClaimPath::top(principal),
            kind,
            groups: groups.map(ClaimPath::top),
            required: Vec::new(),
            trust_domain: None,
        }
    }
}

impl Mapping {
    /// The subject that `claims` of the issuer called `issuer` are about.
    pub(crate) fn subject(&self, issuer: &str, claims: &Claims) -> Result<Subject, Refusal> {
        let json = claims.json();
        for (path, value) in &self.required {
            if path.find(json).and_then(Json::text) != Some(value) {
                return Err(Refusal::Claim);
            }
        }
        let name = self.principal.find(json).and_then(Json::text).ok_or(Refusal::Subject)?;
        if let Some(domain) = &self.trust_domain {
            let id = SpiffeId::parse(name).map_err(|_| Refusal::Subject)?;
            if id.trust_domain() != domain {
                return Err(Refusal::Subject);
            }
        }
        let kind = self.kind.of(json)?;
        let principal = Principal::new(kind, Some(issuer), name).map_err(|_| Refusal::Subject)?;
        Subject::new(principal, self.groups(issuer, json)?).map_err(|_| Refusal::Subject)
    }

    fn groups(&self, issuer: &str, claims: &Json) -> Result<Vec<Principal>, Refusal> {
        let Some(found) = self.groups.as_ref().and_then(|path| path.find(claims)) else {
            return Ok(Vec::new());
        };
        let Json::List(list) = found else { return Err(Refusal::Claim) };
        let group = |name: &Json| {
            let name = name.text().ok_or(Refusal::Claim)?;
            Principal::new(PrincipalKind::Group, Some(issuer), name).map_err(|_| Refusal::Claim)
        };
        list.iter().map(group).collect()
    }
}

impl Kind {
    fn of(self, claims: &Json) -> Result<PrincipalKind, Refusal> {
        match self {
            Self::Always(kind) => Ok(kind),
            Self::Entra => match (claims.get("idtyp"), claims.get("scp")) {
                (Some(Json::Text(kind)), _) if kind == "app" => Ok(PrincipalKind::ServicePrincipal),
                (Some(Json::Text(_)), _) | (None, Some(_)) => Ok(PrincipalKind::User),
                (None, None) => Ok(PrincipalKind::ServicePrincipal),
                (Some(_), _) => Err(Refusal::Claim),
            },
        }
    }
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim is named by 1 to 8 names, none of them empty")
    }
}

impl std::error::Error for BadPath {}
