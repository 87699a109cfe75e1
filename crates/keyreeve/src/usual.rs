//! The algorithm of a command that names none.
//!
//! The service takes the best one for the key's kind, which an HSM may lack: SoftHSM
//! has no RSA-OAEP-256 and no RFC 5649. Then the next best is asked for by name. The
//! printed result says which it was, so that it is found again.

use keyreeve_client::Error;

/// Next best to encrypt with, best first.
pub(crate) const ENCRYPT: &[&str] = &["RSA-OAEP"];
/// Next best to wrap with, best first.
pub(crate) const WRAP: &[&str] = &["RSA-OAEP", "A256KW", "A192KW", "A128KW"];

/// Makes the call with the algorithm that was `given`, or else with the service's
/// own choice (empty), or else with the first of `others` that works. If none does,
/// the error is that of the service's own choice.
pub(crate) async fn with_algorithm<T>(
    given: Option<String>,
    others: &[&str],
    call: impl AsyncFn(String) -> Result<T, Error>,
) -> Result<T, Error> {
    if let Some(algorithm) = given {
        return call(algorithm).await;
    }
    let refused = match call(String::new()).await {
        Err(error) if error.reason() == Some("ALGORITHM_NOT_SUPPORTED_BY_BACKEND") => error,
        done => return done,
    };
    for other in others {
        match call((*other).to_owned()).await {
            Err(error) if is_refused(&error) => {}
            done => return done,
        }
    }
    Err(refused)
}

/// For the algorithm, so that another may do.
fn is_refused(error: &Error) -> bool {
    matches!(error.reason(), Some("ALGORITHM_NOT_SUPPORTED_BY_BACKEND" | "WRONG_KEY_TYPE"))
}
