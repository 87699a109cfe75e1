//! `keyreeve principal certificate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keyreeve_client::v1;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::{PrincipalName, remove::Remove};
use crate::{cli::Settings, failure::Failure, table};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a certificate
    Add(Add),
    /// Remove a certificate
    Remove(Remove),
}

#[derive(Args)]
pub(crate) struct Add {
    #[arg(value_name = "ID")]
    id: PrincipalName,

    /// PEM file with the certificate; of several the first is taken
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(settings).await,
            Self::Remove(command) => command.run(settings).await,
        }
    }
}

impl Add {
    async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let certificate = CertificateDer::from_pem_file(&self.file).map_err(|error| {
            Failure::local(
                format!("{} holds no certificate: {error}", self.file.display()),
                "name a PEM file with the certificate, not the key",
            )
        })?;
        let certificate = certificate.as_ref().to_vec().into();
        let request = v1::AddCertificateRequest { parent: self.id.0, certificate };
        let changed = settings.client()?.call(request).await?;
        settings.output.print(&changed, table::principal)
    }
}
