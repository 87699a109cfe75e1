//! `keyreeve serve` with a configuration as an operator writes it: certificates of
//! one's own, a slot, and what happens when something in it is wrong.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use keyreeve_client::{Client, NewKey, v1};
use keyreeve_testkit::{Service, SoftHsm, program};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::caller::{block_on, get};

/// Guards against a production form that only the development form can start: own
/// certificates, own token, a slot whose PIN is in a file, JSON logs.
#[test]
fn a_configuration_of_ones_own_serves_both_tiers() {
    let site = Site::new();
    let checked = site.keyreeve(&["serve", "--check", "--config"]);
    assert!(checked.status.success(), "{checked:?}");
    let service = site.serve();
    block_on(async {
        let client = site.client();
        for (vault, tier) in [("std", v1::vault::Tier::Standard), ("hsm", v1::vault::Tier::Premium)]
        {
            client.vault(vault).create(tier).await.expect("a vault");
            let key = client.key(&format!("{vault}/k"));
            key.create(NewKey::ec("P-256")).await.expect("a key");
            let signature = key.sign("ES256", b"message").await.expect("signed");
            assert!(key.verify("ES256", b"message", &signature).await.expect("verified"));
        }
    });
    let url = format!("https://{}", site.https);
    let ca = site.path("ca.pem").display().to_string();
    for path in ["/healthz", "/readyz", "/vaults/hsm/.well-known/jwks.json"] {
        assert_eq!(get(&url, &ca, path, "").status, 200, "{path}");
    }
    assert_eq!(get(&url, &ca, "/nothing", "").status, 404);
    let (status, log) = service.stop().expect("it ends");
    assert!(status.success(), "{status}: {log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
    }

    // The data is still there, for whoever starts it again.
    let _service = site.serve();
    block_on(async { site.client().key("hsm/k").sign("ES256", b"message").await })
        .expect("the key is in the slot");
}

/// Guards against a private listener that serves what does not name it, that is missing
/// where rules demand it, or that is without a name in the log; over TLS and over a socket.
#[test]
fn a_private_listener_serves_the_vaults_that_name_it_and_no_other() {
    let site = Site::new();
    let vpn = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let vpn = vpn.expect("a port").to_string();
    site.configure(&format!(
        "[[listener]]\nname = \"inside\"\nlisten = \"unix:inside.sock\"\n\
         [[listener]]\nname = \"vpn\"\nlisten = \"{vpn}\"\n\
         [[listener]]\nname = \"keys\"\nlisten = \"unix:keys.sock\"\ndoor = \"https\"\n"
    ));
    let service = site.serve();
    let socket = format!("unix:{}", site.path("inside.sock").display());
    let refused = |error: keyreeve_client::Error| error.reason() == Some("FORBIDDEN");
    block_on(async {
        let public = site.client();
        for vault in ["near", "far"] {
            public.vault(vault).create(v1::vault::Tier::Standard).await.expect("a vault");
            public.key(&format!("{vault}/k")).create(NewKey::ed25519()).await.expect("a key");
        }
        let (inside, vpn) = (site.client_at(&socket), site.client_at(&vpn));
        // Nothing names them yet: who somebody is can be asked, and nothing else.
        for private in [&inside, &vpn] {
            private.who_am_i().await.expect("somebody");
            assert!(refused(private.key("near/k").sign("EdDSA", b"m").await.expect_err("no")));
            assert!(refused(private.vaults().await.expect_err("the service")));
        }
        let output = site.at(
            &site.grpc,
            &["vault", "network", "set", "near", "--default", "deny", "--listener", "inside"],
        );
        assert!(output.status.success(), "{output:?}");
        assert!(refused(public.key("near/k").sign("EdDSA", b"m").await.expect_err("no")));
        assert!(refused(vpn.key("near/k").sign("EdDSA", b"m").await.expect_err("no")));
        assert!(refused(inside.key("far/k").sign("EdDSA", b"m").await.expect_err("no")));
        inside.key("near/k").sign("EdDSA", b"m").await.expect("it is named");
        let stranger = Client::builder().address(&socket).token("kr_nobody").build();
        let stranger = stranger.expect("a client").who_am_i().await;
        stranger.expect_err("a socket of this machine proves nobody");
    });
    // The command line goes there too, and the log says by which door.
    let output = site.at(&socket, &["sign", "near/k", "--alg", "EdDSA", "--file", "keyreeve.toml"]);
    assert!(output.status.success(), "{output:?}");
    // Records are shown once they are under a checkpoint.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let log = site.at(&site.grpc, &["audit", "query", "--object", "near/k", "--output", "json"]);
    let log = String::from_utf8(log.stdout).expect("text");
    let peer = format!("\"peer\":\"unix:{}\"", rustix::process::getuid().as_raw());
    assert!(log.contains("\"listener\":\"inside\"") && log.contains(&peer), "{log}");
    assert!(log.contains("\"listener\":\"vpn\""), "{log}");

    assert_eq!(over_socket(&site.path("keys.sock"), "/healthz"), 200);
    assert_eq!(over_socket(&site.path("keys.sock"), "/vaults/near/.well-known/jwks.json"), 403);
    service.stop().expect("it ends");
    assert!(!site.path("inside.sock").exists(), "what nobody listens on is removed");
}

