//! Operations of every kind on the imported keys, right ones and wrong ones.

use bytes::Bytes;
use keyreeve_client::{Client, Error, v1};

/// Keys that sign, and the algorithms they do it with.
const SIGNERS: [(&str, &str); 8] = [
    ("dev/rsa-jwk", "RS256"),
    ("dev/rsa-jwk", "PS384"),
    ("dev/rsa-pkcs8", "PS256"),
    ("dev/ec-jwk", "ES256"),
    ("dev/ec-pkcs8", "ES256"),
    ("dev/ed-jwk", "EdDSA"),
    ("dev/ed-pkcs8", "EdDSA"),
    ("dev/ec-jwk", "ES256"),
];

/// Runs at least `count` operations over a connection of its own; how many it ran.
pub(crate) async fn run(client: &Client, count: usize) -> usize {
    let mut done = 0;
    while done < count {
        done += signatures(client).await;
        done += batch(client).await;
        done += stream(client).await;
        done += contents(client).await;
        done += keys(client).await;
        done += mistakes(client).await;
    }
    done
}

async fn signatures(client: &Client) -> usize {
    for (name, algorithm) in SIGNERS {
        let key = client.key(name);
        let signature = key.sign(algorithm, b"message").await.expect("it signs");
        assert!(key.verify(algorithm, b"message", &signature).await.expect("it verifies"));
        assert!(!key.verify(algorithm, b"another", &signature).await.expect("it verifies"));
        key.sign_jwt(algorithm, r#"{"sub":"alice"}"#).await.expect("it signs");
    }
    let hmac = client.key("dev/hmac");
    let mac = hmac.mac("HS512", b"message").await.expect("a MAC");
    assert!(hmac.verify_mac("HS512", b"message", &mac).await.expect("it verifies"));
    hmac.sign_jwt("HS256", "{}").await.expect("it signs");
    SIGNERS.len() * 4 + 3
}

fn sign(name: &str, algorithm: &str) -> v1::SignRequest {
    v1::SignRequest {
        name: name.replace("dev/", "vaults/dev/keys/"),
        algorithm: algorithm.to_owned(),
        input: Some(v1::sign_request::Input::Message(Bytes::from_static(b"batched"))),
    }
}

async fn batch(client: &Client) -> usize {
    let requests = SIGNERS.iter().cycle().take(64).map(|(name, algorithm)| sign(name, algorithm));
    let results = client.batch(requests).await.expect("a batch");
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    results.len()
}

async fn stream(client: &Client) -> usize {
    let stream = client.stream();
    for (name, algorithm) in SIGNERS {
        stream.call(sign(name, algorithm)).await.expect("it signs");
    }
    SIGNERS.len()
}

async fn contents(client: &Client) -> usize {
    let aes = client.key("dev/aes-gcm");
    for algorithm in ["A256GCM", "A256CBCPAD"] {
        let aad: &[u8] = if algorithm == "A256GCM" { b"aad" } else { b"" };
        let sealed = aes.encrypt_with(algorithm, b"plaintext", aad).await.expect("sealed");
        assert_eq!(&aes.decrypt(&sealed, aad).await.expect("opened")[..], b"plaintext");
    }
    for name in ["dev/rsa-jwk", "dev/rsa-pkcs8"] {
        let rsa = client.key(name);
        let sealed = rsa.encrypt_with("RSA-OAEP-256", b"plaintext", b"").await.expect("sealed");
        assert_eq!(&rsa.decrypt(&sealed, b"").await.expect("opened")[..], b"plaintext");
        let moved = aes.re_encrypt(&sealed, b"", b"aad").await.expect("moved");
        assert_eq!(&aes.decrypt(&moved, b"aad").await.expect("opened")[..], b"plaintext");
    }
    12
}

async fn keys(client: &Client) -> usize {
    for name in ["dev/aes-wrap", "dev/rsa-jwk"] {
        let key = client.key(name);
        let wrapped = key.wrap([7; 32]).await.expect("wrapped");
        assert_eq!(&key.unwrap(&wrapped).await.expect("unwrapped")[..], [7; 32]);
        let (data_key, wrapped) = key.generate_data_key(32).await.expect("a data key");
        assert_eq!(&key.unwrap(&wrapped).await.expect("unwrapped")[..], &data_key[..]);
    }
    8
}

/// Each must fail, and leave as little behind as what succeeds.
async fn mistakes(client: &Client) -> usize {
    let aes = client.key("dev/aes-gcm");
    let sealed = aes.encrypt_with("A256GCM", b"plaintext", b"").await.expect("sealed");
    let mut wrong_tag = sealed.clone();
    wrong_tag.tag = Bytes::from_static(&[0; 16]);
    let mut wrong_algorithm = sealed.clone();
    wrong_algorithm.algorithm = "A256CBC".to_owned();
    let mut wrong_key = sealed.clone();
    wrong_key.version_name = client.key("dev/rsa-jwk").get().await.expect("a key").version_name;
    let outcomes: [Result<(), Error>; 8] = [
        aes.decrypt(&wrong_tag, b"").await.map(drop),
        aes.decrypt(&wrong_algorithm, b"").await.map(drop),
        client.key("dev/rsa-jwk").decrypt(&wrong_key, b"").await.map(drop),
        client.key("dev/ec-off").sign("ES256", b"message").await.map(drop),
        client.key("dev/ec-jwk").sign("ES384", b"message").await.map(drop),
        client.key("dev/ec-jwk").sign_digest("ES256", [0; 31]).await.map(drop),
        client.key("dev/hmac").sign("RS256", b"message").await.map(drop),
        client.key("dev/aes-wrap").wrap([7; 0]).await.map(drop),
    ];
    for (number, outcome) in outcomes.iter().enumerate() {
        assert!(outcome.is_err(), "mistake {number} was taken for right");
    }
    outcomes.len() + 2
}
