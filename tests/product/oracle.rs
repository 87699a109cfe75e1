//! Every decryption failure looks the same to the caller.

use bytes::Bytes;
use keyreeve_client::v1::{self, crypto_service_client::CryptoServiceClient as Crypto};
use keyreeve_testkit::Keyreeve;
use tonic::{Code, Status};

use crate::caller::{Bare, block_on, client, keyreeve};

/// Guards against an oracle: whatever is wrong with a ciphertext, the answer is the
/// same to the last byte, in both tiers.
#[test]
fn every_failed_decryption_looks_the_same() {
    let service = Keyreeve::start().expect("a service");
    for vault in ["dev", "dev-hsm"] {
        for name in ["one", "two"] {
            let name = format!("{vault}/{name}");
            let ops = ["--ops", "encrypt,decrypt"];
            let kind = ["key", "create", &name, "--kty", "oct", "--size", "256"];
            keyreeve(&service, &[&kind[..], &ops].concat());
        }
        let rsa = format!("{vault}/rsa");
        keyreeve(&service, &["key", "create", &rsa, "--kty", "RSA", "--size", "2048"]);
        block_on(async {
            let statuses = failures(&service, vault).await;
            let (_, first) = &statuses[0];
            assert_eq!(first.code(), Code::InvalidArgument, "{first:?}");
            assert_eq!(first.message(), "decryption failed");
            for (what, status) in &statuses {
                let whole = |s: &Status| (s.code(), s.message().to_owned(), s.details().to_vec());
                assert_eq!(whole(status), whole(first), "{vault}, {what}");
            }
        });
    }
}

async fn failures(service: &Keyreeve, vault: &str) -> Vec<(&'static str, Status)> {
    let bare = Bare::connect(service).await;
    let client = client(service);
    let key = client.key(&format!("{vault}/one"));
    let good = key.encrypt_with("A256GCM", b"sixteen bytes...", b"aad").await.expect("sealed");
    let padded = key.encrypt_with("A256CBCPAD", b"plaintext", b"").await.expect("sealed");
    let rsa = client.key(&format!("{vault}/rsa"));
    let oaep = rsa.encrypt_with("RSA-OAEP", b"plaintext", b"").await.expect("sealed");
    let other = client.key(&format!("{vault}/two")).get().await.expect("a key").version_name;
    let flip = |bytes: &Bytes| {
        let mut bytes = bytes.to_vec();
        *bytes.last_mut().expect("not empty") ^= 1;
        Bytes::from(bytes)
    };
    let aad = Bytes::from_static(b"aad");
    let of = |change: &dyn Fn(&mut v1::Ciphertext)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    let cases = [
        ("tag", of(&|c| c.tag = flip(&c.tag)), aad.clone()),
        ("ciphertext", of(&|c| c.ciphertext = flip(&c.ciphertext)), aad.clone()),
        ("iv", of(&|c| c.iv = flip(&c.iv)), aad.clone()),
        ("short iv", of(&|c| c.iv = c.iv.slice(1..)), aad.clone()),
        ("no iv", of(&|c| c.iv = Bytes::new()), aad.clone()),
        ("short tag", of(&|c| c.tag = c.tag.slice(..12)), aad.clone()),
        ("no tag", of(&|c| c.tag = Bytes::new()), aad.clone()),
        ("truncated", of(&|c| c.ciphertext = c.ciphertext.slice(1..)), aad.clone()),
        ("empty", of(&|c| c.ciphertext = Bytes::new()), aad.clone()),
        ("key", of(&|c| c.version_name.clone_from(&other)), aad.clone()),
        ("aad", good.clone(), Bytes::from_static(b"other")),
        ("no aad", good.clone(), Bytes::new()),
        ("algorithm", of(&|c| c.algorithm = "A256CBC".to_owned()), aad),
        ("padding", v1::Ciphertext { iv: flip(&padded.iv), ..padded.clone() }, Bytes::new()),
        (
            "block",
            v1::Ciphertext { ciphertext: padded.ciphertext.slice(1..), ..padded },
            Bytes::new(),
        ),
        (
            "oaep",
            v1::Ciphertext { ciphertext: flip(&oaep.ciphertext), ..oaep.clone() },
            Bytes::new(),
        ),
        (
            "short oaep",
            v1::Ciphertext { ciphertext: oaep.ciphertext.slice(1..), ..oaep },
            Bytes::new(),
        ),
    ];
    let mut crypto = Crypto::new(bare.channel.clone());
    let mut statuses = Vec::new();
    for (what, ciphertext, additional_data) in cases {
        let request = v1::DecryptRequest {
            ciphertext: Some(ciphertext),
            additional_data,
            ..Default::default()
        };
        match crypto.decrypt(bare.request(request)).await {
            Ok(_) => panic!("{vault}: it opens with a wrong {what}"),
            Err(status) => statuses.push((what, status)),
        }
    }
    statuses
}
