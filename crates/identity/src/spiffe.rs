//! SPIFFE IDs (the SPIFFE-ID specification, sections 2.1 to 2.4).

use std::fmt;

/// Longest ID, in bytes.
const MAX_LEN: usize = 2048;
/// Longest trust domain, in bytes.
const MAX_DOMAIN: usize = 255;

/// `spiffe://TRUST-DOMAIN/PATH`, in its one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpiffeId<'t> {
    text: &'t str,
    domain: &'t str,
}

/// The text is no SPIFFE ID of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSpiffeId;

impl<'t> SpiffeId<'t> {
    /// Reads an ID. One without a path names a trust domain and no workload: refused.
    pub fn parse(text: &'t str) -> Result<Self, BadSpiffeId> {
        let rest = text.strip_prefix("spiffe://").ok_or(BadSpiffeId)?;
        let (domain, path) = rest.split_once('/').ok_or(BadSpiffeId)?;
        let lawful = text.len() <= MAX_LEN && is_domain(domain) && path.split('/').all(is_segment);
        if lawful { Ok(Self { text, domain }) } else { Err(BadSpiffeId) }
    }

    /// Whether `text` can be a trust domain.
    pub fn is_trust_domain(text: &str) -> bool {
        is_domain(text)
    }

    /// The whole ID.
    pub const fn as_str(&self) -> &'t str {
        self.text
    }

    /// Its trust domain.
    pub const fn trust_domain(&self) -> &'t str {
        self.domain
    }
}

fn is_domain(text: &str) -> bool {
    (1..=MAX_DOMAIN).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
}

fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

impl fmt::Display for BadSpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SPIFFE ID of the form spiffe://TRUST-DOMAIN/PATH")
    }
}

impl std::error::Error for BadSpiffeId {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against two spellings of one ID, and against a trust domain that ends in
    /// the middle of another.
    #[test]
    fn one_workload_has_one_spelling() {
        let id = SpiffeId::parse("spiffe://example.org/ns/a/sa/b").expect("an ID");
        assert_eq!(id.trust_domain(), "example.org");
        for bad in [
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/../a",
            "spiffe://example.org/a/./b",
            "spiffe://example.org/a%2fb",
            "spiffe://Example.org/a",
            "spiffe://user@example.org/a",
            "spiffe://example.org:8443/a",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe:///a",
            "SPIFFE://example.org/a",
            "https://example.org/a",
            "spiffe://example.org/ä",
            "",
        ] {
            assert_eq!(SpiffeId::parse(bad), Err(BadSpiffeId), "{bad}");
        }
    }
}
