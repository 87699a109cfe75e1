//! What a wrong configuration is answered with.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use tempfile::TempDir;

use super::*;

/// A directory in which everything that [`GOOD`] names is in order.
struct Place {
    dir: TempDir,
}

/// Guards against two listeners that network rules cannot tell apart, and against one
/// that cannot be opened being found after the start.
#[test]
fn private_listeners_are_named_once_and_lie_where_they_can() {
    let place = Place::new();
    let with = |listeners: &str| place.check(&format!("{GOOD}\n{listeners}"));
    let good = with(
        "[[listener]]\nname = \"inside\"\nlisten = \"unix:data/in.sock\"\n\
         [[listener]]\nname = \"vpn\"\nlisten = \"10.0.0.1:7445\"\ndoor = \"https\"",
    );
    let good = good.expect("they are in order").listeners;
    assert_eq!(good[0].at, super::Place::Unix(place.path("data/in.sock")));
    assert_eq!(good[1].door, Door::Https);
    for (listener, wrong) in [
        ("name = \"grpc\"\nlisten = \"127.0.0.1:0\"", "listener[0].name"),
        ("name = \"a_b\"\nlisten = \"127.0.0.1:0\"", "listener[0].name"),
        ("name = \"a\"\nlisten = \"127.0.0.1:7443\"", "listener[0].listen"),
        ("name = \"a\"\nlisten = \"localhost:1\"", "listener[0].listen"),
        ("name = \"a\"\nlisten = \"unix:nowhere/a.sock\"", "listener[0].listen"),
        (
            "name = \"a\"\nlisten = \"127.0.0.1:0\"\n[[listener]]\nname = \"A\"\nlisten = \"127.0.0.1:0\"",
            "listener[1].name",
        ),
        (
            "name = \"a\"\nlisten = \"unix:s\"\n[[listener]]\nname = \"b\"\nlisten = \"unix:s\"",
            "listener[1].listen",
        ),
    ] {
        let report = with(&format!("[[listener]]\n{listener}")).expect_err(listener);
        assert!(report.contains(wrong), "{listener}: {report}");
    }
}

const GOOD: &str = r#"
data_dir = "data"
[tls]
certificate = "server.pem"
key = "server.key"
[root_key]
file = "root.key"
[[token]]
name = "app"
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"
"#;

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let place = Self { dir };
        fs::create_dir(place.path("data")).expect("made");
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
            .and_then(|params| params.self_signed(&key))
            .expect("a certificate");
        place.write("server.pem", &certificate.pem());
        place.write("server.key", &key.serialize_pem());
        place.write("root.key", "not looked into");
        place.write("pin", "1234");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
        self.chmod(name, 0o600);
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("chmod");
    }

    fn check(&self, text: &str) -> Result<Checked, String> {
        let path = self.path("keyreeve.toml");
        fs::write(&path, text).expect("written");
        Config::load(&path).map_err(|report| {
            report.to_string().replace(&self.dir.path().display().to_string(), "DIR")
        })
    }

    fn problem(&self, text: &str) -> String {
        self.check(text).expect_err("a problem")
    }
}

/// Guards against a field without a usable default, and paths that depend on where
/// the service is started from.
#[test]
fn a_short_configuration_is_enough() {
    let place = Place::new();
    let config = place.check(GOOD).expect("a good configuration");
    assert_eq!(config.grpc.to_string(), "127.0.0.1:7443");
    assert_eq!(config.https.to_string(), "127.0.0.1:7444");
    assert_eq!(config.data_dir, place.path("data"));
    assert!(config.front_threads >= 1 && config.software_threads >= 1);
    assert!(!config.allow_rsa1_5);
    assert_eq!(config.tokens[0].sha256[31], 1);
    assert_eq!(config.tokens[0].roles, [], "a token that is given nothing holds nothing");
}

/// Guards against a misspelt protection that is taken for "not set".
#[test]
fn unknown_fields_are_refused_at_every_level() {
    let place = Place::new();
    for extra in [
        "[grpc]\nlisten = '127.0.0.1:1'\ntls = true",
        "[https]\nlisten = '127.0.0.1:1'\nport = 1",
        "[front]\nthread = 1",
        "[software]\nthread = 1",
        "[limits]\nmax_connections = 1",
        "[log]\ncolour = true",
        "[metrics]\npublic = true",
        "[telemetry]\nendpoint = 'x'",
        "[premium]\nslot = 'a'\nname = 'b'",
        "[nonsense]",
    ] {
        let problem = place.problem(&format!("{GOOD}\n{extra}\n"));
        assert!(problem.contains("unknown field"), "{extra}: {problem}");
    }
}

