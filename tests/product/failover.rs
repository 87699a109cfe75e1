//! Slots that die while they are used: killed, paused, their tokens taken away and put
//! back. With a second slot of the group nobody notices; with one, callers are told at
//! once, and served again soon after.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use keyreeve_client::{Client, NewKey, v1};
use keyreeve_testkit::{Service, SoftHsm, TOKEN_GROUP};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    caller::{block_on, get},
    serving::{Ground, profile, secret, served},
};

/// How often something fails; the campaign sets more.
const CYCLES: &str = "KEYREEVE_FAILOVER";
/// Callers that sign without a pause.
const CALLERS: usize = 4;
/// Added to a request at most, by a slot that fails.
const ADDED: Duration = Duration::from_secs(2);
/// From the moment that a device is there again until it serves.
const BACK: Duration = Duration::from_secs(3);

/// Guards against an operation that fails, or waits for long, because one of two slots
/// that could do it is gone; and against a retry of the client's that hides it.
#[test]
fn with_two_slots_no_request_fails_whatever_one_of_them_does() {
    let first = SoftHsm::provisioned().expect("a token");
    let second = first.twin().expect("a second one");
    let site = Site::new(vec![first, second], 2);
    let service = site.serve();
    let client = site.client();
    block_on(async {
        client.vault("hsm").create(v1::vault::Tier::Premium).await.expect("a vault");
        client.key("hsm/k").create(NewKey::ec("P-256")).await.expect("a key");
        client.key("hsm/w").create(NewKey::oct(256)).await.expect("a key");
    });
    let load = Load::start(&site);
    let cycles: usize = std::env::var(CYCLES).map_or(3, |text| text.parse().expect("a number"));
    for cycle in 0..cycles {
        let slot = cycle / FAULTS.len() % 2;
        let (name, fault) = FAULTS[cycle % FAULTS.len()];
        let restarts = site.restarts(slot);
        fault(&site, slot);
        let since = Instant::now();
        while site.restarts(slot) == restarts || !site.serves(slot) {
            assert!(since.elapsed() < BACK, "{name} of {slot}: not back\n{}", service.log());
            thread::sleep(Duration::from_millis(20));
        }
        // Both are needed before the next one goes.
        thread::sleep(Duration::from_millis(200));
    }
    let Figures { done, slowest, failed } = load.stop();
    assert_eq!(failed, [] as [String; 0], "of {done}\n{}", service.log());
    assert!(done > 50 * cycles, "{done} is no load");
    let usual = Duration::from_millis(500);
    assert!(slowest < ADDED + usual, "one took {slowest:?} of {done}\n{}", service.log());
    let unavailable = site.unavailable();
    assert_eq!(unavailable, 0.0, "the client's retries hid it\n{}", service.log());
    eprintln!("{cycles} faults, {done} requests, none failed, the slowest took {slowest:?}");
}

