//! Envelope encryption: the service wraps a data key, the data stays here. Run
//! `keyreeve dev` first, then:
//!
//! ```sh
//! set -a; . DIR/dev.env; set +a
//! keyreeve key create dev/kek --kty oct --size 256
//! cargo run -p keyreeve-client --example envelope
//! ```

use keyreeve_client::{Client, Envelope, Error};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "printing is what the example does")]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;

    let envelope = Envelope::new(&client, "dev/kek");
    let sealed = envelope.seal(b"4111 1111 1111 1111", b"customer 42").await?;
    let opened = envelope.open(&sealed, b"customer 42").await?;

    println!("sealed {} bytes into {}", opened.len(), sealed.len());

    // Sealed for one customer, it does not open for another.
    let moved = envelope.open(&sealed, b"customer 43").await;
    println!("for another customer: {}", moved.map_or_else(|e| e.to_string(), |_| "opened".into()));
    Ok(())
}
