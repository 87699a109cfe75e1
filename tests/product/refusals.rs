//! Bad input over bare gRPC: each a clear error with the right code, and a service
//! that goes on.

use bytes::Bytes;
use keyreeve_client::v1::{self, crypto_service_client::CryptoServiceClient as Crypto};
use keyreeve_testkit::Keyreeve;
use tonic::{Code, Request, Status, client::Grpc};
use tonic_types::StatusExt as _;

use crate::{
    caller::{Bare, block_on, client, keyreeve, run},
    plain::Plain,
};

/// Every method of the interface but `Stream`.
const METHODS: [&str; 39] = [
    "VaultService/CreateVault",
    "VaultService/GetVault",
    "VaultService/ListVaults",
    "KeyService/CreateKey",
    "KeyService/GetImportRecipient",
    "KeyService/ImportKey",
    "KeyService/GetKey",
    "KeyService/ListKeys",
    "KeyService/ListKeyVersions",
    "KeyService/UpdateKey",
    "KeyService/RotateKey",
    "CryptoService/Sign",
    "CryptoService/Verify",
    "CryptoService/Encrypt",
    "CryptoService/Decrypt",
    "CryptoService/WrapKey",
    "CryptoService/UnwrapKey",
    "CryptoService/GenerateDataKey",
    "CryptoService/ReEncrypt",
    "CryptoService/Mac",
    "CryptoService/VerifyMac",
    "CryptoService/RandomBytes",
    "CryptoService/Batch",
    "CryptoService/SignJwt",
    "CryptoService/GetJwks",
    "AccessService/WhoAmI",
    "AccessService/CreateRole",
    "AccessService/GetRole",
    "AccessService/ListRoles",
    "AccessService/UpdateRole",
    "AccessService/DeleteRole",
    "AccessService/CreateAssignment",
    "AccessService/GetAssignment",
    "AccessService/ListAssignments",
    "AccessService/DeleteAssignment",
    "AccessService/GetVaultAccess",
    "AccessService/UpdateVaultAccess",
    "AccessService/UpdateNetworkRules",
    "StatusService/GetStatus",
];

/// Guards against bytes from the network that end the front, or that one method takes
/// and another does not.
#[test]
fn bytes_that_are_no_message_are_refused_by_every_method() {
    let service = Keyreeve::start().expect("a service");
    block_on(async {
        let bare = Bare::connect(&service).await;
        let deep = [&[0x0b; 20_000][..]].concat();
        let malformed: [&[u8]; 5] = [
            // A field of 127 bytes that ends after one; a varint without an end; field
            // number zero; a wire type there is not; groups in groups in groups.
            b"\x0a\x7fx",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x00\x00",
            b"\x0f",
            &deep,
        ];
        for method in METHODS {
            for bytes in malformed {
                let status = raw(&bare, method, bytes).await.expect_err("it is no message");
                assert_eq!(status.code(), Code::InvalidArgument, "{method}: {status:?}");
            }
            let large = vec![0x0a; 5 << 20];
            let status = raw(&bare, method, &large).await.expect_err("it is too large");
            assert_eq!(status.code(), Code::InvalidArgument, "{method}: {status:?}");
        }
        client(&service).status().await.expect("it goes on");
    });
    let children = service.service().children().expect("children");
    assert!(children.contains(&service.front()), "the front was started anew");
}

/// Guards against a door that is open: no method answers without the right token.
#[test]
fn every_method_wants_the_token() {
    let service = Keyreeve::start().expect("a service");
    block_on(async {
        let bare = Bare::connect(&service).await;
        let token = service.setting("KEYREEVE_TOKEN");
        let tokens = [
            None,
            Some(String::new()),
            Some("Bearer".to_owned()),
            Some(format!("Basic {token}")),
            Some(format!("Bearer {token}x")),
            Some(format!("Bearer {}", &token[1..])),
            Some(format!("Bearer {}", "a".repeat(10_000))),
        ];
        for method in METHODS {
            for token in &tokens {
                let mut request = Request::new(Bytes::new());
                if let Some(token) = token {
                    let token = token.parse().expect("printable");
                    request.metadata_mut().insert("authorization", token);
                }
                let status = send(&bare, method, request).await.expect_err("no token");
                assert_eq!(status.code(), Code::Unauthenticated, "{method}: {status:?}");
            }
        }
    });
}

