//! The front from its start to its end: read what only it needs, shut itself in,
//! open the store, accept.

mod exporter;
mod sockets;

use std::{
    os::fd::OwnedFd,
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use keyreeve_audit::Recorder;
use keyreeve_authz::{Principal, PrincipalKind, Role, Subject};
use keyreeve_keyhost::{
    Client, FrontEnd,
    sandbox::{Sandbox, Syscalls},
};
use keyreeve_service::{Clock, ConfiguredRole, Credential, Id, Identity, Method, Settings, Shared};
use keyreeve_store_redb::{OpenFault, RedbStore};
use rustls::server::danger::ClientCertVerifier;
use tokio::sync::{Semaphore, watch};

use crate::{
    client_verifier::ClientVerifier,
    config::TlsConfig,
    control::{ControlSocket, FromFront, FrontStart, ToFront, TokenStart},
    front::{
        Authn, Certificates, FrontLog, Guests, Issuers, Keyhosts, Links, Pace, Processes, Runtime,
        Socket, TokenEndpoint, Tokens,
    },
    log, tls,
};
use exporter::{Exporter, outgoing};
use sockets::{Private, first_message, listening};

/// The store's file in the data directory.
const STORE: &str = "store.redb";
/// How often to look whether requests that ended early are to be summed up.
const SUM_UP: Duration = Duration::from_secs(1);
/// How long to wait for a store that a front of a killed service still holds.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// Runs until it has drained, or the supervisor is gone.
pub(super) fn run(control: ControlSocket) -> ExitCode {
    let (start, listeners, private) = match first_message(&control) {
        Ok(Some(first)) => first,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => return super::refuse(&error),
    };
    log::start(&start.log);
    // A thread that panicked leaves connections that nobody serves. The store meets
    // the panics that damage can cause.
    super::abort_on_panic(keyreeve_store_redb::panic_is_caught);
    match serve(&control, *start, listeners, private) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = control.send(&FromFront::Failed { message });
            ExitCode::FAILURE
        }
    }
}

fn serve(
    control: &ControlSocket,
    start: FrontStart,
    listeners: Vec<Socket>,
    private: Vec<Private>,
) -> Result<(), String> {
    // 1. What is read before the files are out of reach.
    let pair = TlsConfig { certificate: start.certificate, key: start.key };
    let clients = start.client_ca.as_ref();
    let clients = clients.map(|ca| ClientVerifier::new(&ca.file, ca.crl.as_deref())).transpose()?;
    let verifier = clients.clone().map(|clients| clients as Arc<dyn ClientCertVerifier>);
    let grpc_tls = tls::load(&pair, &[b"h2"], verifier)?;
    let https_tls = tls::load(&pair, &[b"h2", b"http/1.1"], None)?;
    let (tokens, roles) = tokens(&start.tokens)?;
    let issuers = Arc::new(Issuers::new(&start.issuers, Pace::STANDARD)?);
    let telemetry = start.telemetry;
    let collector = telemetry.collector();
    let resolves = !issuers.is_empty() || collector.as_ref().is_some_and(|at| at.is_named());
    let ports = outgoing(&start.issuers, collector.as_ref());
    let exporter = collector.map(|at| Exporter::new(&at, telemetry.ca.as_deref())).transpose()?;

    // 2. What is for all threads, before there are any.
    schedule_in_batches();

    // 3. Nothing but the store and the network from here on. Threads come later,
    //    because landlock holds for those that come later alone.
    let processes = Arc::new(Processes::default());
    processes.protected_by(shut_in(&start.data_dir, resolves, ports));

    // 4. The store, on a runtime of its own, which also follows it.
    let store = open_store(&start.data_dir.join(STORE))?;
    let rates = start.limits.rates();
    let settings = Settings { allow_rsa1_5: start.allow_rsa1_5, roles, rates };

    // 5. The audit log, before anything is served: what comes before it is open waits.
    let (signer, to_signer) = signing_keyhost(&start.keyhosts)?;
    let log = FrontLog::new(start.data_dir.clone(), signer, &start.audit);
    let audit = Recorder::start(log).map_err(|error| format!("no thread: {error}"))?;
    let shared = share(store, settings, Arc::clone(&audit))?;
    processes.serve(Arc::clone(&shared));
    let rules = start.client_ca.as_ref().map(|ca| ca.rules());
    let certificates = rules.zip(clients.clone());
    let certificates = certificates.map(|(rules, by)| Certificates::new(rules, by));
    let authn = Authn::new(tokens, certificates, Arc::clone(&issuers), Arc::clone(&shared));
    let authn = Arc::new(authn);
    let token_endpoint = Arc::new(TokenEndpoint::new(start.https_url, Arc::clone(&issuers)));
    keep(issuers)?;
    if let Some(exporter) = exporter {
        exporter.start(&shared, &telemetry, &start.data_dir)?;
    }

    // 6. One thread for each pair of listening sockets.
    let listening = listening(start.threads, listeners, private)?;
    let limits = Arc::new(start.limits);
    let room = Arc::new(Semaphore::new(limits.connections));
    let guests = Arc::new(Guests::new(limits.connections_per_address));
    let (tell_drain, drain) = watch::channel(false);
    let mut links: Vec<Vec<Links>> = Vec::new();
    let mut threads = Vec::new();
    for (index, listeners) in listening.into_iter().enumerate() {
        let (keyhosts, announce) =
            Keyhosts::new(&start.keyhosts, &start.groups, start.premium.as_deref())
                .ok_or("no keyhost came with Start")?;
        links.push(announce);
        let runtime = Runtime {
            listeners,
            grpc_tls: Arc::clone(&grpc_tls),
            https_tls: Arc::clone(&https_tls),
            keyhosts,
            shared: Arc::clone(&shared),
            authn: Arc::clone(&authn),
            token_endpoint: Arc::clone(&token_endpoint),
            processes: Arc::clone(&processes),
            limits: Arc::clone(&limits),
            open_metrics: start.open_metrics,
            room: Arc::clone(&room),
            guests: Arc::clone(&guests),
            drain: drain.clone(),
        };
        threads.push(spawn(&format!("front-{index}"), move || run_thread(runtime))?);
    }

    links.push(vec![to_signer]);

    // 7. What the supervisor says, until it says to drain.
    control.send(&FromFront::Ready).map_err(|error| error.to_string())?;
    follow(control, &links, &processes, clients.as_deref())?;
    tell_drain.send_replace(true);
    for thread in threads {
        // A panic ended the process.
        let _ = thread.join();
    }
    // 8. What was answered is on record, and is now put under a last checkpoint.
    audit.close();
    Ok(())
}

