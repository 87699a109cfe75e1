//! Large files: identical after the way there and back, in memory that does not grow
//! with them.

use std::{
    env,
    fs::{self, File},
    io::{BufWriter, Read as _, Write as _},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use keyreeve_testkit::Keyreeve;

use crate::caller::keyreeve;

/// Most memory that a command may hold at once, in KiB.
const MOST: u64 = 64 * 1024;

/// Guards against a file that is read whole, that comes back changed, or that takes
/// more memory the longer it is. 128 MiB; 1 GiB with KEYREEVE_LONG.
#[test]
fn a_large_file_comes_back_identical_in_little_memory() {
    let service = Keyreeve::start().expect("a service");
    keyreeve(&service, &["key", "create", "dev/seal", "--kty", "oct", "--size", "256"]);
    let size: u64 = if env::var_os("KEYREEVE_LONG").is_some() { 1 << 30 } else { 128 << 20 };
    let file = service.directory().join("large");
    let written = write(&file, size);
    let sealing = peak(run(&service, &["seal", "large", "--key", "dev/seal"]));
    fs::remove_file(&file).expect("removed");
    let unsealing = peak(run(&service, &["unseal", "large.sealed"]));
    assert_eq!(fs::metadata(&file).expect("it is there").len(), size);
    assert_eq!(hash(&file), written, "the file came back changed");
    eprintln!("{} MiB: {sealing} KiB to seal, {unsealing} KiB to unseal", size >> 20);
    assert!(sealing < MOST && unsealing < MOST, "{sealing} and {unsealing} KiB");
}

fn run(service: &Keyreeve, arguments: &[&str]) -> Child {
    let mut command = service.command();
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

/// The most memory it ever held, in KiB. The kernel keeps count; the last look is at
/// most two milliseconds before the end.
fn peak(mut child: Child) -> u64 {
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(count) = line.and_then(|line| line.split_whitespace().next()) {
            peak = count.parse().expect("a number");
        }
        if let Some(ended) = child.try_wait().expect("a child") {
            assert!(ended.success(), "{ended}");
            assert!(peak > 0, "it was never looked at");
            return peak;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Bytes that do not repeat (xorshift64), and their hash.
fn write(path: &Path, size: u64) -> Vec<u8> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("made"));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..size / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes()).expect("written");
    }
    file.flush().expect("written");
    hash(path)
}

fn hash(path: &Path) -> Vec<u8> {
    let mut file = File::open(path).expect("readable");
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).expect("readable") {
            0 => return context.finish().as_ref().to_vec(),
            read => context.update(&buffer[..read]),
        }
    }
}
