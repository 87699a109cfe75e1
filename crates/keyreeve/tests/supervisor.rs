//! The supervisor with real processes: what dies or hangs is started anew, and what
//! is told to end ends.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const KEYREEVE: &str = env!("CARGO_BIN_EXE_keyreeve");
/// A slow machine's start, with a SoftHSM token to be made.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `keyreeve dev`.
struct Service {
    supervisor: Child,
    dir: TempDir,
}

impl Service {
    fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"))
    }

    fn start_in(dir: TempDir) -> Self {
        let supervisor = Command::new(KEYREEVE)
            .args(["dev", "--grpc-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        let service = Self { supervisor, dir };
        eventually("the service is ready", || service.env_file().exists());
        service
    }

    fn env_file(&self) -> std::path::PathBuf {
        self.dir.path().join("dev.env")
    }

    fn keyreeve(&self, args: &[&str]) -> Output {
        let text = fs::read_to_string(self.env_file()).unwrap_or_default();
        let environment: BTreeMap<_, _> = text.lines().filter_map(|l| l.split_once('=')).collect();
        Command::new(KEYREEVE).args(args).envs(environment).output().expect("run")
    }

    /// The process id of `front` or a keyhost, if it serves.
    fn serving(&self, name: &str) -> Option<i64> {
        let output = self.keyreeve(&["status", "--output", "json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        let processes = status["processes"].as_array()?;
        let process = processes.iter().find(|process| process["name"] == name)?;
        (process["state"] == "SERVING").then(|| process["pid"].as_i64())?
    }

    fn signal(pid: i64, signal: &str) {
        let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("run");
        assert!(sent.success());
    }

    fn can_sign(&self) -> bool {
        self.keyreeve(&["sign", "dev/k", "--alg", "ES256", "--digest", &"00".repeat(32)])
            .status
            .success()
    }

    fn make_key(&self) {
        let made = self.keyreeve(&["key", "create", "dev/k", "--kty", "EC", "--crv", "P-256"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn end(mut self) -> (Option<i32>, TempDir) {
        Self::signal(self.supervisor.id().into(), "-TERM");
        let code = self.supervisor.wait().expect("ended").code();
        let unused = tempfile::tempdir().expect("a directory");
        (code, std::mem::replace(&mut self.dir, unused))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.supervisor.kill();
        let _ = self.supervisor.wait();
    }
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "after {PATIENCE:?} still not so: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn is_alive(pid: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Guards against a keyhost that dies or hangs and takes the service with it, or
/// that stays down.
#[test]
fn a_keyhost_that_dies_or_hangs_is_started_anew() {
    let service = Service::start();
    service.make_key();
    let front = service.serving("front").expect("a front");
    for signal in ["-KILL", "-STOP"] {
        let before = service.serving("software").expect("a keyhost");
        Service::signal(before, signal);
        eventually("another keyhost serves", || {
            service.serving("software").is_some_and(|now| now != before)
        });
        eventually("keys can be used again", || service.can_sign());
        assert!(!is_alive(before), "{signal}: two keyhosts");
    }
    assert_eq!(service.serving("front"), Some(front), "the front died with its keyhost");
    assert_eq!(service.end().0, Some(0));
}

/// Guards against a front that stays down, and one that gets answers meant for the
/// one before it.
#[test]
fn a_front_that_dies_is_started_anew_with_new_keyhosts() {
    let service = Service::start();
    service.make_key();
    let (front, keyhost) =
        (service.serving("front").expect("a front"), service.serving("software").expect("one"));
    Service::signal(front, "-KILL");
    eventually("another front serves", || service.serving("front").is_some_and(|now| now != front));
    eventually("keys can be used again", || service.can_sign());
    assert_ne!(service.serving("software"), Some(keyhost));
    eventually("dev.env names the new front", || {
        let now = service.serving("front").unwrap_or_default();
        fs::read_to_string(service.env_file()).is_ok_and(|t| t.contains(&format!("PID={now}")))
    });
    assert_eq!(service.end().0, Some(0));
}

/// Guards against processes that outlive their supervisor and keep the store, and
/// against lost keys.
#[test]
fn everything_ends_with_the_supervisor_and_starts_again_with_its_keys() {
    let service = Service::start();
    service.make_key();
    let processes = ["front", "software"].map(|name| service.serving(name).expect("serving"));
    Service::signal(service.supervisor.id().into(), "-KILL");
    eventually("nothing is left", || !processes.iter().any(|pid| is_alive(*pid)));

    let mut service = service;
    service.supervisor.wait().expect("ended");
    let unused = tempfile::tempdir().expect("a directory");
    let dir = std::mem::replace(&mut service.dir, unused);
    let _ = fs::remove_file(dir.path().join("dev.env"));
    let service = Service::start_in(dir);
    eventually("keys can be used again", || service.can_sign());

    let (code, dir) = service.end();
    assert_eq!(code, Some(0));
    assert!(!dir.path().join("dev.env").exists(), "dev.env of a service that is gone");
}

/// Guards against two services on one store.
#[test]
fn a_second_service_on_the_same_directory_is_refused() {
    let service = Service::start();
    let second = second(service.dir.path());
    assert_eq!(second.status.code(), Some(2));
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("another service is running on"), "{text}");
    assert!(service.env_file().exists());
    assert!(service.serving("software").is_some());
}

fn second(dir: &Path) -> Output {
    Command::new(KEYREEVE)
        .args(["dev", "--grpc-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(dir)
        .output()
        .expect("run")
}

/// Guards against a front that hangs, holds every connection, and is left to it
/// because it has not died.
#[test]
fn a_front_that_hangs_is_started_anew() {
    let service = Service::start();
    service.make_key();
    let before = service.serving("front").expect("a front");
    Service::signal(before, "-STOP");
    eventually("another front serves", || {
        service.serving("front").is_some_and(|now| now != before)
    });
    eventually("keys can be used again", || service.can_sign());
    assert!(!is_alive(before), "two fronts");
}
