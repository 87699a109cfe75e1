//! Names of vaults, keys and versions, as four parsers read them: the vocabulary, the
//! service, the gRPC door and the client.
//!
//! They agree on what a name is, on its spelling and on how it is compared.

use keyreeve_client::{KeyName, VaultName};
use keyreeve_grpc::fuzzing::{key_name, vault_name};
use keyreeve_types::{FoldedName, Name, VersionId};

use super::Target;

pub(super) const TARGET: Target = Target { name: "name", max_len: 512, seeds, run };

const VERSION: &str = "000102030405060708090a0b0c0d0e0f";

fn seeds() -> Vec<Vec<u8>> {
    [
        "Prod".to_owned(),
        "vaults/Prod".to_owned(),
        "vaults/prod/keys/jwt".to_owned(),
        format!("vaults/prod/keys/jwt/versions/{VERSION}"),
        "prod/jwt".to_owned(),
        format!("prod/jwt/{VERSION}"),
        VERSION.to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let name = text.parse::<Name>();
    assert_eq!(vault_name(&format!("vaults/{text}")).is_ok(), name.is_ok());
    if let Ok(name) = name {
        assert_eq!(
            (name.as_str(), name.folded()),
            (text, FoldedName::new(text).expect("a name").as_str())
        );
        assert_eq!(text.parse::<VaultName>().map(|name| name.id().to_owned()), Ok(text.to_owned()));
    }
    if let Ok(version) = text.parse::<VersionId>() {
        assert_eq!(version.to_string(), text, "a second spelling of one version");
    }
    if let Ok(vault) = vault_name(text) {
        assert_eq!(vault.to_string(), text);
        assert_eq!(text.parse::<VaultName>().map(|name| name.resource()), Ok(text.to_owned()));
    }
    if let Ok(key) = key_name(text) {
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse::<KeyName>().map(|name| name.resource()), Ok(text.to_owned()));
    }
    if let Ok(key) = text.parse::<KeyName>() {
        let resource = key.resource();
        let read = key_name(&resource).map(|name| name.to_string());
        assert_eq!(read.ok(), Some(resource), "the client sends what the door refuses");
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}
