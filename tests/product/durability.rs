//! What was acknowledged stays: through the death of every process at once, and
//! through a disk that fills up.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use keyreeve_client::{Client, KeyUpdate, NewKey, v1::audit_log};
use keyreeve_testkit::Keyreeve;
use tokio::task::JoinSet;
use tonic::Code;

use crate::caller::{block_on, client, get};

const WRITERS: usize = 4;

/// What the service has acknowledged: of each key its versions and the last tag.
type Written = BTreeMap<String, Key>;

#[derive(Debug, Default, Clone)]
struct Key {
    versions: Vec<String>,
    /// Written in ascending order.
    tag: u64,
}

/// Guards against an answer that comes before the change is on disk, and against a
/// store that a crash leaves unreadable. 100 times; more with KEYREEVE_KILLS.
#[test]
fn nothing_acknowledged_is_lost_when_everything_is_killed() {
    let kills = env::var("KEYREEVE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let started = Instant::now();
    let mut service = Keyreeve::start().expect("a service");
    let mut written = Written::new();
    let mut acknowledged = 0;
    for cycle in 0..kills {
        // Not always at the same point of a write.
        let time = Duration::from_micros(60_000 + (cycle * 7919) % 60_000);
        let connected = Connection::of(&service);
        let (now, directory) = thread::scope(|scope| {
            let writers = scope.spawn(|| block_on(write_until_it_fails(connected, cycle)));
            thread::sleep(time);
            let directory = service.kill().expect("it ran");
            (writers.join().expect("writers"), directory)
        });
        acknowledged += now.values().map(Key::writes).sum::<u64>();
        service = Keyreeve::start_in(directory).expect("it starts again");
        block_on(check(&service, &now));
        written.extend(now);
    }
    block_on(check(&service, &written));
    let time = started.elapsed();
    eprintln!(
        "{kills} kills, {acknowledged} acknowledged writes to {} keys, none lost; {:?} a cycle",
        written.len(),
        time / u32::try_from(kills).expect("not so many"),
    );
    assert!(acknowledged > kills, "too few writes to prove anything");
}

/// Guards against an answer without a record because there is no room for one, against a
/// full disk that is told as anything but what it is, that costs what was acknowledged
/// before, or that takes a person once there is room again.
#[test]
fn a_full_disk_stops_what_needs_a_record_and_heals() {
    let disk = SmallDisk::mount();
    let service = Keyreeve::start_in(tempfile::tempdir_in(disk.path()).expect("a directory"));
    let service = service.expect("a service");
    let filler = disk.path().join("filler");
    let mut written = Written::new();
    block_on(async {
        let client = client(&service);
        written.insert("before".to_owned(), create(&client, "dev/before").await.expect("made"));
        disk.fill(&filler);
        // What the log has set aside already takes some more, for a second at most.
        let impatient = impatient(&service);
        let key = impatient.key("dev/before");
        let since = Instant::now();
        let refused = loop {
            match key.sign("ES256", b"message").await {
                Ok(_) if since.elapsed() < Duration::from_secs(20) => {}
                Ok(_) => panic!("the disk is full and signatures go on"),
                Err(error) => break error,
            }
        };
        eprintln!("after {:?}: {refused}", since.elapsed());
        assert_eq!(refused.code(), Some(Code::Unavailable), "{refused:?}");
        assert_eq!(refused.reason(), Some("AUDIT_UNAVAILABLE"), "{refused:?}");
        assert!(create(&impatient, "dev/again").await.is_err(), "nothing is made either");
        // What needs no record goes on, and says what is wrong.
        let status = impatient.status().await.expect("how it is can be asked");
        let log = status.audit_log.expect("there is one");
        assert_eq!(log.state(), audit_log::State::Stopped, "{log:?}");
        assert!(log.detail.contains("audit log has stopped"), "{log:?}");
        let public = |path| {
            get(service.setting("KEYREEVE_HTTPS_URL"), service.setting("KEYREEVE_CACERT"), path, "")
        };
        assert_eq!(public("/vaults/dev/.well-known/jwks.json").status, 200);
        let health = public("/readyz");
        assert!(health.status == 503 && health.body.contains("stopped"), "{}", health.body);

        fs::remove_file(&filler).expect("removed");
        let since = Instant::now();
        let made = loop {
            match create(&impatient, "dev/after").await {
                Ok(key) => break key,
                Err(error) => assert!(since.elapsed() < Duration::from_secs(30), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        eprintln!("it goes on {:?} after there is room", since.elapsed());
        written.insert("after".to_owned(), made);
    });
    block_on(check(&service, &written));
    let service = Keyreeve::start_in(service.kill().expect("it ran")).expect("it starts again");
    block_on(check(&service, &written));
    block_on(async { create(&client(&service), "dev/last").await }).expect("there is room");
    let directory = service.stop().expect("it ends");
    crate::audit::verified(&directory.path().join("dev"));
}

/// A client that does not wait for the service to heal.
fn impatient(service: &Keyreeve) -> Client {
    let settings = |name| service.setting(name).to_owned();
    let builder = Client::builder().address(settings("KEYREEVE_ADDR"));
    let builder = builder.ca_certificate_file(settings("KEYREEVE_CACERT"));
    let builder = builder.token(settings("KEYREEVE_TOKEN")).deadline(Duration::from_millis(900));
    builder.build().expect("a client")
}

impl Key {
    fn writes(&self) -> u64 {
        self.versions.len() as u64 + self.tag
    }
}

/// A client that is made on another thread, after the service itself has moved.
struct Connection([String; 3]);

impl Connection {
    fn of(service: &Keyreeve) -> Self {
        let names = ["KEYREEVE_ADDR", "KEYREEVE_CACERT", "KEYREEVE_TOKEN"];
        Self(names.map(|name| service.setting(name).to_owned()))
    }

    fn open(self) -> Client {
        let [address, ca, token] = self.0;
        let builder = Client::builder().address(address).ca_certificate_file(ca).token(token);
        builder.deadline(Duration::from_secs(5)).build().expect("a client")
    }
}

/// Each writer makes keys, tags and rotates them, until the service is gone.
async fn write_until_it_fails(connection: Connection, cycle: u64) -> Written {
    let client = connection.open();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let client = client.clone();
        writers.spawn(async move {
            let mut written = Written::new();
            for number in 0.. {
                let name = format!("w{cycle}-{writer}-{number}");
                let Ok(key) = create(&client, &format!("dev/{name}")).await else { break };
                let entry = written.entry(name.clone()).or_insert(key);
                if change(&client, &format!("dev/{name}"), entry).await.is_err() {
                    break;
                }
            }
            written
        });
    }
    writers.join_all().await.into_iter().flatten().collect()
}

async fn create(client: &Client, name: &str) -> Result<Key, keyreeve_client::Error> {
    let made = client.key(name).create(NewKey::ec("P-256").tag("number", "0")).await?;
    Ok(Key { versions: vec![made.version_name], tag: 0 })
}

async fn change(client: &Client, name: &str, key: &mut Key) -> Result<(), keyreeve_client::Error> {
    let handle = client.key(name);
    for _ in 0..3 {
        let next = (key.tag + 1).to_string();
        handle.update(KeyUpdate::new().tags([("number", &next[..])])).await?;
        key.tag += 1;
    }
    key.versions.push(handle.rotate().await?.version_name);
    Ok(())
}

/// All that was acknowledged is there. One change more may be, of which the answer was
/// lost.
async fn check(service: &Keyreeve, written: &Written) {
    let client = client(service);
    let found = client.vault("dev").keys().await.expect("a list");
    let found: BTreeMap<_, _> =
        found.iter().map(|key| (key.name.rsplit('/').next().unwrap_or_default(), key)).collect();
    for (name, key) in written {
        let latest = found.get(&name[..]).unwrap_or_else(|| panic!("{name} is lost"));
        let tag: u64 = latest.tags["number"].parse().expect("a number");
        assert!(tag == key.tag || tag == key.tag + 1, "{name}: {tag} and not {}", key.tag);
        let versions = client.key(&format!("dev/{name}")).versions().await.expect("a list");
        let versions: Vec<_> = versions.into_iter().map(|version| version.version_name).collect();
        assert!(versions.starts_with(&key.versions), "{name}: a version is lost");
        assert!(versions.len() <= key.versions.len() + 1, "{name}: a version nobody made");
    }
    if let Some((name, key)) = written.last_key_value() {
        let version = key.versions[0].rsplit('/').next().unwrap_or_default();
        let key = client.key(&format!("dev/{name}/{version}"));
        key.sign("ES256", b"message").await.expect("the key itself is intact");
    }
}

/// A file system of some megabytes in memory.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(directory.path());
        let status = mount.status().expect("mount is there");
        assert!(status.success(), "a tmpfs cannot be mounted: run this test as root");
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// To the last byte.
    fn fill(&self, filler: &PathBuf) {
        let mut file = fs::File::create(filler).expect("made");
        for size in [1 << 16, 1 << 10, 1] {
            while std::io::Write::write_all(&mut file, &vec![1; size]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
