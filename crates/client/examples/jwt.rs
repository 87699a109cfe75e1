//! Signs a JWT with a key that never leaves the service, and prints it with the
//! public keys that verify it. Run `keyreeve dev` first, then:
//!
//! ```sh
//! set -a; . DIR/dev.env; set +a
//! keyreeve key create dev/jwt --kty EC --crv P-256
//! cargo run -p keyreeve-client --example jwt
//! ```

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyreeve_client::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let key = client.key("dev/jwt");

    let expires = SystemTime::now() + Duration::from_secs(300);
    let exp = expires.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let token = key.sign_jwt("ES256", &format!(r#"{{"sub":"alice","exp":{exp}}}"#)).await?;

    write(&token);
    write(&key.jwks().await?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what the example does")]
fn write(line: &str) {
    println!("{line}");
}
