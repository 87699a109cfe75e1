//! The promise that no byte of a private key is ever in the process that talks to
//! the network, nor in a file, a log or a core file: held against the running
//! product by looking.
//!
//! The test imports keys that it knows, uses them in every way, and then reads the
//! front's whole memory and every file. It believes a search that found nothing only
//! because the same search finds decoys that it planted in the same places.

mod keys;
mod needles;
mod places;
mod traffic;

use std::{fs, path::Path, process::Command, thread};

use keyreeve_client::{Client, KeyUpdate};
use keyreeve_testkit::Keyreeve;
use keys::{Known, random};
use needles::Needles;

/// Operations, over this many connections.
const OPERATIONS: usize = 10_000;
const CONNECTIONS: usize = 6;

/// Guards against a private byte outside the keyhost that holds it: one stray copy in
/// a parser, a buffer, an error message or a file breaks what the product is for.
#[test]
fn no_private_byte_leaves_the_keyhost() {
    let service = Keyreeve::start().expect("a service");
    let imported = keys::make();
    let decoy = Decoy::new();
    let done = use_keys(&service, &imported, &decoy);
    assert!(done >= OPERATIONS, "{done} operations");

    // 1. Decoys where the search will look: a tag's value is in the front's registry;
    //    one file and the log get the others.
    let text = |bytes: &[u8]| hex::encode(bytes);
    fs::write(service.data_dir().join("data/decoy"), text(&decoy.in_file)).expect("written");
    let log = service.service().log() + &text(&decoy.in_log) + "\n";
    fs::write(service.log_file(), log).expect("written");
    let private = imported.iter().flat_map(|key| &key.private);
    let private: Vec<_> = private.map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let needles = Needles::new(private.iter().copied().chain(decoy.needles()));
    assert!(needles.len() > 1000, "{} needles", needles.len());

    // 2. The front's memory: the decoy, and nothing else.
    let front = places::memory(service.front(), &needles);
    assert!(front.closed.is_empty(), "the front has memory that was not seen: {front:?}");
    assert!(front.bytes > 1 << 20, "{} bytes of memory were read", front.bytes);
    only(&front.found, "decoy tag", "the front's memory");

    // 3. The files: data directory, log, and what else the service wrote.
    let files = places::files(service.directory(), &needles);
    let (in_log, in_data): (Vec<_>, Vec<_>) =
        files.found.into_iter().partition(|found| found.ends_with("/log"));
    only(&in_log, "decoy log", "the log");
    let (tag, in_data): (Vec<_>, Vec<_>) =
        in_data.into_iter().partition(|found| found.starts_with("decoy tag"));
    only(&tag, "decoy tag", "the store");
    only(&in_data, "decoy file", "the data directory");

    // 4. Core files: none there, and none possible.
    let mut processes = service.service().children().expect("children");
    processes.push(service.service().pid());
    for pid in &processes {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        let core: Vec<_> = core.unwrap_or_default().split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "process {pid} may write core files");
        let directory = fs::read_link(format!("/proc/{pid}/cwd")).expect("a directory");
        assert_eq!(core_files(&directory), Vec::<String>::new());
    }
    assert_eq!(core_files(&service.data_dir().join("data")), Vec::<String>::new());

    // 5. The same search sees a keyhost's memory: the keys are there, as they must
    //    be. The root key is not, where the kernel keeps secret memory to itself.
    let root = fs::read_to_string(service.data_dir().join("root.key")).expect("a root key");
    let root = hex::decode(root.lines().last().expect("its last line").trim()).expect("hex");
    let needles = Needles::new(private.into_iter().chain([("root key", &root[..])]));
    let keyhost = service.keyhost("software").expect("a keyhost");
    let keyhost = places::memory(keyhost, &needles);
    let (root, keys): (Vec<_>, Vec<_>) =
        keyhost.found.into_iter().partition(|found| found.starts_with("root key"));
    assert!(!keys.is_empty(), "the search is blind: open keys are in the keyhost's memory");
    let secret_memory = protections(&service, "software").contains("memfd_secret");
    if secret_memory {
        assert_eq!(root, Vec::<String>::new());
        let closed = |line: &String| line.contains("secretmem");
        assert!(keyhost.closed.iter().any(closed), "{:?}", keyhost.closed);
    }
    eprintln!(
        "{done} operations; {} needles; {} MiB of the front's memory; keyhost: {} hits of open \
         keys, secret memory: {secret_memory}",
        needles.len(),
        front.bytes >> 20,
        keys.len(),
    );
}

/// What is planted: never a key, so that finding it is no fault.
struct Decoy {
    in_tag: String,
    in_file: Vec<u8>,
    in_log: Vec<u8>,
}

impl Decoy {
    fn new() -> Self {
        Self { in_tag: hex::encode(random(32)), in_file: random(32), in_log: random(32) }
    }

    fn needles(&self) -> [(&str, &[u8]); 3] {
        let Self { in_tag, in_file, in_log } = self;
        [("decoy tag", in_tag.as_bytes()), ("decoy file", in_file), ("decoy log", in_log)]
    }
}

fn use_keys(service: &Keyreeve, imported: &[Known], decoy: &Decoy) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let first = connect(service);
        for key in imported {
            keys::import(&first, key).await;
        }
        let tagged = first.key("dev/ec-jwk");
        tagged.update(KeyUpdate::new().tags([("decoy", &decoy.in_tag[..])])).await.expect("tagged");
    });
    drop(runtime);
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let run = async { traffic::run(&connect(service), OPERATIONS / CONNECTIONS + 1).await };
        runtime.expect("a runtime").block_on(run)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no operation failed")).sum()
    })
}

fn connect(service: &Keyreeve) -> Client {
    Client::builder()
        .address(service.setting("KEYREEVE_ADDR"))
        .ca_certificate_file(service.setting("KEYREEVE_CACERT"))
        .token(service.setting("KEYREEVE_TOKEN"))
        .deadline(std::time::Duration::from_secs(60))
        .build()
        .expect("a client")
}

/// At least one thing was found, and nothing but the decoy.
fn only(found: &[String], decoy: &str, place: &str) {
    assert!(found.iter().any(|found| found.starts_with(decoy)), "void: no {decoy} in {place}");
    let other: Vec<_> = found.iter().filter(|found| !found.starts_with(decoy)).collect();
    assert!(other.is_empty(), "private bytes in {place}: {other:#?}");
}

fn core_files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name == "core" || name.starts_with("core.")).collect()
}

/// The names of what is in force in a process, as the service reports it.
fn protections(service: &Keyreeve, process: &str) -> String {
    let mut status: Command = service.command();
    let output = status.args(["status", "--output", "json"]).output().expect("run");
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let processes = status["processes"].as_array().expect("processes");
    let process = processes.iter().find(|found| found["name"] == process).expect("it is listed");
    let protections = process["protections"].as_array().expect("protections").iter();
    let in_force = protections.filter(|protection| protection["inForce"] == true);
    let names: Vec<_> = in_force.filter_map(|protection| protection["name"].as_str()).collect();
    names.join(" ")
}