/// Guards against a mistake of the caller that is told as a fault of the service, or
/// that is not told at all.
#[test]
fn mistakes_are_told_with_the_right_code() {
    let service = Keyreeve::start().expect("a service");
    let create = |arguments: &[&str]| keyreeve(&service, &[&["key", "create"], arguments].concat());
    create(&["dev/ec", "--kty", "EC", "--crv", "P-256"]);
    create(&["dev/off", "--kty", "EC", "--crv", "P-256", "--disabled"]);
    create(&["dev/early", "--kty", "EC", "--crv", "P-256", "--not-before", "1d"]);
    create(&["dev/old", "--kty", "EC", "--crv", "P-256", "--expires", "2020-01-01"]);
    create(&["dev-hsm/rsa", "--kty", "RSA", "--size", "2048"]);
    let sign = |vault: &str, key: &str, algorithm: &str, digest: usize| v1::SignRequest {
        name: format!("vaults/{vault}/keys/{key}"),
        algorithm: algorithm.to_owned(),
        input: Some(v1::sign_request::Input::Digest(vec![0; digest].into())),
    };
    let long = "k".repeat(128);
    let cases = [
        (sign("dev", "ec", "ES999", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "ec", "", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "ec", "ES256", 31), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "ec", "ES256", 0), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", &long, "ES256", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "schlüssel", "ES256", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "", "ES256", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "a/b", "ES256", 32), Code::InvalidArgument, "INVALID_ARGUMENT"),
        (sign("dev", "none", "ES256", 32), Code::NotFound, "NOT_FOUND"),
        (sign("none", "ec", "ES256", 32), Code::NotFound, "NOT_FOUND"),
        (sign("dev", "ec", "ES384", 48), Code::FailedPrecondition, ""),
        (sign("dev", "off", "ES256", 32), Code::FailedPrecondition, "KEY_DISABLED"),
        (sign("dev", "early", "ES256", 32), Code::FailedPrecondition, "KEY_NOT_YET_VALID"),
        (sign("dev", "old", "ES256", 32), Code::FailedPrecondition, "KEY_EXPIRED"),
    ];
    block_on(async {
        let bare = Bare::connect(&service).await;
        let mut crypto = Crypto::new(bare.channel.clone());
        for (request, code, reason) in cases {
            let said = format!("{request:?}");
            let status = crypto.sign(bare.request(request)).await.expect_err("a mistake");
            assert_eq!(status.code(), code, "{said}: {status:?}");
            let info = status.get_details_error_info().expect("always there");
            assert!(reason.is_empty() || info.reason == reason, "{said}: {}", info.reason);
        }
        // What this backend has not: named, with the backend.
        let request = v1::EncryptRequest {
            name: "vaults/dev-hsm/keys/rsa".to_owned(),
            algorithm: "RSA-OAEP-256".to_owned(),
            plaintext: Bytes::from_static(b"x"),
            ..Default::default()
        };
        let status = crypto.encrypt(bare.request(request)).await.expect_err("SoftHSM has it not");
        assert_eq!(status.code(), Code::FailedPrecondition);
        let message = status.message();
        assert!(message.contains("RSA-OAEP-256") && message.contains("softhsm"), "{message}");

        let item = || v1::Operation {
            request: Some(v1::operation::Request::Sign(sign("dev", "ec", "ES256", 32))),
        };
        for count in [0, 257] {
            let operations = (0..count).map(|_| item()).collect();
            let request = bare.request(v1::BatchRequest { operations });
            let status = crypto.batch(request).await.expect_err("a mistake");
            assert_eq!(status.code(), Code::InvalidArgument, "{count} operations");
        }
        let operations = vec![item(), v1::Operation { request: None }, item()];
        let request = bare.request(v1::BatchRequest { operations });
        let results = crypto.batch(request).await.expect("a batch").into_inner().results;
        let is_error = |result: &v1::OperationResult| {
            matches!(&result.result, Some(v1::operation_result::Result::Error(_)))
        };
        assert_eq!(results.iter().map(is_error).collect::<Vec<_>>(), [false, true, false]);
    });
    let old = run(
        &service,
        &[
            "verify",
            "dev/old",
            "--alg",
            "ES256",
            "--signature",
            "AAAA",
            "--digest",
            &"00".repeat(32),
        ],
    );
    assert_eq!(old.status.code(), Some(1), "an expired key still verifies, and says no");
}

async fn raw(bare: &Bare, method: &str, bytes: &[u8]) -> Result<Bytes, Status> {
    send(bare, method, bare.request(Bytes::copy_from_slice(bytes))).await
}

async fn send(bare: &Bare, method: &str, request: Request<Bytes>) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(bare.channel.clone());
    grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let path = format!("/keyreeve.v1.{method}").parse().expect("a path");
    Ok(grpc.unary(request, path, Plain).await?.into_inner())
}
