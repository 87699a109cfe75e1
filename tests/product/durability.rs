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

use keyreeve_client::{Client, KeyUpdate, NewKey};
use keyreeve_testkit::Keyreeve;
use tokio::task::JoinSet;
use tonic::Code;

use crate::caller::{block_on, client};

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

/// Guards against a full disk that stops reading and signing, that is told as anything
/// but what it is, or that costs what was acknowledged before.
#[test]
fn a_full_disk_stops_writes_and_nothing_else() {
    let disk = SmallDisk::mount();
    let service = Keyreeve::start_in(tempfile::tempdir_in(disk.path()).expect("a directory"));
    let service = service.expect("a service");
    let filler = disk.path().join("filler");
    let mut written = Written::new();
    block_on(async {
        let client = client(&service);
        written.insert("before".to_owned(), create(&client, "dev/before").await.expect("made"));
        disk.fill(&filler);
        // What the store has set aside already still takes some.
        let refused = loop {
            let name = format!("full-{}", written.len());
            match create(&client, &format!("dev/{name}")).await {
                Ok(key) => written.insert(name, key),
                Err(error) => break error,
            };
            assert!(written.len() < 100_000, "the disk is not full");
        };
        eprintln!("after {} keys: {refused}", written.len());
        let told = [Some(Code::ResourceExhausted), Some(Code::Unavailable)];
        assert!(told.contains(&refused.code()), "{refused:?}");
        assert!(refused.message().contains("store"), "{refused}");
        assert!(refused.next_step().contains("operator"), "{refused}");

        let key = client.key("dev/before");
        key.sign("ES256", b"message").await.expect("signing needs no disk");
        key.get().await.expect("nor does reading");
        assert!(create(&client, "dev/again").await.is_err(), "the disk is full");
        client.status().await.expect("nor does asking how it is");

        fs::remove_file(&filler).expect("removed");
        let since = Instant::now();
        let made = loop {
            match create(&client, "dev/after").await {
                Ok(key) => break Some(key),
                Err(_) if since.elapsed() < Duration::from_secs(10) => {}
                Err(error) => {
                    eprintln!("it needs a new start: {error}");
                    break None;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        written.extend(made.map(|key| ("after".to_owned(), key)));
    });
    block_on(check(&service, &written));
    let service = Keyreeve::start_in(service.kill().expect("it ran")).expect("it starts again");
    block_on(check(&service, &written));
    block_on(async { create(&client(&service), "dev/last").await }).expect("there is room");
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

/// A file system of a few megabytes in memory.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(directory.path());
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
