//! Principals: who can hold a right.
//!
//! A principal is three fields that are compared as they are, byte for byte: its kind,
//! who vouches for it, and its name there. They are never joined into one text, split
//! from one, matched against a pattern or put into a template, so that a name with
//! `*`, `/`, `+` or `,` is a name and nothing else, and two issuers with a subject of
//! the same name are two principals.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// Someone or something that can hold a right.
///
/// Its order is for look-ups and means nothing: by a digest first, so that finding one
/// among many compares whole names but once. Equal digests change no answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    digest: u64,
    kind: PrincipalKind,
    name: Arc<str>,
    issuer: Option<Arc<str>>,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program with credentials of its own.
    ServicePrincipal,
    /// A program whose credentials the platform keeps.
    ManagedIdentity,
    /// The holder of a client certificate.
    Certificate,
    /// The bearer of a token that Keyreeve issued.
    Token,
    /// A group: holds rights, never acts.
    Group,
}

/// A principal that asks, and the groups it is in.
///
/// The one who checked the credential says which groups; this crate believes it.
#[derive(Debug, Clone)]
pub struct Subject {
    principal: Principal,
    groups: Arc<[Principal]>,
}

/// Why there is no such principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPrincipal {
    /// A name or an issuer is empty.
    Empty,
    /// A name or an issuer is longer than [`Principal::MAX_LEN`] bytes.
    TooLong,
    /// A name or an issuer has a control character in it.
    ControlCharacter,
}

/// Why there is no such subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSubject {
    /// A group does not act.
    ActingGroup,
    /// Only a group has members.
    NotAGroup,
    /// More than [`Subject::MAX_GROUPS`] groups. Part of them would be a guess.
    TooManyGroups,
}

impl Principal {
    /// Longest name and longest issuer, in bytes: that of a SPIFFE ID.
    pub const MAX_LEN: usize = 2048;

    /// The principal `name`, as `issuer` vouches for it: the configured name of an
    /// identity provider, or none where Keyreeve itself keeps the principal.
    pub fn new(
        kind: PrincipalKind,
        issuer: Option<&str>,
        name: &str,
    ) -> Result<Self, BadPrincipal> {
        for text in issuer.into_iter().chain([name]) {
            if text.is_empty() {
                return Err(BadPrincipal::Empty);
            }
            if text.len() > Self::MAX_LEN {
                return Err(BadPrincipal::TooLong);
            }
            if text.chars().any(char::is_control) {
                return Err(BadPrincipal::ControlCharacter);
            }
        }
        let mut digest = DefaultHasher::new();
        (kind, name, issuer).hash(&mut digest);
        let digest = digest.finish();
        Ok(Self { digest, kind, name: name.into(), issuer: issuer.map(Into::into) })
    }

    /// What it is.
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// Its name, as its issuer has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who vouches for it; none where Keyreeve itself does.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }
}

impl PrincipalKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::ServicePrincipal,
        Self::ManagedIdentity,
        Self::Certificate,
        Self::Token,
        Self::Group,
    ];

    /// Its name, as it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServicePrincipal => "service-principal",
            Self::ManagedIdentity => "managed-identity",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::Group => "group",
        }
    }

    /// The kind of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

impl Subject {
    /// Most groups: beyond what identity providers put into one token.
    pub const MAX_GROUPS: usize = 256;

    /// `principal`, a member of `groups`. Made once, when a credential is checked.
    pub fn new(
        principal: Principal,
        groups: impl Into<Arc<[Principal]>>,
    ) -> Result<Self, BadSubject> {
        let groups = groups.into();
        if principal.kind == PrincipalKind::Group {
            return Err(BadSubject::ActingGroup);
        }
        if groups.iter().any(|group| group.kind != PrincipalKind::Group) {
            return Err(BadSubject::NotAGroup);
        }
        if groups.len() > Self::MAX_GROUPS {
            return Err(BadSubject::TooManyGroups);
        }
        Ok(Self { principal, groups })
    }

    /// Who asks.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The groups it is in.
    pub fn groups(&self) -> &[Principal] {
        &self.groups
    }

    /// Itself, then its groups.
    pub(crate) fn holders(&self) -> impl Iterator<Item = &Principal> {
        std::iter::once(&self.principal).chain(self.groups.iter())
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// For a log, not for comparing: names are quoted and escaped.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.name)?;
        match &self.issuer {
            Some(issuer) => write!(f, " of {issuer:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BadPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name of a principal and of its issuer must not be empty",
            Self::TooLong => "the name of a principal and of its issuer have at most 2048 bytes",
            Self::ControlCharacter => "the name of a principal has no control characters",
        })
    }
}

impl std::error::Error for BadPrincipal {}

impl fmt::Display for BadSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActingGroup => "a group holds roles and does not act; name one of its members",
            Self::NotAGroup => "a principal can only be a member of a group",
            Self::TooManyGroups => {
                "a principal is in at most 256 groups; have the issuer send only those that matter"
            }
        })
    }
}

impl std::error::Error for BadSubject {}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(issuer: Option<&str>, name: &str) -> Principal {
        Principal::new(PrincipalKind::User, issuer, name).expect("a principal")
    }

    /// Guards against one issuer's `root` being another's, or ours, and against a
    /// separator inside a name that makes two principals one.
    #[test]
    fn principals_are_equal_in_every_field_or_not_at_all() {
        let names = [
            user(None, "root"),
            user(Some("entra"), "root"),
            user(Some("github"), "root"),
            user(None, "entra/root"),
            user(Some("entra/"), "root"),
            user(None, "Root"),
            user(None, "*"),
            Principal::new(PrincipalKind::Token, None, "root").expect("a principal"),
        ];
        for (i, one) in names.iter().enumerate() {
            for (j, other) in names.iter().enumerate() {
                assert_eq!(one == other, i == j, "{one} and {other}");
                assert_eq!(one.cmp(other).is_eq(), i == j, "{one} and {other}");
            }
        }
    }

    /// Guards against a name that starts a line of its own in a log.
    #[test]
    fn names_with_control_characters_or_without_bounds_are_refused() {
        let refused = |name: &str| Principal::new(PrincipalKind::User, None, name).err();
        assert_eq!(refused(""), Some(BadPrincipal::Empty));
        assert_eq!(refused("a\nb"), Some(BadPrincipal::ControlCharacter));
        assert_eq!(refused(&"x".repeat(2049)), Some(BadPrincipal::TooLong));
        assert_eq!(refused(&"x".repeat(2048)), None);
        assert_eq!(user(None, "a\"b").to_string(), r#"user "a\"b""#);
    }

    /// Guards against a user that is passed off as a group of another, which would hand
    /// over all that the user holds.
    #[test]
    fn a_subject_is_no_group_and_a_member_of_groups_alone() {
        let group = |name: &str| Principal::new(PrincipalKind::Group, None, name).expect("a group");
        let (user, ops) = (user(None, "u"), group("ops"));
        assert_eq!(Subject::new(ops.clone(), []).err(), Some(BadSubject::ActingGroup));
        assert_eq!(Subject::new(user.clone(), [user.clone()]).err(), Some(BadSubject::NotAGroup));
        let many: Vec<_> = (0..257).map(|i| group(&i.to_string())).collect();
        assert_eq!(Subject::new(user.clone(), many).err(), Some(BadSubject::TooManyGroups));
        assert!(Subject::new(user, [ops]).is_ok());
    }

    /// Guards against two kinds under one stored name.
    #[test]
    fn kinds_parse_to_themselves() {
        for kind in PrincipalKind::ALL {
            assert_eq!(PrincipalKind::parse(kind.name()), Some(kind));
        }
    }
}
