//! What good tokens prove: the principal, its groups, and until when.

use std::sync::Arc;

use keyreeve_authz::PrincipalKind;
use keyreeve_identity::{ClaimPath, Issuer, IssuerSettings, Mapping, Preset, Refusal, Token};
use serde_json::{Value, json};

use crate::{
    signer::Signer,
    world::{AUDIENCE, ISSUER, NOW, key_set},
};

struct Asked {
    signer: [Signer; 1],
    mapping: Mapping,
}

type Proven = (PrincipalKind, String, Vec<String>);

impl Asked {
    fn of(preset: Preset) -> Self {
        Self { signer: [Signer::new("ES256", "k", 0)], mapping: preset.mapping() }
    }

    fn proves(&self, added: Value) -> Result<Proven, Refusal> {
        let mut claims = json!({"iss": ISSUER, "aud": ["x", AUDIENCE], "exp": NOW.0 + 5});
        for (name, value) in added.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let signer = &self.signer[0];
        let token = signer.sign(signer.header().as_bytes(), claims.to_string().as_bytes());
        let issuer = Issuer::new(IssuerSettings {
            name: Arc::from("idp"),
            url: ISSUER.to_owned(),
            audiences: vec![AUDIENCE.to_owned()],
            algorithms: vec!["ES256".parse().expect("an algorithm")],
            leeway: 0,
            mapping: self.mapping.clone(),
        });
        let keys = key_set(&self.signer);
        let (subject, claims) = issuer.verify(&keys, Token::parse(&token)?, NOW)?;
        assert_eq!(claims.expires().0, NOW.0 + 5);
        let principal = subject.principal();
        assert_eq!(principal.issuer(), Some("idp"));
        let groups = subject.groups().iter().map(|group| group.name().to_owned()).collect();
        Ok((principal.kind(), principal.name().to_owned(), groups))
    }
}

/// Guards against a preset that names the principal by a claim which its bearer, or
/// another tenant's administrator, can choose.
#[test]
fn presets_name_the_principal_that_the_issuer_keeps() {
    use PrincipalKind::{ServicePrincipal, User};
    let proven = |kind, name: &str, groups: &[&str]| {
        Ok((kind, name.to_owned(), groups.iter().map(|&group| group.to_owned()).collect()))
    };
    let entra = Asked::of(Preset::Entra);
    let user = json!({"oid": "o1", "sub": "s", "scp": "x", "groups": ["g1"], "upn": "a@b"});
    assert_eq!(entra.proves(user), proven(User, "o1", &["g1"]));
    let app = json!({"oid": "o2", "sub": "s", "idtyp": "app", "appid": "x"});
    assert_eq!(entra.proves(app), proven(ServicePrincipal, "o2", &[]));
    assert_eq!(entra.proves(json!({"sub": "s"})), Err(Refusal::Subject));

    let kubernetes = Asked::of(Preset::Kubernetes);
    let sub = "system:serviceaccount:prod:api";
    let pod = json!({"sub": sub, "groups": ["system:masters"], "kubernetes.io": {"pod": {}}});
    assert_eq!(kubernetes.proves(pod), proven(ServicePrincipal, sub, &[]));

    let keycloak = Asked::of(Preset::Keycloak);
    let user = json!({"sub": "u1", "preferred_username": "root", "groups": ["/ops"]});
    assert_eq!(keycloak.proves(user), proven(User, "u1", &["/ops"]));
}

/// Guards against groups of a wrong type that count as none, which is right for rights
/// that are given and wrong for what a reader of the configuration expects.
#[test]
fn groups_are_a_list_of_texts_or_the_token_is_refused() {
    let keycloak = Asked::of(Preset::Keycloak);
    for groups in [json!("ops"), json!([1]), json!({"a": 1}), json!([["ops"]]), json!([""])] {
        assert_eq!(
            keycloak.proves(json!({"sub": "u", "groups": groups})),
            Err(Refusal::Claim),
            "{groups}"
        );
    }
    let many: Vec<_> = (0..257).map(|n| n.to_string()).collect();
    assert_eq!(keycloak.proves(json!({"sub": "u", "groups": many})), Err(Refusal::Subject));
}

/// Guards against a required claim that is not looked at.
#[test]
fn required_claims_must_be_there_with_their_text() {
    let mut github = Asked::of(Preset::GithubActions);
    let path = |names: &[&str]| {
        ClaimPath::new(names.iter().map(|&name| name.to_owned()).collect()).expect("a path")
    };
    github.mapping.required =
        vec![(path(&["repository_owner_id"]), "42".into()), (path(&["a", "b.c"]), "d".into())];
    let token =
        |owner: Value| json!({"sub": "repo:o/r", "repository_owner_id": owner, "a": {"b.c": "d"}});
    assert!(github.proves(token(json!("42"))).is_ok());
    for owner in [json!("43"), json!(42), json!(null), json!(["42"])] {
        assert_eq!(github.proves(token(owner)), Err(Refusal::Claim));
    }
}

/// Guards against a JWT-SVID of a trust domain that is not ours.
#[test]
fn a_trust_domain_binds_the_subject() {
    let mut spiffe = Asked::of(Preset::Spiffe);
    spiffe.mapping.trust_domain = Some("example.org".into());
    assert!(spiffe.proves(json!({"sub": "spiffe://example.org/a"})).is_ok());
    for sub in ["spiffe://example.org.evil/a", "spiffe://evil/example.org", "example.org", "a"] {
        assert_eq!(spiffe.proves(json!({"sub": sub})), Err(Refusal::Subject), "{sub}");
    }
}
