//! Where a PIN comes from: a file, the terminal, or this program.
//!
//! It is read by the process that gives it to the module, and by no other; it is in
//! no argument list, environment or message.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use keyreeve_types::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Failure;

/// Longest PIN file, in bytes. PKCS#11 tokens take PINs of up to 255 characters.
const MAX_FILE: u64 = 1024;

/// How long a generated PIN is, where the token takes as many: 120 bits.
const GENERATED: usize = 24;

/// A PIN that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pin {
    /// The first line of this file, which is not readable by group or others.
    File(PathBuf),
    /// Typed at the terminal, without echo.
    Terminal,
}

/// A PIN that is to be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NewPin {
    /// One that exists.
    Chosen(Pin),
    /// A random one, written to this new file, mode 0600, before the token gets it.
    Generated(PathBuf),
}

impl Pin {
    /// Reads it; `whose` is for the prompt, as `user PIN of "keyreeve"`.
    pub(crate) fn read(&self, whose: &str) -> Result<Secret<String>, Failure> {
        match self {
            Self::File(path) => read_file(path),
            Self::Terminal => prompt(&format!("{whose}: "))
                .map_err(|error| no_terminal(&error))
                .and_then(|pin| not_empty(pin, "the terminal")),
        }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Terminal => None,
        }
    }
}

impl NewPin {
    /// Reads or makes it, `min` to `max` bytes long. One that is typed is typed twice.
    pub(crate) fn read(
        &self,
        whose: &str,
        (min, max): (usize, usize),
    ) -> Result<Secret<String>, Failure> {
        let pin = match self {
            Self::Chosen(Pin::Terminal) => typed_twice(whose)?,
            Self::Chosen(pin) => pin.read(whose)?,
            Self::Generated(path) => generate(path, min, max)?,
        };
        let len = pin.expose().len();
        if len < min || len > max.max(min) {
            return Err(Failure::new(
                format!("the {whose} has {len} characters; the token takes {min} to {max}"),
                "choose one of that length, or have it generated",
            ));
        }
        Ok(pin)
    }

    /// With its path absolute, since the worker may run elsewhere.
    pub(crate) fn absolute(&self) -> Result<Self, Failure> {
        Ok(match self {
            Self::Chosen(Pin::File(path)) => Self::Chosen(Pin::File(absolute(path)?)),
            Self::Generated(path) => Self::Generated(absolute(path)?),
            Self::Chosen(Pin::Terminal) => self.clone(),
        })
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::Chosen(pin) => pin.file(),
            Self::Generated(path) => Some(path),
        }
    }
}

/// The first line of the file. What was read besides it is wiped.
fn read_file(path: &Path) -> Result<Secret<String>, Failure> {
    let failed = |error: &io::Error| Failure::io(&format!("PIN file {}", path.display()), error);
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(Failure::new(
            format!("PIN file {} can be read by others", path.display()),
            "chmod 600 it, and change the PIN if others may have read it",
        ));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize + 1));
    Read::by_ref(&mut file)
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed(&io::Error::other("is too long for a PIN")));
    }
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let pin = std::str::from_utf8(line).map_err(|_| failed(&io::Error::other("is not UTF-8")))?;
    not_empty(Zeroizing::new(pin.to_owned()), &path.display().to_string())
}

fn not_empty(mut pin: Zeroizing<String>, from: &str) -> Result<Secret<String>, Failure> {
    if pin.is_empty() {
        return Err(Failure::new(format!("no PIN came from {from}"), "put it on the first line"));
    }
    Ok(Secret::new(std::mem::take(&mut *pin)))
}

fn typed_twice(whose: &str) -> Result<Secret<String>, Failure> {
    let ask = |prompted: String| prompt(&prompted).map_err(|error| no_terminal(&error));
    let first = ask(format!("new {whose}: "))?;
    let second = ask(format!("new {whose}, again: "))?;
    if *first != *second {
        return Err(Failure::new("the two PINs differ", "type it twice in the same way"));
    }
    not_empty(first, "the terminal")
}

fn no_terminal(error: &io::Error) -> Failure {
    Failure::new(
        format!("no PIN can be typed here: {error}"),
        "name a file with --pin-file, or run the command at a terminal",
    )
}

/// Asks at the terminal, whatever stdin and stdout are.
fn prompt(text: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(text.as_bytes())?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let line = read_line(&mut terminal);
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    line
}

/// A byte at a time: what is read beyond the line would be the shell's.
pub(crate) fn read_line(from: &mut impl Read) -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(256));
    let mut byte = [0];
    while line.len() < MAX_FILE as usize && from.read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    let text = std::str::from_utf8(&line).map_err(|_| io::Error::other("not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// In a new file, on disk before anybody uses it: a PIN that only the token knows
/// locks its owner out.
fn generate(path: &Path, min: usize, max: usize) -> Result<Secret<String>, Failure> {
    /// 32 letters and digits that cannot be mistaken for one another.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let len = GENERATED.clamp(min, max.max(min));
    let mut random = Zeroizing::new(vec![0; len]);
    rand::fill(&mut random)
        .map_err(|_| Failure::new("this machine gives no random bytes", "try again"))?;
    let mut pin: Zeroizing<String> =
        Zeroizing::new(random.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect());
    write_new(path, &pin)?;
    Ok(Secret::new(std::mem::take(&mut *pin)))
}

/// Writes `pin` to a new file of mode 0600 and has it on disk when it returns.
pub(crate) fn write_new(path: &Path, pin: &str) -> Result<(), Failure> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(pin.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        sync_directory(path)
    };
    write().map_err(|error| {
        let doing = format!("the PIN cannot be written to {}", path.display());
        match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::new(
                format!("{doing}: there is a file already"),
                "name a file that does not exist yet, or use the one there with --pin-file",
            ),
            _ => Failure::io(&doing, &error),
        }
    })
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    // The parent of a bare file name is empty.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Absolute, since the worker runs elsewhere.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::io(&format!("{}", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// Guards against a PIN with the newline an editor adds, one that others can
    /// read, and a file that is no PIN.
    #[test]
    fn a_pin_is_the_first_line_of_a_private_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pin");
        write_new(&path, "12 34").expect("written");
        assert_eq!(read_file(&path).expect("a PIN").expose(), "12 34");
        assert!(write_new(&path, "other").is_err(), "an existing PIN is never overwritten");
        for text in [&b""[..], b"\n", b"\xff\n", &[b'1'; 2000]] {
            fs::write(&path, text).expect("written");
            assert!(read_file(&path).is_err());
        }
        fs::write(&path, "1234").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(read_file(&path).expect_err("readable by group").what.contains("by others"));
    }

    /// Guards against a generated PIN that the token does not take, or that is lost:
    /// it is in its file, which is its owner's alone.
    #[test]
    fn a_generated_pin_fits_the_token_and_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        for (n, (range, len)) in [((4, 255), 24), ((4, 8), 8), ((32, 64), 32)].iter().enumerate() {
            let path = directory.path().join(n.to_string());
            let pin = NewPin::Generated(path.clone()).read("user PIN", *range).expect("a PIN");
            assert_eq!(pin.expose().len(), *len);
            assert_eq!(read_file(&path).expect("kept").expose(), pin.expose());
            assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        }
    }
}