/// The status of a GET over HTTP/1.1 on a Unix socket.
fn over_socket(socket: &Path, path: &str) -> u16 {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// Guards against a wrong PIN that is tried until the token locks, that takes the
/// standard tier down, or that nobody is told of.
#[test]
fn a_wrong_pin_is_tried_once_and_waits_for_an_operator() {
    let site = Site::with(SoftHsm::spied().expect("a token"), "wrong-pin-1");
    let service = site.serve();
    block_on(async {
        let client = site.client();
        let status = client.status().await.expect("a status");
        let slot = status.processes.iter().find(|process| process.name == "hsm-a");
        assert_eq!(slot.expect("it is listed").state(), v1::process::State::NeedsOperator);
        client.vault("std").create(v1::vault::Tier::Standard).await.expect("a vault");
        let key = client.key("std/k");
        key.create(NewKey::ed25519()).await.expect("a key");
        key.sign("EdDSA", b"message").await.expect("the standard tier works");
        let premium = client.vault("hsm").create(v1::vault::Tier::Premium).await;
        let error = premium.expect_err("there is no slot now");
        assert!(!error.message().is_empty(), "{error}");
    });
    assert_eq!(site.logins(), 1, "{}", service.log());
    assert!(service.log().contains("PIN"), "{}", service.log());

    // It was not locked, and the operator's word is enough: no restart.
    secret(&site.path("pin"), keyreeve_testkit::TOKEN_PIN);
    let pid = rustix::process::Pid::from_raw(service.pid() as i32).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("sent");
    block_on(async {
        let client = site.client();
        let since = std::time::Instant::now();
        while let Err(error) = client.vault("hsm").create(v1::vault::Tier::Premium).await {
            assert!(since.elapsed().as_secs() < 20, "{error}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        client.key("hsm/k").create(NewKey::ec("P-256")).await.expect("the slot serves");
    });
}

/// Guards against a service that starts half, and against a port that is bound before
/// everything was looked at.
#[test]
fn a_missing_module_is_told_before_anything_starts() {
    let site = Site::new();
    let profile = fs::read_to_string(site.path("profile.toml")).expect("a profile");
    let module = site.token.module.display().to_string();
    fs::write(site.path("profile.toml"), profile.replace(&module, "/nowhere/module.so"))
        .expect("written");
    // Whoever binds a port that is taken says so: this must come first.
    let _taken = TcpListener::bind(&site.grpc).expect("free");
    let output = site.keyreeve(&["serve", "--config"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("slot[0].profile") && error.contains("/nowhere/module.so"), "{error}");
    assert!(!error.contains("in use"), "{error}");
}

/// Guards against a damaged store that is started on, or made anew over the old one.
#[test]
fn a_corrupt_store_is_refused_and_left_alone() {
    let site = Site::new();
    let store = site.path("data/store.redb");
    for damage in ["", "not a store at all", "redb"] {
        let content = damage.repeat(100_000);
        fs::write(&store, &content).expect("written");
        if damage.is_empty() {
            continue;
        }
        let output = site.keyreeve(&["serve", "--config"]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code != 0), "{output:?}");
        assert!(error.contains("store.redb"), "{error}");
        assert_eq!(fs::read(&store).expect("read"), content.as_bytes(), "the file was changed");
    }
}

/// A place with everything an operator prepares.
struct Site {
    token: SoftHsm,
    grpc: String,
    https: String,
    directory: TempDir,
    bearer: String,
}

/// Starts `keyreeve.toml` in `directory`, until no process of it is being restarted.
pub(crate) fn served(
    directory: &Path,
    processes: impl Fn() -> Option<Vec<v1::Process>>,
) -> Service {
    let config = directory.join("keyreeve.toml").display().to_string();
    let arguments = ["serve", "--config", &config];
    let mut service =
        Service::start(arguments, directory, directory.join("log")).expect("it starts");
    let settled = |processes: &Vec<v1::Process>| {
        processes.iter().all(|process| process.state() != v1::process::State::Restarting)
    };
    service.until(|| processes().filter(settled)).expect("it serves");
    service
}

/// What a service begins with: free ports, a data directory, certificates, a file with a
/// PIN, a root key and a token.
pub(crate) struct Ground {
    pub(crate) grpc: String,
    pub(crate) https: String,
    pub(crate) bearer: String,
    pub(crate) sha256: String,
}

impl Ground {
    pub(crate) fn lay(directory: &Path, pin: &str) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let [grpc, https] = [free(), free()].map(|found| found.expect("a port").to_string());
        fs::create_dir(directory.join("data")).expect("made");
        certificates(directory);
        secret(&directory.join("pin"), pin);
        let run = |arguments: &[&str]| {
            let mut command = Command::new(program().expect("a program"));
            let output = command.args(arguments).current_dir(directory).output().expect("run");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        run(&["root-key", "create", "root.key"]);
        let made = run(&["token", "generate"]);
        let after = |name: &str| {
            let line = made.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            line.trim().to_owned()
        };
        Self { grpc, https, bearer: after("token:"), sha256: after("sha256:") }
    }
}

impl Site {
    fn new() -> Self {
        Self::with(SoftHsm::direct().expect("a token"), keyreeve_testkit::TOKEN_PIN)
    }

    fn with(token: SoftHsm, pin: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let Ground { grpc, https, bearer, sha256 } = Ground::lay(directory.path(), pin);
        let path = |name: &str| directory.path().join(name);
        fs::write(path("profile.toml"), profile(&token)).expect("written");
        let text = format!(
            r#"
data_dir = "data"
grpc.listen = "{grpc}"
https.listen = "{https}"
tls = {{ certificate = "server.pem", key = "server.key" }}
root_key.file = "root.key"
premium.slot = "hsm-a"
log = {{ format = "json", level = "info" }}
limits = {{ connections = 64 }}

[[slot]]
name = "hsm-a"
profile = "profile.toml"
token = "{}"
pin_file = "pin"
threads = 2

[[token]]
name = "billing"
sha256 = "{sha256}"
roles = ["Owner", "Key Vault Administrator"]
"#,
            token.label
        );
        fs::write(path("keyreeve.toml"), text).expect("written");
        Self { token, grpc, https, directory, bearer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn serve(&self) -> Service {
        let status = || block_on(async { self.client().status().await.ok() });
        served(self.directory.path(), || status().map(|status| status.processes))
    }

    /// Adds to the configuration.
    fn configure(&self, more: &str) {
        let text = fs::read_to_string(self.path("keyreeve.toml")).expect("written");
        fs::write(self.path("keyreeve.toml"), format!("{text}\n{more}")).expect("written");
    }

    /// Runs the command line against `address`.
    fn at(&self, address: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program().expect("a program"));
        command.env("KEYREEVE_ADDR", address).env("KEYREEVE_TOKEN", &self.bearer);
        command.env("KEYREEVE_CACERT", self.path("ca.pem")).current_dir(&self.directory);
        command.args(arguments).output().expect("run")
    }

    fn keyreeve(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program().expect("a program"));
        command.args(arguments).arg("keyreeve.toml").current_dir(&self.directory);
        command.output().expect("run")
    }

    fn client(&self) -> Client {
        self.client_at(&self.grpc)
    }

    fn client_at(&self, address: &str) -> Client {
        Client::builder()
            .address(address)
            .ca_certificate_file(self.path("ca.pem"))
            .token(&self.bearer)
            .build()
            .expect("a client")
    }

    /// How often the module was asked to log in.
    fn logins(&self) -> usize {
        let log = fs::read_to_string(self.token.spy_log()).expect("the spy wrote");
        log.lines().filter(|line| line.ends_with("C_Login")).count()
    }
}

/// The shipped profile with this token's paths.
pub(crate) fn profile(token: &SoftHsm) -> String {
    let shipped = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("hsm-config/softhsm2/profile.toml"),
    );
    let mut profile: toml::Table = shipped.expect("a profile").parse().expect("TOML");
    let list = |paths: &[PathBuf]| -> toml::Value {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().into()
    };
    profile["module"] = list(std::slice::from_ref(&token.module));
    let environment =
        token.environment.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    profile["environment"] = toml::Value::Table(environment.collect());
    let mut write = token.write.clone();
    write.extend(token.spy_log().parent().map(Path::to_owned));
    profile["sandbox"] = toml::toml! { read = [] write = [] }.into();
    profile["sandbox"]["read"] = list(&[&token.read[..], &["/usr/lib".into()]].concat());
    profile["sandbox"]["write"] = list(&write);
    profile.to_string()
}

/// An authority, and a certificate from it for this machine.
pub(crate) fn certificates(directory: &Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca = params.self_signed(&ca_key).expect("a certificate");
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names).expect("names").signed_by(&key, &issuer);
    fs::write(directory.join("ca.pem"), ca.pem()).expect("written");
    fs::write(directory.join("server.pem"), server.expect("a certificate").pem()).expect("written");
    secret(&directory.join("server.key"), &key.serialize_pem());
}

pub(crate) fn secret(path: &Path, content: &str) {
    fs::write(path, content).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("private");
}