/// Guards against a problem that is reported under another field, or not at all.
#[test]
fn each_wrong_value_is_reported_under_its_field() {
    let place = Place::new();
    let with = |extra: &str| place.problem(&format!("{GOOD}\n{extra}\n"));
    for (extra, field) in [
        ("[grpc]\nlisten = 'localhost:1'", "grpc.listen:"),
        ("[https]\nlisten = '127.0.0.1'", "https.listen:"),
        ("[grpc]\nlisten = '[::1]:5'\n[https]\nlisten = '[::1]:5'", "https.listen:"),
        ("[front]\nthreads = 0", "front.threads:"),
        ("[software]\nthreads = 33", "software.threads:"),
        ("[software]\ncall_limit_ms = 499", "software.call_limit_ms:"),
        ("[software]\ncall_limit_ms = 60001", "software.call_limit_ms:"),
        ("[limits]\nconnections = 0", "limits.connections:"),
        ("[limits]\ncalls_per_connection = 0", "limits.calls_per_connection:"),
        ("[limits]\nhandshake_ms = 1", "limits.handshake_ms:"),
        ("[limits]\nkeepalive_ms = 1", "limits.keepalive_ms:"),
        ("[limits]\ndrain_ms = 600001", "limits.drain_ms:"),
        ("[limits]\nconnections_per_address = 0", "limits.connections_per_address:"),
        ("[limits]\nprincipal_cpu_ms = 0", "limits.principal_cpu_ms:"),
        ("[limits]\nvault_cpu_ms = 1000001", "limits.vault_cpu_ms:"),
        ("[limits]\nburst_s = 0", "limits.burst_s:"),
        ("[telemetry]\notlp = 'http://127.0.0.1:4317'", "telemetry.otlp:"),
        ("[telemetry]\notlp = 'collector:4317'", "telemetry.otlp:"),
        ("[telemetry]\notlp = 'https://c.example/x'", "telemetry.otlp:"),
        ("[telemetry]\nca = 'absent.pem'", "telemetry.ca:"),
        ("[telemetry]\naudit = true", "telemetry.audit:"),
        ("[telemetry]\notlp = '192.0.2.1:4317'\naudit = true", "telemetry.audit:"),
        ("[telemetry]\notlp = '127.0.0.1:1'\naudit_within_s = 60", "telemetry.audit_within_s:"),
        ("[telemetry]\nsample = 1.5", "telemetry.sample:"),
        ("[log]\nlevel = 'a=b=c'", "log.level:"),
        ("[premium]\nslot = 'hsm'", "premium.slot:"),
        ("[premium]\ngroup = 'hsm'", "premium.group:"),
        ("[premium]", "premium:"),
        ("[[group]]\nname = 'a b'\nslots = []", "group[0].name:"),
        ("[[group]]\nname = 'a'\nslots = []", "group[0].slots:"),
        ("[[group]]\nname = 'a'\nslots = ['hsm']", "group[0].slots:"),
        ("[[group]]\nname = 'a'\nslots = ['hsm']\nmin_replicas = 2", "group[0].min_replicas:"),
        ("[[remote_slot]]\nname = 'front'\ngate = { unix = 'a' }", "remote_slot[0].name:"),
        (
            "[[remote_slot]]\nname = 'a'\ngate = { unix = 'a' }\nkeyhosts = 17",
            "remote_slot[0].keyhosts:",
        ),
        (
            "[[remote_slot]]\nname = 'a'\ngate = { address = 'a', ca = 'server.pem', \
             certificate = 'server.pem', key = 'server.key' }",
            "remote_slot[0].gate.address:",
        ),
        ("[[token]]\nname = 'a b'\nsha256 = '02'", "token[1].name:"),
        ("[[token]]\nname = 'a'\nsha256 = 'kr_secret'", "token[1].sha256:"),
        ("[[token]]\nname = 'a'\nsha256 = '02'\nroles = ['owner', 'Root']", "token[1].roles[1]:"),
        (
            "[[token]]\nname = 'a'\nsha256 = '02'\nroles = ['Owner', \
             '8e3af657-a8ff-443c-a75c-2fe8c4bcb635']",
            "token[1].roles[1]:",
        ),
        ("[[slot]]\nname = 'software'\nprofile = 'x'\npin_file = 'pin'", "slot[0].name:"),
        ("[[slot]]\nname = 'hsm'\nprofile = 'none.toml'\npin_file = 'pin'", "slot[0].profile:"),
        ("[[slot]]\nname = 'hsm'\nprofile = 'x'\npin_file = 'no'", "slot[0].pin_file:"),
    ] {
        let problem = with(extra);
        assert!(problem.contains(&format!("\n  {field}")), "{extra}: {problem}");
    }
}

