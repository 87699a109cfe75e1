//! Where is looked: the memory of a process, and every file of a directory.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

use crate::needles::Needles;

/// Bytes that are read at a time.
const PIECE: usize = 4 << 20;

/// What a scan saw.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Bytes that were read.
    pub(crate) bytes: u64,
    /// What was found, and where.
    pub(crate) found: Vec<String>,
    /// Mappings that the kernel does not read for anybody.
    pub(crate) closed: Vec<String>,
}

/// Scans all of the readable memory of a process.
///
/// # Panics
///
/// If it cannot be opened: the service's processes are not dumpable, so only root may.
pub(crate) fn memory(pid: u32, needles: &Needles) -> Scan {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"));
    let memory = File::open(format!("/proc/{pid}/mem"));
    let (Ok(maps), Ok(memory)) = (maps, memory) else {
        panic!(
            "the memory of process {pid} cannot be opened: run this test as root, with \
             CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE)"
        );
    };
    let mut scan = Scan::default();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let range = fields.next().and_then(|range| range.split_once('-')).expect("a range");
        let readable = fields.next().is_some_and(|mode| mode.starts_with('r'));
        let name = fields.nth(3).unwrap_or("anonymous");
        if !readable || name.starts_with("[vvar") || name == "[vsyscall]" {
            continue;
        }
        let [start, end] =
            [range.0, range.1].map(|at| u64::from_str_radix(at, 16).expect("an address"));
        if !scan.pieces(&memory, start..end, needles, name) {
            scan.closed.push(line.to_owned());
        }
    }
    scan
}

/// Scans every file under `directory`.
///
/// # Panics
///
/// If one of them cannot be read.
pub(crate) fn files(directory: &Path, needles: &Needles) -> Scan {
    let mut scan = Scan::default();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let kind = fs::symlink_metadata(&path).expect("its kind");
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_file() {
                let file = File::open(&path).expect("readable");
                let name = path.display().to_string();
                assert!(scan.pieces(&file, 0..kind.len(), needles, &name), "{name}");
            }
        }
    }
    scan
}

impl Scan {
    /// Reads `range` piece by piece; each begins with the end of the one before, so
    /// that nothing hides on a border. False if nothing of it can be read.
    fn pieces(
        &mut self,
        file: &File,
        range: std::ops::Range<u64>,
        needles: &Needles,
        name: &str,
    ) -> bool {
        let mut buffer = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let overlap = buffer.len().min(needles.longest());
            buffer.drain(..buffer.len() - overlap);
            let wanted = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
            buffer.resize(overlap + wanted, 0);
            let Ok(read @ 1..) = file.read_at(&mut buffer[overlap..], at) else {
                return at > range.start;
            };
            buffer.truncate(overlap + read);
            for found in needles.find(&buffer) {
                self.found.push(format!("{found}, in {name}"));
            }
            at += read as u64;
            self.bytes += read as u64;
        }
        true
    }
}