/// A client of the software keyhost for the audit log alone, on a thread of its own:
/// it signs whatever the threads for connections are at, and to the very end.
fn signing_keyhost(keyhosts: &[String]) -> Result<(Client, Links), String> {
    let name = keyhosts.first().ok_or("no keyhost came with Start")?;
    let (client, driver) = Client::new(name);
    let (announce, announced) = tokio::sync::mpsc::channel(16);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    spawn("audit-link", move || runtime.block_on(driver.run(announced)))?;
    Ok((client, announce))
}

/// A thread that fails leaves connections that nobody serves: a fresh front is the
/// cure.
fn run_thread(runtime: Runtime) {
    if let Err(error) = runtime.run() {
        tracing::error!(%error, "a thread of the front failed");
        super::end(1);
    }
}

/// Lets a keyhost that shares a core with the front finish what it is at, rather than
/// being interrupted by each request that comes in: with nothing else to do the front
/// runs at once, and on a busy machine many requests share a change of context, which
/// costs more than either of them does (`SCHED_BATCH`, sched(7)).
fn schedule_in_batches() {
    if let Err(error) = keyreeve_memory::schedule_in_batches() {
        tracing::info!(%error, "the front is scheduled as any other process");
    }
}

/// Who the tokens prove, and what they hold.
fn tokens(known: &[TokenStart]) -> Result<(Tokens, Vec<ConfiguredRole>), String> {
    let mut identities = Vec::new();
    let mut roles = Vec::new();
    for token in known {
        let mut hash = [0; 32];
        hex::decode_to_slice(&token.sha256, &mut hash)
            .map_err(|_| "a token's hash is damaged".to_owned())?;
        let holder = Principal::new(PrincipalKind::Token, None, &token.name)
            .map_err(|error| error.to_string())?;
        for place in &token.roles {
            let role = Role::built_in().get(*place).ok_or("a token's role is damaged")?;
            roles.push(ConfiguredRole { holder: holder.clone(), role: role.id() });
        }
        // In the audit log, the beginning of the hash says which line of the
        // configuration it was.
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        let subject = Subject::new(holder, []).map_err(|error| error.to_string())?;
        let credential = Some(Credential::assigned(Id(id)));
        identities.push((Identity::proven(subject, Method::Token, credential), hash));
    }
    Ok((Tokens::new(identities), roles))
}

/// Where the system says how names are resolved (resolver(5), nsswitch.conf(5)).
const RESOLVER: [&str; 6] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/run/systemd/resolve",
];

