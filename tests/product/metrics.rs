//! What the service counts, read as Prometheus does.

use keyreeve_client::v1::{
    self, crypto_service_client::CryptoServiceClient as Crypto,
    key_service_client::KeyServiceClient as Keys,
};
use keyreeve_testkit::Keyreeve;
use tonic::{Code, metadata::MetadataValue};

use crate::caller::{Bare, block_on, get, keyreeve};

/// In every field that a caller can fill.
const CANARY: &str = "canary7d1f4b";

/// Guards against a dashboard that shows other figures than there were, and against
/// anything of a request in a label.
#[test]
fn known_traffic_is_counted_exactly_and_says_nothing_of_its_contents() {
    let service = Keyreeve::start().expect("a service");
    let name = format!("dev/{CANARY}");
    keyreeve(
        &service,
        &[
            "key",
            "create",
            &name,
            "--kty",
            "EC",
            "--crv",
            "P-256",
            "--tag",
            &format!("{CANARY}={CANARY}"),
        ],
    );
    let before = scrape(&service);
    block_on(traffic(&service));
    let after = scrape(&service);
    let grew = |sample: &str| value(&after, sample) - value(&before, sample);
    for (sample, count) in [
        ("requests_total{operation=\"Sign\",code=\"OK\",backend=\"software\"}", 5.0),
        ("requests_total{operation=\"Sign\",code=\"NOT_FOUND\",backend=\"software\"}", 2.0),
        ("requests_total{operation=\"Verify\",code=\"OK\",backend=\"software\"}", 3.0),
        ("requests_total{operation=\"GetKey\",code=\"OK\",backend=\"software\"}", 1.0),
        ("request_duration_seconds_count{operation=\"Sign\"}", 7.0),
        ("request_duration_seconds_bucket{operation=\"Sign\",le=\"+Inf\"}", 7.0),
        ("authentications_total{outcome=\"failed\"}", 4.0),
        ("authentications_total{outcome=\"not_presented\"}", 1.0),
        ("authentications_total{outcome=\"proven\"}", 11.0),
        ("throttled_total{by=\"principal\"}", 0.0),
    ] {
        assert_eq!(grew(sample), count, "{sample}\n{after}");
    }
    for sample in ["keyhost_up{keyhost=\"software\"}", "store_up"] {
        assert_eq!(value(&after, sample), 1.0, "{sample}");
    }
    assert!(!after.contains(CANARY), "{after}");
    assert!(!after.contains(service.setting("KEYREEVE_TOKEN")));
    let url = service.setting("KEYREEVE_HTTPS_URL");
    let refused = get(url, service.setting("KEYREEVE_CACERT"), "/metrics", "");
    assert_eq!(refused.status, 401, "{}", refused.body);
}

async fn traffic(service: &Keyreeve) {
    let bare = Bare::connect(service).await;
    let mut crypto = Crypto::new(bare.channel.clone());
    let message = || CANARY.as_bytes().to_vec().into();
    let sign = |name: &str| v1::SignRequest {
        name: format!("vaults/dev/keys/{name}"),
        algorithm: "ES256".to_owned(),
        input: Some(v1::sign_request::Input::Message(message())),
    };
    let mut signature = Default::default();
    for _ in 0..5 {
        let mut request = bare.request(sign(CANARY));
        for header in ["user-agent", "x-request-id", "traceparent", CANARY] {
            let value = MetadataValue::from_static(CANARY);
            request.metadata_mut().insert(header, value);
        }
        signature = crypto.sign(request).await.expect("signed").into_inner().signature;
    }
    for _ in 0..2 {
        let status = crypto.sign(bare.request(sign(&format!("{CANARY}-x")))).await;
        assert_eq!(status.expect_err("there is none").code(), Code::NotFound);
    }
    for _ in 0..3 {
        let request = v1::VerifyRequest {
            name: format!("vaults/dev/keys/{CANARY}"),
            algorithm: "ES256".to_owned(),
            signature: signature.clone(),
            input: Some(v1::verify_request::Input::Message(message())),
        };
        crypto.verify(bare.request(request)).await.expect("verified");
    }
    let get_key = || v1::GetKeyRequest { name: format!("vaults/dev/keys/{CANARY}") };
    let mut keys = Keys::new(bare.channel.clone());
    keys.get_key(bare.request(get_key())).await.expect("a key");
    for _ in 0..4 {
        let mut request = tonic::Request::new(get_key());
        let value = format!("Bearer {CANARY}").parse().expect("printable");
        request.metadata_mut().insert("authorization", value);
        let refused = keys.get_key(request).await.expect_err("nobody's token");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let refused = keys.get_key(get_key()).await.expect_err("no token");
    assert_eq!(refused.code(), Code::Unauthenticated);
}

fn scrape(service: &Keyreeve) -> String {
    let url = service.setting("KEYREEVE_HTTPS_URL");
    let token = format!("authorization: Bearer {}\r\n", service.setting("KEYREEVE_TOKEN"));
    let answer = get(url, service.setting("KEYREEVE_CACERT"), "/metrics", &token);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.body
}

/// The value of a sample, whose name goes without `keyreeve_`; 0 if it is not there.
fn value(page: &str, sample: &str) -> f64 {
    let wanted = format!("keyreeve_{sample} ");
    let found = page.lines().find_map(|line| line.strip_prefix(&wanted));
    found.map_or(0.0, |value| value.parse().expect("a number"))
}
