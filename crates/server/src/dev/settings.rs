//! The configuration file of `keyreeve dev`.

use super::{Options, Premium};

/// The text of `keyreeve.toml`.
pub(super) fn write(options: &Options, token_sha256: &str, premium: &Premium) -> String {
    let Options { dir: _, grpc, https } = options;
    let mut text = format!(
        r#"# Written by `keyreeve dev` at each start; changes are lost. For a lasting
# configuration copy it: every field is described in docs/configuration.md.
data_dir = "data"

[grpc]
listen = "{grpc}"

[https]
listen = "{https}"

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"

[root_key]
file = "root.key"

[[token]]
name = "dev"
sha256 = "{token_sha256}"
roles = ["Owner", "Key Vault Administrator"]

[log]
level = "warn"
"#
    );
    if let Premium::SoftHsm { slot, token_label } = premium {
        text.push_str(&format!(
            r#"
[[slot]]
name = "{slot}"
profile = "softhsm/profile.toml"
token = "{token_label}"
pin_file = "softhsm/pin"

[premium]
slot = "{slot}"
"#
        ));
    }
    text
}
