//! What keys are for.

use keyreeve_service::{
    Kind, Settings,
    crypto::{
        Content, DataKeyAlgorithm, Decrypt, Encrypt, GenerateDataKey, Mac, ReEncrypt, Sealed,
        SealedRef, Sign, UnwrapKey, Verify, VerifyMac, WrapKey,
    },
};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, MacAlgorithm, RsaPadding, SignatureAlgorithm,
    WrapAlgorithm,
};

use super::{Fixture, key, soon, vault};

const A256GCM: EncryptionAlgorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);

fn sealed(it: &Sealed) -> SealedRef<'_> {
    SealedRef { key: None, iv: &it.iv, ciphertext: &it.ciphertext, tag: &it.tag }
}

/// Guards against a signature that does not verify, over a message or its digest,
/// for every algorithm.
#[tokio::test]
async fn what_is_signed_verifies_and_nothing_else_does() {
    let it = Fixture::start().await;
    for algorithm in SignatureAlgorithm::ALL {
        let spec = KeySpec::ALL.into_iter().find(|s| algorithm.fits(*s)).expect("a kind");
        let name = algorithm.name();
        it.key(name, spec).await;
        let sign = Sign { key: key(name), algorithm, content: Content::Message(b"message") };
        let signed = it.service.sign(&it.caller, sign, soon()).await.expect("a signature");
        let verify = |message, signature| {
            let content = Content::Message(message);
            let request = Verify { key: key(name), algorithm, content, signature };
            let (service, caller) = (&it.service, &it.caller);
            async move { service.verify(caller, request, soon()).await.expect("an answer").valid }
        };
        assert!(verify(b"message", &signed.signature).await, "{name}");
        assert!(!verify(b"massage", &signed.signature).await, "{name}");
        assert!(!verify(b"message", &signed.signature[1..]).await, "{name}");
        assert!(!verify(b"message", &[]).await, "{name}");
    }
}

/// Guards against an algorithm that runs with another kind of key.
#[tokio::test]
async fn an_algorithm_that_does_not_fit_is_refused() {
    let it = Fixture::start().await;
    it.key("ec", KeySpec::EcP256).await;
    let algorithm = SignatureAlgorithm::Es384;
    let sign = Sign { key: key("ec"), algorithm, content: Content::Message(b"m") };
    let refused = it.service.sign(&it.caller, sign, soon()).await.expect_err("P-256");
    assert_eq!((refused.kind(), refused.reason()), (Kind::FailedPrecondition, "WRONG_KEY_TYPE"));
    let encrypt =
        Encrypt { key: key("ec"), algorithm: None, plaintext: b"x", additional_data: b"" };
    let refused = it.service.encrypt(&it.caller, encrypt, soon()).await.expect_err("EC");
    assert_eq!(refused.reason(), "WRONG_KEY_TYPE");
}

/// Guards against an oracle: a failure that tells what was wrong with a ciphertext.
#[tokio::test]
async fn whatever_is_wrong_with_a_ciphertext_looks_the_same() {
    let it = Fixture::start().await;
    it.key("aes", KeySpec::Aes256).await;
    let encrypt = Encrypt {
        key: key("aes"),
        algorithm: None,
        plaintext: b"secret",
        additional_data: b"context",
    };
    let made = it.service.encrypt(&it.caller, encrypt, soon()).await.expect("a ciphertext");
    assert_eq!(made.algorithm, "A256GCM");
    let decrypt = |iv, ciphertext, tag, additional_data| {
        let sealed = SealedRef { key: None, iv, ciphertext, tag };
        let request =
            Decrypt { key: Some(key("aes")), sealed, algorithm: A256GCM, additional_data };
        let (service, caller) = (&it.service, &it.caller);
        async move { service.decrypt(caller, request, soon()).await }
    };
    let (iv, ciphertext, tag) = (&made.iv[..], &made.ciphertext[..], &made.tag[..]);
    let opened = decrypt(iv, ciphertext, tag, b"context").await.expect("the plaintext");
    assert_eq!(&opened[..], b"secret");
    let flipped: Vec<u8> = ciphertext.iter().map(|b| b ^ 1).collect();
    let attempts: [[&[u8]; 4]; 6] = [
        [iv, &flipped, tag, b"context"],
        [iv, ciphertext, tag, b"other"],
        [iv, ciphertext, &tag[1..], b"context"],
        [&iv[1..], ciphertext, tag, b"context"],
        [&[], &[], &[], b""],
        [iv, &ciphertext[1..], tag, b"context"],
    ];
    for [iv, ciphertext, tag, data] in attempts {
        let failed = decrypt(iv, ciphertext, tag, data).await.expect_err("tampered");
        assert_eq!(failed.kind(), Kind::DecryptionFailed);
        assert_eq!(failed.caller_message(), "decryption failed");
    }
}

