//! One thread of the front: a runtime, its clients, its two doors.

use std::{io, sync::Arc, time::Duration};

use keyreeve_audit::Standing;
use keyreeve_authz::Listener;
use keyreeve_keyhost::{Client, ClientLink, Driver, Member};
use keyreeve_proto::v1::{
    access_service_server, audit_service_server, crypto_service_server, identity_service_server,
    key_service_server, status_service_server, vault_service_server,
};
use keyreeve_service::{Backends, Service, Shared};
use rustls::ServerConfig;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, HealthService},
};

use super::{
    Authn, Guests, Processes, TokenEndpoint, accept::Door, grpc, https, socket::Socket, status,
};
use crate::{
    config::{self, Limits},
    control::GroupStart,
};

/// How many starts and ends of a keyhost may wait for a thread that is busy.
const LINKS: usize = 16;

/// What one thread is given.
pub(crate) struct Runtime {
    pub(crate) listeners: Vec<Listening>,
    pub(crate) grpc_tls: Arc<ServerConfig>,
    pub(crate) https_tls: Arc<ServerConfig>,
    pub(crate) keyhosts: Keyhosts,
    pub(crate) shared: Arc<Shared>,
    pub(crate) authn: Arc<Authn>,
    pub(crate) token_endpoint: Arc<TokenEndpoint>,
    pub(crate) processes: Arc<Processes>,
    pub(crate) limits: Arc<Limits>,
    /// Whether whoever reaches the HTTPS door may read the metrics.
    pub(crate) open_metrics: bool,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) guests: Arc<Guests>,
    pub(crate) drain: watch::Receiver<bool>,
}

/// One listening socket, and what it offers to whom.
pub(crate) struct Listening {
    pub(crate) listener: Arc<Listener>,
    pub(crate) socket: Socket,
    pub(crate) door: config::Door,
}

/// One thread's clients, and what drives them.
pub(crate) struct Keyhosts {
    backends: Backends,
    /// Which keyhosts hold the standard and the premium tier.
    tiers: [String; 2],
    clients: Vec<Client>,
    drivers: Vec<(Driver, mpsc::Receiver<Option<ClientLink>>)>,
}

/// Where a keyhost's starts (`Some`) and ends (`None`) are announced to one thread.
pub(crate) type Links = mpsc::Sender<Option<ClientLink>>;

impl Keyhosts {
    /// Clients for the keyhosts called `names`, the software keystore first, and for the
    /// groups they form; and where to announce each keyhost's links. `None` if there is no
    /// first.
    pub(crate) fn new(
        names: &[String],
        groups: &[GroupStart],
        premium: Option<&str>,
    ) -> Option<(Self, Vec<Links>)> {
        let (mut clients, mut drivers, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let (client, driver) = Client::new(name);
            let (announce, announced) = mpsc::channel(LINKS);
            clients.push(client);
            drivers.push((driver, announced));
            links.push(announce);
        }
        let groups = groups.iter().map(|group| {
            let members = group.members.iter().filter_map(|(place, slot)| {
                let client = clients.get(*place)?.clone();
                Some(Member { slot: slot.clone(), client })
            });
            Client::group(&group.name, &members.collect::<Vec<_>>(), group.min_replicas)
        });
        let backends = Backends::new(clients.first()?.clone(), groups.collect(), premium);
        let tiers = [names.first()?.clone(), premium.unwrap_or_default().to_owned()];
        Some((Self { backends, tiers, clients, drivers }, links))
    }
}

impl Runtime {
    /// Serves until told to drain, and then for as long as calls are in flight and
    /// the limit allows.
    pub(crate) fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> io::Result<()> {
        let Self {
            keyhosts,
            shared,
            authn,
            token_endpoint,
            processes,
            limits,
            room,
            guests,
            mut drain,
            listeners,
            grpc_tls,
            https_tls,
            open_metrics,
        } = self;
        for (driver, announced) in keyhosts.drivers {
            tokio::spawn(driver.run(announced));
        }
        tokio::spawn(Arc::clone(&processes).beat());
        let audit = shared.audit().watch();
        processes.watch(&keyhosts.clients, keyhosts.tiers);
        let service = Service::new(shared, keyhosts.backends);

        let door = |name, listener, tls| Door {
            name,
            listener,
            tls,
            handshake: Duration::from_millis(limits.handshake_ms),
            room: Arc::clone(&room),
            guests: Arc::clone(&guests),
            drain: drain.clone(),
        };
        let status = status::source(Arc::clone(&processes), keyhosts.clients);
        let health = HealthReporter::new();
        let answers = HealthService::from_health_reporter(health.clone());
        let grpc = grpc::Grpc::new(&service, Arc::clone(&authn), status, answers, &limits);
        let https =
            https::Https::new(service, authn, token_endpoint, processes, &limits, open_metrics);
        let mut doors = JoinSet::new();
        for Listening { listener, socket, door: kind } in listeners {
            let (grpc, https) = (grpc.clone(), https.clone());
            match kind {
                config::Door::Grpc => {
                    let door = door(listener, socket, Arc::clone(&grpc_tls));
                    doors.spawn(door.open(move |stream, source, drain| {
                        let grpc = grpc.clone();
                        async move { grpc.serve(stream, source, drain).await }
                    }));
                }
                config::Door::Https => {
                    let door = door(listener, socket, Arc::clone(&https_tls));
                    doors.spawn(door.open(move |stream, source, drain| {
                        let https = https.clone();
                        async move { https.serve(stream, source, drain).await }
                    }));
                }
            }
        }

        tokio::spawn(follow_log(health.clone(), audit));
        // One that cannot be opened is no service: the thread ends, and says why.
        let doors = async {
            while let Some(ended) = doors.join_next().await {
                ended.map_err(io::Error::other)??;
            }
            Ok(())
        };
        let limit = async {
            let _ = drain.wait_for(|drain| *drain).await;
            report_health(&health, ServingStatus::NotServing).await;
            tokio::time::sleep(Duration::from_millis(limits.drain_ms)).await;
        };
        tokio::select! {
            ended = doors => ended,
            () = limit => Ok(()),
        }
    }
}

/// Serving is what is recorded: while the log takes no records, nothing is.
async fn follow_log(health: HealthReporter, mut audit: watch::Receiver<Standing>) {
    loop {
        let status = match *audit.borrow_and_update() {
            Standing::Recording => ServingStatus::Serving,
            Standing::Opening | Standing::Stopped(_) | Standing::Closed => {
                ServingStatus::NotServing
            }
        };
        report_health(&health, status).await;
        if audit.changed().await.is_err() {
            return;
        }
    }
}

/// Of the service as a whole, and of each part by its gRPC name.
async fn report_health(health: &HealthReporter, status: ServingStatus) {
    for name in [
        "",
        crypto_service_server::SERVICE_NAME,
        identity_service_server::SERVICE_NAME,
        key_service_server::SERVICE_NAME,
        vault_service_server::SERVICE_NAME,
        access_service_server::SERVICE_NAME,
        status_service_server::SERVICE_NAME,
        audit_service_server::SERVICE_NAME,
    ] {
        health.set_service_status(name, status).await;
    }
}
