//! `keyreeve dev`: a whole service on this machine, in one command.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use keyreeve_client::{Client, Error, VaultName, v1::vault::Tier};
use keyreeve_server::{
    config::Config,
    dev::{self, EnvFile, Options, Premium, Prepared},
    supervisor::{self, Phase, Running},
};

use super::serve::failed;
use crate::{failure::Failure, output::print_line};

/// How long the service may take to make a vault right after its start.
const PATIENCE: Duration = Duration::from_secs(20);
const STANDARD_VAULT: &str = "dev";
const PREMIUM_VAULT: &str = "dev-hsm";

#[derive(clap::Args)]
pub(crate) struct Dev {
    /// Where everything is kept [default: $XDG_DATA_HOME/keyreeve-dev or
    /// ~/.local/share/keyreeve-dev]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Where gRPC listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443")]
    grpc_listen: SocketAddr,

    /// Where HTTPS listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7444")]
    https_listen: SocketAddr,
}

impl Dev {
    /// Runs until SIGTERM or SIGINT.
    pub(crate) fn run(self) -> Result<(), Failure> {
        // 1. What is missing is made; what is there is kept.
        let dir = self.data_dir.or_else(dev::default_dir).ok_or_else(|| {
            Failure::local("there is no home directory", "name a directory with --data-dir")
        })?;
        let options = Options { dir, grpc: self.grpc_listen, https: self.https_listen };
        let prepared = dev::prepare(&options).map_err(failed)?;
        let config = Config::load(&prepared.config).map_err(|report| {
            Failure::local(report.to_string(), "remove what is damaged; it is made anew")
        })?;

        // 2. The service, as `keyreeve serve` runs it.
        let welcome = Arc::new(Welcome::new(&prepared));
        let lock = prepared.lock;
        let greeted = Arc::clone(&welcome);
        let ended = supervisor::run(&config, lock, &mut |running| greeted.start(running));

        // 3. What went wrong while it was made ready counts more than how it ended.
        welcome.goodbye()?;
        ended.map_err(|error| match error {
            supervisor::SupervisorError::Listen { field, .. } => {
                let flag = field.replace('.', "-");
                Failure::local(error.to_string(), format!("choose another address with --{flag}"))
            }
            error => failed(error),
        })
    }
}

/// What is done once the service runs: vaults, `dev.env`, a few words.
struct Welcome {
    /// Taken when the service ends, which removes the file.
    env_file: Mutex<Option<EnvFile>>,
    premium: Premium,
    ca_certificate: PathBuf,
    token: keyreeve_server::Secret<String>,
    greeted: Mutex<bool>,
    failure: Mutex<Option<Failure>>,
}

impl Welcome {
    fn new(prepared: &Prepared) -> Self {
        Self {
            env_file: Mutex::new(Some(EnvFile::of(prepared))),
            premium: prepared.premium.clone(),
            ca_certificate: prepared.ca_certificate.clone(),
            token: prepared.token.expose().clone().into(),
            greeted: Mutex::new(false),
            failure: Mutex::new(None),
        }
    }

    /// On a thread of its own, because the supervisor must not wait.
    fn start(self: &Arc<Self>, running: &Running) {
        let (this, running) = (Arc::clone(self), running.clone());
        thread::spawn(move || {
            if let Err(failure) = this.greet(&running) {
                *locked(&this.failure) = Some(failure);
                supervisor::request_stop();
            }
        });
    }

    fn greet(&self, running: &Running) -> Result<(), Failure> {
        let slot_down = running.processes.iter().skip(2).find(|p| p.phase != Phase::Serving);
        let premium = matches!(self.premium, Premium::SoftHsm { .. }) && slot_down.is_none();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        runtime.block_on(async {
            let client = self.client(running)?;
            make_vault(&client, STANDARD_VAULT, Tier::Standard).await?;
            if premium {
                make_vault(&client, PREMIUM_VAULT, Tier::Premium).await?;
            }
            Ok::<_, Failure>(())
        })?;

        let env_file = locked(&self.env_file);
        let Some(env_file) = env_file.as_ref() else { return Ok(()) };
        env_file.write(running).map_err(failed)?;
        if std::mem::replace(&mut *locked(&self.greeted), true) {
            return Ok(());
        }
        let premium = match (&self.premium, slot_down) {
            (Premium::Missing(why), _) => format!(
                "{why}, so there is no premium tier. Debian, Ubuntu: `apt-get install softhsm2`; \
                 Fedora: `dnf install softhsm`; then start again"
            ),
            (_, Some(slot)) => format!("slot {} does not serve: {}", slot.name, slot.detail),
            (Premium::SoftHsm { .. }, None) => {
                format!("SoftHSM token, vault {PREMIUM_VAULT}")
            }
        };
        print_line(&text(running, env_file.path(), &premium))
    }

    fn client(&self, running: &Running) -> Result<Client, Failure> {
        let address = dev::reachable(running.grpc);
        Ok(Client::builder()
            .address(format!("https://{address}"))
            .ca_certificate_file(&self.ca_certificate)
            .token(self.token.expose().clone())
            .build()?)
    }

    fn goodbye(&self) -> Result<(), Failure> {
        locked(&self.env_file).take();
        locked(&self.failure).take().map_or(Ok(()), Err)
    }
}

/// Makes the vault unless it is there.
async fn make_vault(client: &Client, name: &str, tier: Tier) -> Result<(), Failure> {
    let name: VaultName = name.parse().map_err(failed)?;
    let since = Instant::now();
    loop {
        match vault_exists_or_is_made(client, &name, tier).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_temporary() && since.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn vault_exists_or_is_made(
    client: &Client,
    name: &VaultName,
    tier: Tier,
) -> Result<(), Error> {
    let wanted = format!("vaults/{}", name.id());
    if client.vaults().await?.iter().any(|vault| vault.name == wanted) {
        return Ok(());
    }
    client.vault(name.id()).create(tier).await.map(drop)
}

fn text(running: &Running, env_file: &Path, premium: &str) -> String {
    let (grpc, https) = (running.grpc, running.https);
    let keyreeve = program();
    let env_file = dev::shell_quoted(&env_file.display().to_string());
    format!(
        "Keyreeve is ready.

  gRPC      https://{grpc}
  HTTPS     https://{https}
  standard  software keystore, vault {STANDARD_VAULT}
  premium   {premium}

Try it, in another shell:

  set -a; . {env_file}; set +a

  {keyreeve} key create {STANDARD_VAULT}/jwt --kty EC --crv P-256
  {keyreeve} jwt sign {STANDARD_VAULT}/jwt --alg ES256 --claims '{{\"sub\":\"alice\"}}'
  {keyreeve} jwt jwks {STANDARD_VAULT}

Ctrl-C ends it; keys and vaults are kept."
    )
}

/// `keyreeve` if a shell finds this very program under that name, else its path.
fn program() -> String {
    let Ok(this) = env::current_exe() else { return "keyreeve".to_owned() };
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|dir| dir.join("keyreeve")).find(|path| path.is_file());
    match found.and_then(|path| path.canonicalize().ok()) {
        Some(found) if Ok(&found) == this.canonicalize().as_ref().map_err(drop) => {
            "keyreeve".to_owned()
        }
        _ => dev::shell_quoted(&this.display().to_string()),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