/// Guards against a key that is wrapped in one way and cannot be unwrapped in the
/// same, for each algorithm and both key types.
#[tokio::test]
async fn keys_come_back_from_every_wrapping() {
    let it = Fixture::start().await;
    it.key("aes", KeySpec::Aes256).await;
    it.key("rsa", KeySpec::Rsa2048).await;
    let cases = [
        ("aes", None),
        ("aes", Some(WrapAlgorithm::AesKw(KeySpec::Aes256))),
        ("aes", Some(WrapAlgorithm::AesKwp)),
        ("rsa", None),
        ("rsa", Some(WrapAlgorithm::Rsa(RsaPadding::Oaep))),
        ("rsa", Some(WrapAlgorithm::Rsa(RsaPadding::Oaep256))),
    ];
    for (name, algorithm) in cases {
        let wrap = WrapKey { key: key(name), algorithm, plaintext: &[7; 32] };
        let wrapped = it.service.wrap_key(&it.caller, wrap, soon()).await.expect("a wrapped key");
        let algorithm = DataKeyAlgorithm::Wrap(wrapped.algorithm.parse().expect("a name"));
        let unwrap = UnwrapKey {
            key: Some(key(name)),
            wrapped: sealed(&wrapped),
            algorithm,
            additional_data: b"",
        };
        let opened = it.service.unwrap_key(&it.caller, unwrap, soon()).await.expect("the key");
        assert_eq!(&opened[..], &[7; 32], "{name} {algorithm:?}");
    }
    let empty = WrapKey { key: key("aes"), algorithm: None, plaintext: b"" };
    let refused = it.service.wrap_key(&it.caller, empty, soon()).await.expect_err("empty");
    assert_eq!(refused.kind(), Kind::InvalidArgument { field: "key" });
}

/// Guards against a data key that differs from its wrapped form, or leaves although
/// only the wrapped form was wanted.
#[tokio::test]
async fn data_keys_open_to_themselves() {
    let it = Fixture::start().await;
    it.key("aes", KeySpec::Aes256).await;
    it.key("rsa", KeySpec::Rsa2048).await;
    let gcm = Some(DataKeyAlgorithm::Content(A256GCM));
    for (name, algorithm, data) in
        [("aes", None, &b""[..]), ("rsa", None, b""), ("aes", gcm, b"context")]
    {
        let request = GenerateDataKey {
            key: key(name),
            algorithm,
            size: 48,
            wrapped_only: false,
            additional_data: data,
        };
        let made = it.service.generate_data_key(&it.caller, request, soon()).await.expect("a key");
        assert_eq!(made.key.len(), 48);
        let named = made.sealed.algorithm;
        let algorithm =
            named.parse().map_or(DataKeyAlgorithm::Content(A256GCM), DataKeyAlgorithm::Wrap);
        let unwrap = UnwrapKey {
            key: Some(key(name)),
            wrapped: sealed(&made.sealed),
            algorithm,
            additional_data: data,
        };
        let opened = it.service.unwrap_key(&it.caller, unwrap, soon()).await.expect("the key");
        assert_eq!(opened, made.key, "{name} {named}");
        let request = GenerateDataKey { wrapped_only: true, ..request };
        let made = it.service.generate_data_key(&it.caller, request, soon()).await.expect("a key");
        assert!(made.key.is_empty());
    }
    for size in [-1, 1025] {
        let request = GenerateDataKey {
            key: key("aes"),
            algorithm: None,
            size,
            wrapped_only: false,
            additional_data: b"",
        };
        let refused = it.service.generate_data_key(&it.caller, request, soon()).await;
        assert_eq!(
            refused.err().map(|e| e.kind()),
            Some(Kind::InvalidArgument { field: "size" }),
            "{size}"
        );
    }
}

