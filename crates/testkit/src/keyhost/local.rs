//! A keyhost in the test's own process.

use std::{path::PathBuf, sync::Arc, thread};

use anyhow::{Context, Result};
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_keyhost::{
    Client, ClientLink, RootKey,
    host::{Custody, Host, Pulse},
    link,
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::described;

/// How many threads serve, besides the one for slow requests.
const THREADS: usize = 2;

/// A client with a keyhost behind it, around the software backend and a root key of
/// its own. Dropped, it ends.
pub struct LocalKeyhost {
    client: Client,
    links: mpsc::Sender<Option<ClientLink>>,
    root_key: PathBuf,
    _directory: TempDir,
}

impl LocalKeyhost {
    /// Starts one and waits until it answers. Must be called in a tokio runtime, which
    /// then drives the client.
    ///
    /// # Errors
    ///
    /// If there is no room for a root key, or no socket or thread to be had.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let root_key = directory.path().join("root.key");
        RootKey::create(&root_key)?;
        let (client, driver) = Client::new("software");
        let (links, receiver) = mpsc::channel(1);
        tokio::spawn(driver.run(receiver));
        let keyhost = Self { client, links, root_key, _directory: directory };
        keyhost.restart().await?;
        Ok(keyhost)
    }

    /// Starts one with the same root key in place of the one there is, which loses its
    /// link and ends.
    ///
    /// # Errors
    ///
    /// As [`LocalKeyhost::start`].
    pub async fn restart(&self) -> Result<()> {
        let (front, end) = link(1)?;
        let host = Host {
            backend: SoftwareBackend::new(),
            custody: Custody::Root(RootKey::load(&self.root_key)?),
            threads: THREADS,
            protections: Vec::new(),
        };
        thread::Builder::new().spawn(move || host.serve(end, &Arc::new(Pulse::new(THREADS))))?;
        let before = self.client.description().map(|description| description.recipient.id);
        self.links.send(front.shards()?.pop()).await.context("the client's driver has ended")?;
        described(&self.client, before).await?;
        Ok(())
    }

    /// The front's way to it.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}