/// Guards against a slot that is in no group, or in two, and against a key that is handed
/// out before a second slot can use it.
#[test]
fn every_slot_is_in_one_group() {
    let place = Place::new();
    let slots = ["a", "b", "c"]
        .map(|name| format!("[[remote_slot]]\nname = '{name}'\ngate = {{ unix = '{name}' }}\n"));
    let with = |extra: &str| format!("{GOOD}\n{}\n{extra}\n", slots.concat());
    let config =
        place.check(&with("[[group]]\nname = 'g'\nslots = ['B', 'a']\n[premium]\ngroup = 'G'"));
    let config = config.expect("a good configuration");
    let groups: Vec<_> = config
        .groups
        .iter()
        .map(|group| (group.name.folded(), group.slots.len(), group.min_replicas))
        .collect();
    assert_eq!(groups, [("g", 2, 2), ("c", 1, 1)]);
    assert_eq!(config.premium.map(|name| name.folded().to_owned()).as_deref(), Some("g"));
    let keyhosts: Vec<_> = config.groups[0].slots.iter().map(|slot| slot.folded()).collect();
    assert_eq!(keyhosts, ["b", "a"]);
    for (extra, problem) in [
        ("[[group]]\nname = 'g'\nslots = ['a', 'A']", "group[0].slots: slot `a` is listed twice"),
        (
            "[[group]]\nname = 'g'\nslots = ['a']\n[[group]]\nname = 'G'\nslots = ['b']",
            "group[1].name: `G` is used twice",
        ),
        ("[[group]]\nname = 'a'\nslots = ['b']", "has the name of a slot that is not in it"),
        ("[premium]\ngroup = 'g'\nslot = 'a'", "premium: takes either"),
    ] {
        let found = place.problem(&with(extra));
        assert!(found.contains(problem), "{extra}: {found}");
    }
}

/// Guards against a token that lands in a log because somebody put it where its
/// hash belongs.
#[test]
fn a_token_in_place_of_its_hash_is_not_repeated() {
    let place = Place::new();
    let problem = place.problem(&format!("{GOOD}\n[[token]]\nname='a'\nsha256='kr_secret'\n"));
    assert!(!problem.contains("kr_secret"), "{problem}");
}

/// Guards against secrets that others can read.
#[test]
fn secrets_that_others_can_read_are_refused() {
    let place = Place::new();
    for (file, field) in [("server.key", "tls.key"), ("root.key", "root_key.file")] {
        for mode in [0o640, 0o604, 0o620] {
            place.chmod(file, mode);
            let problem = place.problem(GOOD);
            assert!(problem.contains(&format!("{field}: DIR/{file} has mode")), "{problem}");
        }
        place.chmod(file, 0o400);
        assert!(place.check(GOOD).is_ok(), "{file}");
    }
}

/// Guards against secrets where a front that was taken over could read them, also
/// by way of a link.
#[test]
fn secrets_in_the_data_directory_are_refused() {
    let place = Place::new();
    for (name, field) in [("server.key", "tls.key"), ("root.key", "root_key.file")] {
        let inside = format!("data/{name}");
        fs::rename(place.path(name), place.path(&inside)).expect("moved");
        let moved = GOOD.replace(&format!("\"{name}\""), &format!("\"{inside}\""));
        let problem = place.problem(&moved);
        assert!(
            problem.contains(&format!("{field}: DIR/{inside} lies inside data_dir")),
            "{problem}"
        );
        std::os::unix::fs::symlink(place.path(&inside), place.path(name)).expect("linked");
        let problem = place.problem(GOOD);
        assert!(
            problem.contains(&format!("{field}: DIR/{name} lies inside data_dir")),
            "{problem}"
        );
        fs::remove_file(place.path(name)).expect("removed");
        fs::rename(place.path(&inside), place.path(name)).expect("moved back");
    }
    place.write("data/pin", "1234");
    let slot = "[[slot]]\nname = 'hsm'\nprofile = 'none.toml'\npin_file = 'data/pin'";
    let problem = place.problem(&format!("{GOOD}\n{slot}\n"));
    assert!(problem.contains("slot[0].pin_file: DIR/data/pin lies inside data_dir"), "{problem}");
    assert!(place.check(GOOD).is_ok());
}

