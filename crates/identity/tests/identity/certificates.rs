//! Who a client certificate is about.

use std::sync::Arc;

use keyreeve_identity::{ClientCertificates, Refusal, SubjectRule};
use keyreeve_types::UnixTime;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

const NOW: UnixTime = UnixTime(1_800_000_000);

fn rules() -> ClientCertificates {
    let rule = |subject: &str, principal: &str| SubjectRule {
        subject: subject.to_owned(),
        principal: principal.to_owned(),
    };
    ClientCertificates {
        name: Arc::from("mesh"),
        trust_domains: vec!["example.org".to_owned()],
        subjects: vec![rule("CN=app,O=Example", "app"), rule("CN=app", "lone-app")],
    }
}

fn who(subject: &[(DnType, &str)], names: Vec<SanType>) -> Result<String, Refusal> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.subject_alt_names = names;
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let (subject, _) = rules().subject(certificate.der(), NOW)?;
    assert_eq!(subject.principal().issuer(), Some("mesh"));
    Ok(subject.principal().name().to_owned())
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("an IA5 string"))
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().expect("an IA5 string"))
}

/// Guards against a workload taken for another, and against a second URI that another
/// reader would go by.
#[test]
fn a_uri_name_is_one_spiffe_id_of_our_trust_domain() {
    let id = "spiffe://example.org/ns/prod/sa/api";
    assert_eq!(who(&[], vec![uri(id), dns("api")]).as_deref(), Ok(id));
    // A subject that is configured does not help a URI that is not.
    let app = [(DnType::OrganizationName, "Example"), (DnType::CommonName, "app")];
    for names in [
        vec![uri("spiffe://evil.example/ns/prod/sa/api")],
        vec![uri(id), uri("spiffe://example.org/other")],
        vec![uri(id), uri(id)],
        vec![uri("https://example.org/api")],
        vec![uri("spiffe://example.org/")],
    ] {
        assert_eq!(who(&app, names).err(), Some(Refusal::Subject));
    }
}

/// Guards against a subject that contains the configured one, and against a comma in a
/// name that reads as the next part.
#[test]
fn a_subject_counts_as_a_whole() {
    let (o, cn, ou) =
        (DnType::OrganizationName, DnType::CommonName, DnType::OrganizationalUnitName);
    let app = [(o.clone(), "Example"), (cn.clone(), "app")];
    assert_eq!(who(&app, Vec::new()).as_deref(), Ok("app"));
    assert_eq!(who(&[(cn.clone(), "app")], vec![dns("x")]).as_deref(), Ok("lone-app"));
    for subject in [
        vec![(cn.clone(), "app,O=Example")],
        vec![(o.clone(), "Example"), (ou, "x"), (cn.clone(), "app")],
        vec![(o.clone(), "example"), (cn.clone(), "app")],
        vec![(o, "Example"), (cn.clone(), "app2")],
        vec![(cn, "App")],
        vec![],
    ] {
        assert_eq!(who(&subject, vec![dns("app")]).err(), Some(Refusal::Subject), "{subject:?}");
    }
}

/// Guards against a connection that outlives its certificate, and against a panic.
#[test]
fn an_ended_or_damaged_certificate_proves_nothing() {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "app");
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let certificate = params.self_signed(&key).expect("a certificate");
    let rules = rules();
    assert_eq!(rules.subject(certificate.der(), NOW).err(), Some(Refusal::Expired));
    for cut in 0..certificate.der().len() {
        assert!(rules.subject(&certificate.der()[..cut], NOW).is_err());
    }
}
