//! The configuration of the service.

use std::path::Path;

use keyreeve_server::config::Config;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "config",
    max_len: 2048,
    seeds: || vec![SHORT.as_bytes().to_vec(), format!("{SHORT}{REST}").into_bytes()],
    run,
};

/// All that must be there.
const SHORT: &str = r#"
data_dir = "data"
allow_rsa1_5 = false
[tls]
certificate = "server.pem"
key = "server.key"
[root_key]
file = "root.key"
"#;

/// The other sections.
const REST: &str = r#"
[grpc]
listen = "127.0.0.1:0"
[https]
listen = "[::1]:7444"
[front]
threads = 2
[software]
threads = 2
[premium]
slot = "hsm"
[[slot]]
name = "hsm"
profile = "profile.toml"
token = "keyreeve"
pin_file = "pin"
threads = 1
[[token]]
name = "app"
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"
roles = ["Owner", "12338af0-0e69-4776-bea7-57ae8d297424"]
[log]
"#;

/// Reading never panics, nor does looking at what the file names; an unknown field is
/// never overlooked; and who is refused is told why.
fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // A directory that holds nothing of what is named.
    let path = Path::new("/nonexistent/keyreeve.toml");
    let config = match Config::parse(path, text) {
        Ok(config) => config,
        Err(report) => return assert!(!report.to_string().is_empty()),
    };
    let misspelt = format!("unknown_field = 1\n{text}");
    assert!(Config::parse(path, &misspelt).is_err(), "an unknown field is overlooked");
    if let Err(report) = config.check(path) {
        assert!(report.to_string().contains("keyreeve.toml"), "{report}");
    }
}
