//! A real `keyreeve dev` on a directory of its own, and keys in it.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use keyreeve_proto::v1::{CreateKeyRequest, Key, key_service_client::KeyServiceClient};
use tempfile::TempDir;
use tokio::time::sleep;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::{
    callers::CONNECTIONS,
    child::{Child, pinned},
    cpu,
    row::Operation,
    this_program,
    work::{Authorization, KeyreeveCaller, Work},
};

/// The running service, and what was made in it. Fields go in this order: the
/// process before its directory.
pub(crate) struct Keyreeve {
    channels: Vec<Channel>,
    authorization: Authorization,
    works: HashMap<Operation, Arc<Work>>,
    keys: HashMap<&'static str, Key>,
    /// The front first, then the keyhosts.
    processes: Vec<u32>,
    service: Child,
    directory: TempDir,
}

impl Keyreeve {
    /// Starts `binary`, waits until it serves, and connects.
    pub(crate) async fn start(binary: PathBuf) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let log = fs::File::create(directory.path().join("log"))?;
        let mut command = pinned(binary);
        command.args(["dev", "--grpc-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(directory.path().join("dev"));
        command.stdout(log.try_clone()?).stderr(log);
        let mut service = Child::start(command)?;
        let environment = match ready(&mut service, directory.path()).await {
            Ok(environment) => environment,
            Err(error) => {
                let log = fs::read_to_string(directory.path().join("log")).unwrap_or_default();
                return Err(error.context(format!("keyreeve dev did not start:\n{log}")));
            }
        };
        let get = |name: &str| {
            environment.get(name).with_context(|| format!("dev.env does not have {name}"))
        };
        let certificate = fs::read(get("KEYREEVE_CACERT")?).context("cannot read the CA")?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate));
        let endpoint = Endpoint::from_shared(get("KEYREEVE_ADDR")?.clone())?.tls_config(tls)?;
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(endpoint.connect().await.context("cannot connect to keyreeve")?);
        }
        let front = get("KEYREEVE_FRONT_PID")?.parse()?;
        let mut processes = cpu::descendants(service.pid())?;
        ensure!(processes.contains(&front), "the front, process {front}, is not dev's child");
        processes.sort_by_key(|pid| *pid != front);
        Ok(Self {
            channels,
            authorization: Authorization::bearer(get("KEYREEVE_TOKEN")?)?,
            works: HashMap::new(),
            keys: HashMap::new(),
            processes,
            service,
            directory,
        })
    }

    /// The processes whose time counts: the front first, then the keyhosts. The
    /// supervisor has no part in an operation.
    pub(crate) fn processes(&self) -> &[u32] {
        &self.processes
    }

    /// Fails, with the service's log, if it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        self.service.still_runs().with_context(|| {
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            format!("keyreeve dev ended:\n{log}")
        })
    }

    /// Callers of `operation`. Its key is made when it is first asked for.
    pub(crate) async fn callers(
        &mut self,
        count: usize,
        operation: Operation,
    ) -> Result<Vec<KeyreeveCaller>> {
        let name = key_name(operation);
        let work = match self.works.get(&operation) {
            Some(work) => Arc::clone(work),
            None => {
                let key = self.key(name, operation).await?;
                let channel = self.channels[0].clone();
                let work = Work::prepare(operation, &key, channel, &self.authorization).await?;
                let work = Arc::new(work);
                self.works.insert(operation, Arc::clone(&work));
                work
            }
        };
        let channel = |n: usize| self.channels[n % self.channels.len()].clone();
        let caller =
            |n| KeyreeveCaller::new(n as u64, channel(n), &self.authorization, Arc::clone(&work));
        Ok((0..count).map(caller).collect())
    }

    async fn key(&mut self, name: &'static str, operation: Operation) -> Result<Key> {
        if let Some(key) = self.keys.get(name) {
            return Ok(key.clone());
        }
        let ec = || Key { key_type: "EC".into(), curve: "P-256".into(), ..Key::default() };
        let (vault, key) = match operation {
            Operation::SignP256 | Operation::VerifyP256 | Operation::BatchP256 => ("dev", ec()),
            Operation::SlotP256 => ("dev-hsm", ec()),
            Operation::SignRsa2048 => {
                ("dev", Key { key_type: "RSA".into(), size: 2048, ..Key::default() })
            }
            Operation::EncryptGcm => {
                let operations = vec!["encrypt".into(), "decrypt".into()];
                ("dev", Key { key_type: "oct".into(), size: 256, operations, ..Key::default() })
            }
        };
        let request = CreateKeyRequest {
            parent: format!("vaults/{vault}"),
            key_id: name.to_owned(),
            key: Some(key),
        };
        let mut client = KeyServiceClient::new(self.channels[0].clone());
        let answer = client.create_key(self.authorization.request(request)).await;
        let key = answer.with_context(|| format!("cannot create {vault}/{name}"))?.into_inner();
        self.keys.insert(name, key.clone());
        Ok(key)
    }
}

const fn key_name(operation: Operation) -> &'static str {
    match operation {
        Operation::SignP256 | Operation::VerifyP256 | Operation::BatchP256 => "load-p256",
        Operation::SignRsa2048 => "load-rsa2048",
        Operation::EncryptGcm => "load-aes256",
        Operation::SlotP256 => "load-slot-p256",
    }
}

/// `$KEYREEVE_BIN`, or the release build beside this one.
pub(crate) fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("KEYREEVE_BIN") {
        return Ok(path.into());
    }
    // TARGET/release/deps/load-0123456789abcdef
    let path = this_program()?.ancestors().nth(2).map(|release| release.join("keyreeve"));
    path.filter(|path| path.is_file()).context(
        "keyreeve is not built: run `cargo build --release -p keyreeve`, or set KEYREEVE_BIN to \
         the binary",
    )
}

/// Waits for `dev.env`, which says that it serves, and reads it.
async fn ready(service: &mut Child, directory: &Path) -> Result<HashMap<String, String>> {
    let file = directory.join("dev").join("dev.env");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        service.still_runs()?;
        if let Ok(text) = fs::read_to_string(&file) {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            return Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        }
        sleep(Duration::from_millis(20)).await;
    }
    bail!("it was not ready after {PATIENCE:?}")
}

/// How long it may take to start: it makes keys, certificates and a token.
const PATIENCE: Duration = Duration::from_secs(60);
