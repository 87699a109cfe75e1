//! Why a credential proves nothing.

use std::fmt;

/// Why a credential was refused. For the log: a caller is told that it failed, and no
/// more than that, because the difference helps whoever forges one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It does not have the form of a token or certificate.
    Malformed,
    /// It is longer than [`MAX_TOKEN`](crate::MAX_TOKEN).
    TooLong,
    /// Its header has a member that would change how it is verified, or a type that is
    /// not that of a token for us.
    Header(&'static str),
    /// Its algorithm is not among those configured, or does not go with the key.
    Algorithm,
    /// No configured issuer has its `iss`.
    UnknownIssuer,
    /// The issuer has no key of its `kid`. The keys may be stale.
    UnknownKey,
    /// The issuer's keys are not here, and could not be had.
    NoKeys,
    /// The signature is not the key's.
    Signature,
    /// `exp` is missing or not an integer, or it has passed.
    Expired,
    /// `nbf` or `iat` is not an integer or lies in the future.
    NotYetValid,
    /// It is meant for somebody else.
    Audience,
    /// It says that it was issued by somebody else than the key's owner.
    Issuer,
    /// A claim that the configuration names is missing, of another type or of another value.
    Claim,
    /// The subject cannot be a principal.
    Subject,
    /// It was presented before.
    Replayed,
    /// Too many have been presented; none can be remembered any more.
    Busy,
}

impl Refusal {
    /// A short name for a log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too long",
            Self::Header(_) => "header",
            Self::Algorithm => "algorithm",
            Self::UnknownIssuer => "unknown issuer",
            Self::UnknownKey => "unknown key",
            Self::NoKeys => "no keys of the issuer",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Claim => "claim",
            Self::Subject => "subject",
            Self::Replayed => "replayed",
            Self::Busy => "too many",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(member) => write!(f, "the token's header has {member}, which is refused"),
            other => write!(f, "the credential is refused: {}", other.reason()),
        }
    }
}

impl std::error::Error for Refusal {}
