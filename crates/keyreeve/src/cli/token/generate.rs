//! `keyreeve token generate`.

use keyreeve_server::token;
use zeroize::Zeroizing;

use crate::{failure::Failure, output::print_line};

pub(super) fn generate() -> Result<(), Failure> {
    let made = token::generate()
        .map_err(|error| Failure::local(error.to_string(), "look at the kernel and the sandbox"))?;
    let shown = format!("token:  {}\nsha256: {}", made.token.expose(), made.sha256);
    print_line(&Zeroizing::new(shown))
}
