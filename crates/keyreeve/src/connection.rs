//! Where the service is: flags over environment.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use keyreeve_client::Client;

use crate::failure::Failure;

/// How to reach the service. A token is never taken from the argument list, which
/// every user of the machine can read.
#[derive(Args)]
pub(crate) struct Connection {
    /// gRPC address, as https://127.0.0.1:8443 [env: KEYREEVE_ADDR]
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    addr: Option<String>,

    /// PEM certificate of the service's authority [env: KEYREEVE_CACERT]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    cacert: Option<PathBuf>,

    /// File that holds the token [env: KEYREEVE_TOKEN_FILE, or KEYREEVE_TOKEN]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    token_file: Option<PathBuf>,

    /// Seconds a call may take
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value = "30",
        help_heading = "Connection"
    )]
    timeout: u32,
}

impl Connection {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder().environment().connections(1);
        if let Some(addr) = &self.addr {
            builder = builder.address(addr);
        }
        if let Some(path) = &self.cacert {
            builder = builder.ca_certificate_file(path);
        }
        if let Some(path) = &self.token_file {
            builder = builder.token_file(path);
        }
        Ok(builder.deadline(Duration::from_secs(self.timeout.into())).build()?)
    }
}