/// Guards against RSA1_5 that is on without anybody having switched it on.
#[tokio::test]
async fn rsa1_5_is_off_unless_configured() {
    let algorithm = Some(EncryptionAlgorithm::Rsa(RsaPadding::Pkcs1V15));
    for allow_rsa1_5 in [false, true] {
        let it = Fixture::with(Settings { allow_rsa1_5, ..Settings::default() }).await;
        it.key("rsa", KeySpec::Rsa2048).await;
        let encrypt = Encrypt { key: key("rsa"), algorithm, plaintext: b"x", additional_data: b"" };
        let outcome = it.service.encrypt(&it.caller, encrypt, soon()).await;
        assert_eq!(outcome.is_ok(), allow_rsa1_5);
    }
}

/// Guards against a re-encryption that changes the plaintext or drops its context.
#[tokio::test]
async fn re_encryption_moves_the_plaintext() {
    let it = Fixture::start().await;
    it.key("from", KeySpec::Aes256).await;
    it.key("to", KeySpec::Aes256).await;
    let encrypt =
        Encrypt { key: key("from"), algorithm: None, plaintext: b"moved", additional_data: b"a" };
    let made = it.service.encrypt(&it.caller, encrypt, soon()).await.expect("a ciphertext");
    let source = Decrypt {
        key: Some(key("from")),
        sealed: sealed(&made),
        algorithm: A256GCM,
        additional_data: b"a",
    };
    let request =
        ReEncrypt { source, destination: key("to"), algorithm: None, additional_data: b"b" };
    let moved = it.service.re_encrypt(&it.caller, request, soon()).await.expect("a ciphertext");
    let decrypt = Decrypt {
        key: Some(key("to")),
        sealed: sealed(&moved),
        algorithm: A256GCM,
        additional_data: b"b",
    };
    let opened = it.service.decrypt(&it.caller, decrypt, soon()).await.expect("the plaintext");
    assert_eq!(&opened[..], b"moved");
}

/// Guards against a MAC that verifies for another message or at another length.
#[tokio::test]
async fn macs_verify_whole() {
    let it = Fixture::start().await;
    it.key("mac", KeySpec::Hmac512).await;
    for algorithm in MacAlgorithm::ALL {
        let request = Mac { key: key("mac"), algorithm, message: b"m" };
        let made = it.service.mac(&it.caller, request, soon()).await.expect("a tag");
        assert_eq!(made.mac.len(), algorithm.digest().len());
        let verify = |message, mac| {
            let request = VerifyMac { key: key("mac"), algorithm, message, mac };
            let (service, caller) = (&it.service, &it.caller);
            async move { service.verify_mac(caller, request, soon()).await.expect("an answer").valid }
        };
        assert!(verify(b"m", &made.mac).await);
        assert!(!verify(b"n", &made.mac).await);
        assert!(!verify(b"m", &made.mac[..16]).await);
        assert!(!verify(b"m", &[]).await);
    }
}

/// Guards against an unbounded draw, and against names that lead nowhere.
#[tokio::test]
async fn limits_and_names_are_checked() {
    let it = Fixture::start().await;
    let drawn = it.service.random_bytes(&it.caller, vault("prod"), 4096, soon()).await;
    assert_eq!(drawn.expect("bytes").len(), 4096);
    for size in [-1, 0, 4097] {
        let refused = it.service.random_bytes(&it.caller, vault("prod"), size, soon()).await;
        assert!(refused.is_err(), "{size}");
    }
    let none = it.service.random_bytes(&it.caller, vault("none"), 1, soon()).await;
    assert_eq!(none.expect_err("no vault").kind(), Kind::NotFound);

    it.key("aes", KeySpec::Aes256).await;
    let long = vec![0; 64 * 1024 + 1];
    let encrypt =
        |plaintext| Encrypt { key: key("aes"), algorithm: None, plaintext, additional_data: b"" };
    let most = it.service.encrypt(&it.caller, encrypt(&long[1..]), soon()).await;
    assert!(most.is_ok());
    let refused = it.service.encrypt(&it.caller, encrypt(&long), soon()).await.expect_err("long");
    assert_eq!(refused.kind(), Kind::InvalidArgument { field: "plaintext" });
}