/// `resolves`: whether it asks servers by their names; `ports`: theirs.
fn shut_in(
    data_dir: &std::path::Path,
    resolves: bool,
    ports: Vec<u16>,
) -> Vec<keyreeve_keyhost::Protection> {
    let read = if resolves { RESOLVER.map(Into::into).into() } else { Vec::new() };
    let sandbox = Sandbox {
        read,
        write: vec![data_dir.to_owned()],
        network: true,
        tcp_ports: Some(ports),
        syscalls: Syscalls::Network,
        ..Sandbox::default()
    };
    let protections = sandbox.apply();
    for protection in protections.iter().filter(|protection| !protection.in_force) {
        let (what, why) = (&protection.name, &protection.detail);
        tracing::warn!(what, why, "a protection of the front is not in force");
    }
    protections
}

/// A service that was killed a moment ago may still hold the file.
fn open_store(path: &std::path::Path) -> Result<RedbStore, String> {
    let since = Instant::now();
    loop {
        match RedbStore::open(path) {
            Err(error)
                if matches!(error.fault, OpenFault::InUse(_))
                    && since.elapsed() < STORE_PATIENCE =>
            {
                thread::sleep(Duration::from_millis(50));
            }
            opened => return opened.map_err(|error| error.to_string()),
        }
    }
}

/// Reads the records, and starts the thread that keeps them as the store has them.
fn share(
    store: RedbStore,
    settings: Settings,
    audit: Arc<Recorder>,
) -> Result<Arc<Shared>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let opened = runtime.block_on(Shared::open(Arc::new(store), settings, Clock::system(), audit));
    let (shared, follower) = opened.map_err(|error| error.to_string())?;
    let summing = Arc::clone(&shared);
    spawn("follower", move || {
        runtime.block_on(async {
            tokio::spawn(sum_up(summing));
            follower.run().await;
        });
    })?;
    Ok(shared)
}

/// Sees to it that requests which were only counted are recorded in the end.
async fn sum_up(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(SUM_UP).await;
        shared.sum_up_refusals();
    }
}

/// Keeps the keys of issuers, on a thread of its own: none that serves waits for them.
fn keep(issuers: Arc<Issuers>) -> Result<(), String> {
    if issuers.is_empty() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    spawn("issuers", move || runtime.block_on(issuers.keep())).map(drop)
}

/// Passes on what the supervisor says. Ends when it is to drain; the process ends
/// when the supervisor is gone.
fn follow(
    control: &ControlSocket,
    links: &[Vec<Links>],
    processes: &Processes,
    clients: Option<&ClientVerifier>,
) -> Result<(), String> {
    loop {
        match control.recv() {
            Ok(Some((ToFront::Link { keyhost }, fds))) => connect(links, keyhost, fds)?,
            Ok(Some((ToFront::Down { keyhost }, _))) => {
                for thread in links {
                    announce(thread, keyhost, None);
                }
            }
            Ok(Some((ToFront::Revoked, fds))) => revoke(clients, fds),
            Ok(Some((ToFront::State(states), _))) => processes.update(states),
            Ok(Some((ToFront::Ping, _))) => {
                let stalest_ms = super::millis(processes.stalest());
                control
                    .send(&FromFront::Pong { stalest_ms })
                    .map_err(|error| format!("control socket: {error}"))?;
            }
            Ok(Some((ToFront::Drain, _))) => return Ok(()),
            Ok(Some((ToFront::Start(_) | ToFront::Listener(_), _))) => {
                return Err("was started twice".to_owned());
            }
            Ok(None) => return Err("the supervisor is gone".to_owned()),
            Err(error) => return Err(format!("control socket: {error}")),
        }
    }
}

/// Goes by the lists in another file. What cannot be read changes nothing: a list that
/// has ended lets nobody in, so this does not stay so for long.
fn revoke(clients: Option<&ClientVerifier>, fds: Vec<OwnedFd>) {
    let (Some(clients), Some(file)) = (clients, fds.into_iter().next()) else { return };
    match clients.replace(file.into()) {
        Ok(()) => tracing::info!("the lists of revoked client certificates were read again"),
        Err(why) => {
            tracing::error!(why, "client_ca.crl cannot be read; the lists before it hold");
        }
    }
}

fn connect(links: &[Vec<Links>], keyhost: usize, fds: Vec<OwnedFd>) -> Result<(), String> {
    let end = FrontEnd::from_fds(fds).ok_or("a link came without its sockets")?;
    let shards = end.shards().map_err(|error| format!("link: {error}"))?;
    for (thread, shard) in links.iter().zip(shards) {
        announce(thread, keyhost, Some(shard));
    }
    Ok(())
}

fn announce(thread: &[Links], keyhost: usize, link: Option<keyreeve_keyhost::ClientLink>) {
    if let Some(links) = thread.get(keyhost) {
        // Fails only if the thread has ended.
        let _ = links.blocking_send(link);
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<thread::JoinHandle<T>, String> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| format!("no thread {name}: {error}"))
}