/// Guards against a front that was taken over and deletes a token that lies on disk,
/// or gives its keyhost another module, profile or configuration of one.
#[test]
fn what_a_keyhost_trusts_is_not_in_the_data_directory() {
    let place = Place::new();
    for name in ["module.so", "softhsm2.conf", "data/module.so", "data/softhsm2.conf"] {
        place.write(name, "not looked into");
    }
    for name in ["tokens", "data/tokens"] {
        fs::create_dir(place.path(name)).expect("made");
    }
    std::os::unix::fs::symlink(place.path("data/tokens"), place.path("link")).expect("linked");
    let check = |profile: &str, module: &str, read: &str, write: &str| {
        let [module, read, write] = [module, read, write].map(|name| place.path(name));
        place.write(
            profile,
            &format!(
                "name = 'x'\nmodule = [{module:?}]\n\
                 [sandbox]\nread = [{read:?}]\nwrite = [{write:?}]"
            ),
        );
        let slot =
            format!("[[slot]]\nname = 'hsm'\ntoken = 'x'\nprofile = '{profile}'\npin_file = 'pin'");
        place.check(&format!("{GOOD}\n{slot}\n")).map(|_| ())
    };
    let (module, read, write) = ("module.so", "softhsm2.conf", "tokens");
    assert_eq!(check("profile.toml", module, read, write), Ok(()));
    for (checked, field, at) in [
        (check("data/profile.toml", module, read, write), "profile", "data/profile.toml"),
        (check("profile.toml", "data/module.so", read, write), "profile: module", "data/module.so"),
        (
            check("profile.toml", module, "data/softhsm2.conf", write),
            "profile: sandbox.read",
            "data/softhsm2.conf",
        ),
        (
            check("profile.toml", module, read, "data/tokens"),
            "profile: sandbox.write",
            "data/tokens",
        ),
        (check("profile.toml", module, read, "link"), "profile: sandbox.write", "link"),
        (check("profile.toml", module, read, "data/later"), "profile: sandbox.write", "data/later"),
    ] {
        let problem = checked.expect_err(at);
        let line = format!("\n  slot[0].{field}: DIR/{at} lies inside data_dir");
        assert!(problem.contains(&line), "{problem}");
        assert!(problem.contains(": 1 problem,"), "{problem}");
    }
}

/// Guards against a service that starts and then fails every handshake.
#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let place = Place::new();
    let other = rcgen::KeyPair::generate().expect("a key");
    place.write("server.key", &other.serialize_pem());
    assert!(place.problem(GOOD).contains("tls.key: DIR/server.key does not go with"));
    place.write("server.key", "nonsense");
    assert!(place.problem(GOOD).contains("tls.key: DIR/server.key holds no PEM private key"));
}

/// Guards against a service whose certificate no client accepts.
#[test]
fn an_expired_certificate_is_refused() {
    let place = Place::new();
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    place.write("server.pem", &params.self_signed(&key).expect("a certificate").pem());
    place.write("server.key", &key.serialize_pem());
    assert!(place.problem(GOOD).contains("tls.certificate: DIR/server.pem expired"));
}

/// Guards against an operator who mends one problem at a time, start after start.
/// The text is what they see: change it here when it gets better.
#[test]
fn all_problems_are_reported_together() {
    let place = Place::new();
    place.chmod("root.key", 0o644);
    let text = GOOD.replace("\"data\"", "\"nowhere\"").replace("0001\"", "00\"");
    let problem = place.problem(&format!("{text}\n[grpc]\nlisten = 'host:1'\n"));
    assert_eq!(
        problem,
        "DIR/keyreeve.toml: 4 problems, nothing was started
  data_dir: DIR/nowhere: No such file or directory (os error 2)
    → make the directory, owned by the service's user, mode 0700
  grpc.listen: `host:1` is not an IP address with a port
    → write it as 127.0.0.1:7443 or [::1]:7443; a host name does not do
  root_key.file: DIR/root.key has mode 0644: others can read or change a secret
    → run `chmod 600 DIR/root.key`; if others could read it, replace the secret
  token[0].sha256: is not 64 hex digits
    → use the sha256 that `keyreeve token generate` prints, not the token"
    );
}

/// Guards against a field that nobody can know of.
#[test]
fn every_field_is_in_the_documentation() {
    let page = include_str!("../../../../docs/configuration.md");
    for field in [
        "data_dir",
        "allow_rsa1_5",
        "[grpc]",
        "[https]",
        "listen",
        "[tls]",
        "certificate",
        "key",
        "[root_key]",
        "file",
        "[front]",
        "[software]",
        "threads",
        "call_limit_ms",
        "[[slot]]",
        "name",
        "profile",
        "token",
        "pin_file",
        "keyhosts",
        "[[remote_slot]]",
        "gate",
        "[[group]]",
        "slots",
        "keys",
        "min_replicas",
        "[premium]",
        "group",
        "slot",
        "[[token]]",
        "sha256",
        "[limits]",
        "connections",
        "calls_per_connection",
        "handshake_ms",
        "keepalive_ms",
        "drain_ms",
        "[log]",
        "format",
        "level",
    ] {
        assert!(page.contains(&format!("`{field}`")), "docs/configuration.md lacks `{field}`");
    }
}
