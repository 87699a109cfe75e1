//! Operations through frames.

use keyreeve_backend::Sealed;
use keyreeve_keyhost::{DataKeyAlgorithm, MAX_PAYLOAD};
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::soon;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, MacAlgorithm, SignatureAlgorithm, WrapAlgorithm,
};

use crate::Fixture;

/// Guards against a signature lost or changed between backend and front.
#[tokio::test]
async fn a_signature_verifies_with_the_public_key_that_was_returned() {
    let fixture = Fixture::start().await;
    let (key, public) = fixture.key(KeySpec::EcP256).await;
    let public = PublicKey::from_spki(&public.expect("an EC key has one")).expect("it parses");
    let digest = [7; 32];
    let signed = fixture.client.sign(&key, SignatureAlgorithm::Es256, &digest, soon()).await;
    let signature = signed.expect("a signature");
    assert_eq!(public.verify(SignatureAlgorithm::Es256, &digest, &signature), Ok(true));
}

/// Guards against signatures that change places, get lost between two frames, or are
/// not made because the key has to be sent along first.
#[tokio::test]
async fn each_of_many_inputs_gets_the_signature_of_its_own() {
    let fixture = Fixture::start().await;
    for (spec, algorithm) in [
        (KeySpec::EcP256, SignatureAlgorithm::Es256),
        (KeySpec::Ed25519, SignatureAlgorithm::EdDsa),
        (KeySpec::Rsa2048, SignatureAlgorithm::Ps256),
    ] {
        let (key, public) = fixture.key(spec).await;
        let public = PublicKey::from_spki(&public.expect("it has one")).expect("it parses");
        fixture.start_keyhost().await;
        let inputs: Vec<[u8; 32]> = (0..40).map(|n| [n; 32]).collect();
        let inputs: Vec<&[u8]> = inputs.iter().map(|input| &input[..]).collect();
        let signed = fixture.client.sign_each(&key, algorithm, &inputs, soon()).await;
        assert_eq!(signed.len(), inputs.len());
        for (input, signature) in inputs.iter().zip(signed) {
            let signature = signature.expect("a signature");
            assert_eq!(public.verify(algorithm, input, &signature), Ok(true), "{spec}");
        }
    }
}

/// Guards against one bad input that fails its neighbours, or passes with them.
#[tokio::test]
async fn an_input_that_cannot_be_signed_fails_alone() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::EcP256).await;
    let inputs: [&[u8]; 4] = [&[1; 32], &[2; 31], &[], &[4; 32]];
    let signed = fixture.client.sign_each(&key, SignatureAlgorithm::Es256, &inputs, soon()).await;
    assert_eq!(signed.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
}

/// Guards against payloads that do not fit a packet, and ones cut to fit.
#[tokio::test]
async fn the_largest_payload_goes_there_and_back() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::Aes256).await;
    let plaintext = vec![0x5A; MAX_PAYLOAD];
    let made = fixture.client.encrypt(&key, AesMode::Gcm, b"aad", &plaintext, soon()).await;
    let made = made.expect("a ciphertext");
    let sealed = Sealed { iv: &made.iv, aad: b"aad", ciphertext: &made.ciphertext, tag: &made.tag };
    let algorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
    let opened = fixture.client.decrypt(&key, algorithm, sealed, soon()).await;
    assert_eq!(*opened.expect("a plaintext"), plaintext);
}

/// Guards against a data key that does not open again, or that comes along when
/// only the wrapped one was asked for.
#[tokio::test]
async fn a_data_key_unwraps_to_itself() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::Aes128).await;
    let algorithm = DataKeyAlgorithm::Wrap { padded: true };
    let made = fixture.client.generate_data_key(Some(&key), algorithm, 32, false, soon()).await;
    let made = made.expect("a data key");
    let wrapped = &made.sealed.ciphertext;
    let opened = fixture.client.unwrap(&key, WrapAlgorithm::AesKwp, wrapped, soon()).await;
    assert_eq!(*opened.expect("unwrapped"), *made.key);
    assert_eq!(made.key.len(), 32);

    let hidden = fixture.client.generate_data_key(Some(&key), algorithm, 32, true, soon()).await;
    assert!(hidden.expect("a data key").key.is_empty());
}

/// Guards against a comparison of tags that accepts a prefix or another tag.
#[tokio::test]
async fn a_mac_matches_itself_only() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::Hmac256).await;
    let mac = fixture.client.mac(&key, MacAlgorithm::Hs256, b"message", soon()).await;
    let mac = mac.expect("a tag");
    let matches = async |tag: &[u8]| {
        fixture.client.verify_mac(&key, MacAlgorithm::Hs256, b"message", tag, soon()).await
    };
    assert_eq!(matches(&mac).await, Ok(true));
    assert_eq!(matches(&mac[..16]).await, Ok(false));
    assert_eq!(matches(&[]).await, Ok(false));
}

/// Guards against answers that reach the wrong caller when many share packets.
#[tokio::test]
async fn a_thousand_calls_at_once_each_get_their_own_answer() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::Hmac512).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..1000_u32 {
        let (client, key) = (fixture.client.clone(), key.clone());
        calls.spawn(async move {
            let message = n.to_be_bytes();
            let mac = client.mac(&key, MacAlgorithm::Hs512, &message, soon()).await;
            let mac = mac.expect("a tag");
            client.verify_mac(&key, MacAlgorithm::Hs512, &message, &mac, soon()).await
        });
    }
    while let Some(done) = calls.join_next().await {
        assert_eq!(done.expect("a task"), Ok(true));
    }
}
