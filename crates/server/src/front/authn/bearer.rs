//! The token of an `Authorization` header.

use keyreeve_identity::MAX_TOKEN;

/// The token of `Bearer TOKEN` (RFC 6750 section 2.1); the scheme compares without case.
pub(super) fn token(value: &[u8]) -> Option<&str> {
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    let fits = scheme.eq_ignore_ascii_case(b"bearer ") && (1..=MAX_TOKEN).contains(&token.len());
    let token = std::str::from_utf8(token).ok().filter(|_| fits)?;
    token.bytes().all(|byte| byte.is_ascii_graphic()).then_some(token)
}
