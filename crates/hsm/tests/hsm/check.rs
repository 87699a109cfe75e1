//! What a check finds, and what it must not call sound.

use keyreeve_hsm::{Verdict, check, provision};
use keyreeve_types::KeySpec;

use crate::fixture::{Place, premium};

/// Guards against a check that finds a fault in a token which is fit, and one that
/// misses what SoftHSM does wrong: it is seen, and not offered.
#[test]
fn a_provisioned_token_is_sound_and_every_algorithm_was_tried() {
    let place = Place::initialized();
    provision(&place.target, &place.pin(), &premium()).unwrap();
    let report = check(&place.target, &place.pin(), Some("premium")).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert!(report.group.as_ref().is_some_and(|group| group.canary));
    assert!(report.hardening.len() > 40, "{}", report.hardening.len());
    assert!(report.hardening.iter().all(|attempt| attempt.held));

    let verdict = |key: KeySpec, algorithm: &str| {
        let key = key.to_string();
        let row = report.algorithms.iter().find(|r| r.key == key && r.algorithm == algorithm);
        row.map(|row| (row.offered, row.verdict))
    };
    let works = Some((true, Verdict::Works));
    assert_eq!(verdict(KeySpec::EcP256, "ES256"), works);
    assert_eq!(verdict(KeySpec::Aes256, "A256GCM"), works);
    assert_eq!(verdict(KeySpec::Aes256, "A256KW"), works);
    // SoftHSM 2.6 pads with zeros before it wraps: not RFC 5649.
    assert_eq!(verdict(KeySpec::Aes256, "AES-KWP"), Some((false, Verdict::Wrong)));
    assert!(
        report
            .algorithms
            .iter()
            .all(|row| (row.verdict == Verdict::Works) == row.per_second.is_some())
    );
}

/// Guards against a token called sound that a slot group cannot use.
#[test]
fn a_token_without_the_groups_keys_is_not_sound() {
    let place = Place::initialized();
    let report = check(&place.target, &place.pin(), Some("premium")).unwrap();
    assert!(!report.is_sound());
    assert!(report.findings.iter().any(|finding| finding.contains("no wrapping key")));
    assert!(report.findings.iter().any(|finding| finding.contains("no canary")));
    assert_eq!(report.findings.len(), 2, "{:#?}", report.findings);
}