/// Guards against callers that wait for a device which is gone, against a key that is
/// reported as not there or is forgotten, and against an outage that outlasts its cause.
#[test]
fn with_one_slot_callers_are_told_at_once_and_served_again_soon() {
    let token = SoftHsm::provisioned().expect("a token");
    let site = Site::new(vec![token], 1);
    let service = site.serve();
    let client = site.client();
    let (kept, other) = block_on(async {
        client.vault("hsm").create(v1::vault::Tier::Premium).await.expect("a vault");
        let (kept, other) = (client.key("hsm/k"), client.key("hsm/other"));
        kept.create(NewKey::ec("P-256")).await.expect("a key");
        other.create(NewKey::ec("P-256")).await.expect("a key");
        (kept, other)
    });
    let tokens = site.tokens[0].token_directory();
    let away = tokens.with_extension("away");
    fs::rename(&tokens, &away).expect("taken away");
    // Shorter than the hints to come back, so that the client does not.
    let hasty = site.client().with_deadline(Duration::from_millis(200));
    let mut told = Vec::new();
    let since = Instant::now();
    block_on(async {
        while since.elapsed() < Duration::from_secs(2) {
            let (at, key) =
                (Instant::now(), if told.len() % 2 == 0 { "hsm/k" } else { "hsm/other" });
            if let Err(error) = hasty.key(key).sign("ES256", b"message").await {
                let text = error.to_string();
                assert!(!text.contains("not found") && !text.contains("NOT_FOUND"), "{text}");
                told.push(at.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    told.sort_unstable();
    assert!(told.len() > 20, "{told:?}");
    // The very first may find out that the token is gone; a busy machine delays some.
    let typical = told[told.len() * 9 / 10];
    assert!(typical < Duration::from_millis(50), "{told:?}");
    fs::rename(&away, &tokens).expect("put back");
    let since = Instant::now();
    block_on(async {
        while hasty.key("hsm/k").sign("ES256", b"message").await.is_err() {
            assert!(since.elapsed() < BACK, "{}", service.log());
        }
        let back = since.elapsed();
        kept.sign("ES256", b"message").await.expect("signed");
        other.sign("ES256", b"message").await.expect("no record was deleted");
        eprintln!("told in {typical:?}, back after {back:?}");
    });
}

/// Guards against a keyhost on another host that serves anybody who reaches it, that is
/// slower to come back than one here, or whose loss is noticed.
#[test]
fn a_slot_on_another_host_serves_and_fails_like_one_here() {
    let first = SoftHsm::provisioned().expect("a token");
    let second = first.twin().expect("a second one");
    let site = Site::new(vec![first, second], 1).with_remote(1);
    let gate = site.open_gate();
    let service = site.serve();
    let client = site.client();
    block_on(async {
        client.vault("hsm").create(v1::vault::Tier::Premium).await.expect("a vault");
        // It takes both slots.
        client.key("hsm/k").create(NewKey::ec("P-256")).await.expect("a key");
        client.key("hsm/w").create(NewKey::oct(256)).await.expect("a key");
    });
    let url = format!("https://{}", site.gate.as_deref().expect("it is remote"));
    let ca = site.path("ca.pem").display().to_string();
    let stranger = thread::spawn(move || get(&url, &ca, "/", "").status).join();
    assert!(stranger.is_err(), "somebody without a certificate was answered");

    let load = Load::start(&site);
    thread::sleep(Duration::from_millis(300));
    gate.kill().expect("killed");
    let since = Instant::now();
    while site.serves(1) {
        assert!(since.elapsed() < BACK, "its end was not noticed\n{}", service.log());
        thread::sleep(Duration::from_millis(20));
    }
    // The other one goes as well, now that this one serves again.
    let _gate = site.open_gate();
    let since = Instant::now();
    while !site.serves(1) {
        assert!(since.elapsed() < BACK, "it is not back\n{}", service.log());
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    site.signal(0, Signal::KILL);
    thread::sleep(Duration::from_millis(500));
    let Figures { done, slowest, failed } = load.stop();
    assert_eq!(failed, [] as [String; 0], "of {done}\n{}", service.log());
    assert!(slowest < ADDED, "one took {slowest:?} of {done}");
    assert_eq!(site.unavailable(), 0.0, "{}", service.log());
}

/// Guards against each keyhost of a slot trying a PIN that the first was refused with:
/// a token locks after a few.
#[test]
fn a_wrong_pin_is_tried_once_whatever_the_number_of_keyhosts() {
    let site = Site::new(vec![SoftHsm::spied().expect("a token")], 3);
    secret(&site.path("pin"), "wrong-pin-1");
    let service = site.serve();
    thread::sleep(Duration::from_millis(500));
    let spied = fs::read_to_string(site.tokens[0].spy_log()).expect("the spy wrote");
    let logins = spied.lines().filter(|line| line.ends_with("C_Login")).count();
    assert_eq!(logins, 1, "{}", service.log());
}

type Fault = (&'static str, fn(&Site, usize));

/// What happens to a slot.
const FAULTS: [Fault; 3] = [
    ("kill", |site, slot| site.signal(slot, Signal::KILL)),
    ("pause", |site, slot| site.signal(slot, Signal::STOP)),
    ("token", |site, slot| {
        let tokens = site.tokens[slot].token_directory();
        let away = tokens.with_extension("away");
        fs::rename(&tokens, &away).expect("taken away");
        thread::sleep(Duration::from_millis(700));
        fs::rename(&away, &tokens).expect("put back");
    }),
];

/// What callers saw.
struct Figures {
    done: usize,
    slowest: Duration,
    failed: Vec<String>,
}

impl Figures {
    fn note(&mut self, took: Duration, failed: Option<keyreeve_client::Error>) {
        self.done += 1;
        self.slowest = self.slowest.max(took);
        self.failed.extend(failed.map(|error| format!("{error} after {took:?}")));
    }
}

/// The runtime that connections live on: a client is used from several, each of which
/// ends with what it was used for.
static CONNECTIONS: LazyLock<tokio::runtime::Handle> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
});

/// Callers that go on until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    figures: Arc<Mutex<Figures>>,
    callers: thread::JoinHandle<()>,
}

impl Load {
    fn start(site: &Site) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let figures = Figures { done: 0, slowest: Duration::ZERO, failed: Vec::new() };
        let figures = Arc::new(Mutex::new(figures));
        let client = site.client();
        let (stopped, seen) = (Arc::clone(&stop), Arc::clone(&figures));
        let callers = thread::spawn(move || {
            let local = tokio::task::LocalSet::new();
            block_on(local.run_until(async move {
                let callers: Vec<_> = (0..CALLERS)
                    .map(|caller| {
                        let (client, stopped) = (client.clone(), Arc::clone(&stopped));
                        let seen = Arc::clone(&seen);
                        tokio::task::spawn_local(call(client, caller, stopped, seen))
                    })
                    .collect();
                for caller in callers {
                    caller.await.expect("a caller ends in order");
                }
            }));
        });
        Self { stop, figures, callers }
    }

    fn stop(self) -> Figures {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.join().expect("the callers end in order");
        Arc::into_inner(self.figures).expect("the last").into_inner().expect("not poisoned")
    }
}

async fn call(client: Client, caller: usize, stop: Arc<AtomicBool>, figures: Arc<Mutex<Figures>>) {
    while !stop.load(Ordering::Relaxed) {
        let since = Instant::now();
        let outcome = if caller.is_multiple_of(2) {
            client.key("hsm/k").sign("ES256", b"message").await.map(drop)
        } else {
            client.key("hsm/w").encrypt(b"message", b"").await.map(drop)
        };
        figures.lock().expect("not poisoned").note(since.elapsed(), outcome.err());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A service with one slot for each token, all in one group.
struct Site {
    tokens: Vec<SoftHsm>,
    grpc: String,
    https: String,
    directory: TempDir,
    bearer: String,
    /// Where the gate of the remote slot is, if there is one.
    gate: Option<String>,
}

impl Site {
    fn new(tokens: Vec<SoftHsm>, keyhosts: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let Ground { grpc, https, bearer, sha256 } =
            Ground::lay(directory.path(), keyreeve_testkit::TOKEN_PIN);
        let path = |name: &str| directory.path().join(name);
        let mut text = format!(
            r#"
data_dir = "data"
grpc.listen = "{grpc}"
https.listen = "{https}"
tls = {{ certificate = "server.pem", key = "server.key" }}
root_key.file = "root.key"
premium.group = "{TOKEN_GROUP}"
metrics.open = true

[[group]]
name = "{TOKEN_GROUP}"
slots = [{}]

[[token]]
name = "billing"
sha256 = "{sha256}"
roles = ["Owner", "Key Vault Administrator"]
"#,
            (0..tokens.len()).map(|slot| format!("\"hsm-{slot}\",")).collect::<String>()
        );
        for (slot, token) in tokens.iter().enumerate() {
            fs::write(path(&format!("{slot}.toml")), profile(token)).expect("written");
            text.push_str(&format!(
                "\n[[slot]]\nname = \"hsm-{slot}\"\nprofile = \"{slot}.toml\"\n\
                 token = \"{}\"\npin_file = \"pin\"\nkeyhosts = {keyhosts}\n",
                token.label
            ));
        }
        fs::write(path("keyreeve.toml"), text).expect("written");
        Self { tokens, grpc, https, directory, bearer, gate: None }
    }

    /// The same with one of the slots on another host, as far as the service can tell.
    fn with_remote(mut self, slot: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let gate = listener.expect("a port").to_string();
        let text = fs::read_to_string(self.path("keyreeve.toml")).expect("written before");
        let (before, here) =
            text.split_once(&format!("[[slot]]\nname = \"hsm-{slot}\"")).expect("the slot");
        assert!(!here.contains("[[slot]]"), "it is the last one");
        let there = format!(
            "[[remote_slot]]\nname = \"hsm-{slot}\"\ngate = {{ address = \"{gate}\", \
             ca = \"ca.pem\", certificate = \"server.pem\", key = \"server.key\" }}\n"
        );
        fs::write(self.path("keyreeve.toml"), format!("{before}{there}")).expect("written");
        let remote = format!(
            "listen = \"{gate}\"\n[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n\
             client_ca = \"ca.pem\"\n[group]\nname = \"{TOKEN_GROUP}\"\n\
             [slot]\nname = \"hsm-{slot}\"\nprofile = \"{slot}.toml\"\n\
             token = \"{}\"\npin_file = \"pin\"\n",
            self.tokens[slot].label
        );
        fs::write(self.path("gate.toml"), remote).expect("written");
        self.gate = Some(gate);
        self
    }

    /// Starts what serves the remote slot.
    fn open_gate(&self) -> Service {
        let config = self.path("gate.toml").display().to_string();
        let arguments = ["keyhost", "serve", "--config", &config];
        let mut gate = Service::start(arguments, self.directory.path(), self.path("gate.log"))
            .expect("it starts");
        let address = self.gate.as_deref().expect("it is remote");
        gate.until(|| std::net::TcpStream::connect(address).ok()).expect("it listens");
        gate
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn serve(&self) -> Service {
        served(self.directory.path(), || self.processes())
    }

    fn client(&self) -> Client {
        let _connections_live_there = CONNECTIONS.enter();
        Client::builder()
            .address(&self.grpc)
            .ca_certificate_file(self.path("ca.pem"))
            .token(&self.bearer)
            .build()
            .expect("a client")
    }

    fn processes(&self) -> Option<Vec<v1::Process>> {
        block_on(async { self.client().status().await.ok() }).map(|status| status.processes)
    }

    /// The keyhosts of a slot.
    fn keyhosts(&self, slot: usize) -> Vec<v1::Process> {
        let name = format!("hsm-{slot}");
        let mut processes = self.processes().expect("a status");
        processes.retain(|process| process.name.split('/').next() == Some(&name));
        processes
    }

    fn restarts(&self, slot: usize) -> i32 {
        self.keyhosts(slot).iter().map(|keyhost| keyhost.restarts).sum()
    }

    fn serves(&self, slot: usize) -> bool {
        let serving = v1::process::State::Serving;
        self.keyhosts(slot).iter().all(|keyhost| keyhost.state() == serving)
    }

    fn signal(&self, slot: usize, signal: Signal) {
        for keyhost in self.keyhosts(slot) {
            let pid = Pid::from_raw(keyhost.pid).expect("it runs");
            kill_process(pid, signal).expect("sent");
        }
    }

    /// How many requests were answered with UNAVAILABLE.
    fn unavailable(&self) -> f64 {
        let url = format!("https://{}", self.https);
        let ca = self.path("ca.pem").display().to_string();
        let metrics = get(&url, &ca, "/metrics", "").body;
        let counted = metrics.lines().filter(|line| {
            line.starts_with("keyreeve_requests_total") && line.contains("UNAVAILABLE")
        });
        counted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}
