//! What `keyreeve dev` prepares: everything an installation needs, made once in one
//! directory and kept.
//!
//! ```text
//! DIR/keyreeve.toml      an ordinary configuration: `keyreeve serve` takes it too
//! DIR/root.key           seals the software keystore
//! DIR/token              a bearer token
//! DIR/tls/               a certificate authority and the server's certificate
//! DIR/data/              the store
//! DIR/softhsm/           a SoftHSM token, if SoftHSM is installed
//! DIR/dev.env            how to reach the running service; only while it runs
//! ```
//!
//! It takes no short cut: what is started is what `keyreeve serve` starts.

use std::{
    fmt, fs, io,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use keyreeve_types::Secret;

mod certificates;
mod env_file;
mod settings;
mod softhsm;

pub use env_file::{EnvFile, reachable, shell_quoted};
pub use softhsm::Premium;

use crate::{
    supervisor::{Lock, SupervisorError},
    token,
};

/// What `keyreeve dev` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept.
    pub dir: PathBuf,
    /// Where gRPC listens; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Where HTTPS listens; port 0 takes a free one.
    pub https: SocketAddr,
}

/// A directory in which everything is ready.
pub struct Prepared {
    /// The directory, absolute.
    pub dir: PathBuf,
    /// The configuration to start with.
    pub config: PathBuf,
    /// The certificate authority that clients must trust.
    pub ca_certificate: PathBuf,
    /// The bearer token.
    pub token: Secret<String>,
    /// Whether there is a slot for the premium tier.
    pub premium: Premium,
    /// For the supervisor.
    pub lock: Lock,
}

/// Where `keyreeve dev` keeps things unless told otherwise:
/// `$XDG_DATA_HOME/keyreeve-dev`, or `~/.local/share/keyreeve-dev`.
pub fn default_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
    Some(data.or_else(|| Some(set("HOME")?.join(".local/share")))?.join("keyreeve-dev"))
}

/// Makes what is missing in the directory and writes its configuration.
pub fn prepare(options: &Options) -> Result<Prepared, DevError> {
    let dir = std::path::absolute(&options.dir).map_err(at(&options.dir))?;
    let data = dir.join("data");
    for directory in [&dir, &data, &dir.join("tls")] {
        private_directory(directory)?;
    }
    // Before anything is changed that a running service uses.
    let lock = Lock::take(&data).map_err(|error| DevError::Supervisor(Box::new(error)))?;

    let ca_certificate = certificates::make(&dir.join("tls"), [options.grpc, options.https])?;
    let root_key = dir.join("root.key");
    if !root_key.exists() {
        make_root_key(&root_key)?;
    }
    let (token, sha256) = keep_token(&dir.join("token"))?;
    let premium = softhsm::prepare(&dir.join("softhsm"))?;
    let config = dir.join("keyreeve.toml");
    let text = settings::write(options, &sha256, &premium);
    write_private(&config, text.as_bytes())?;
    Ok(Prepared { dir, config, ca_certificate, token, premium, lock })
}

/// The root key is made by a process of its own, so that this one, which becomes
/// the supervisor, never holds it.
fn make_root_key(path: &Path) -> Result<(), DevError> {
    let output = Command::new("/proc/self/exe")
        .args(["root-key", "create"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .map_err(at(path))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(DevError::Step { what: "making the root key", why })
}

/// The token in the file, made if there is none, and its SHA-256.
fn keep_token(path: &Path) -> Result<(Secret<String>, String), DevError> {
    let token = match fs::read_to_string(path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = token::generate().map_err(|error| DevError::Step {
                what: "making a token",
                why: error.to_string(),
            })?;
            write_private(path, made.token.expose().as_bytes())?;
            made.token
        }
        Err(error) => return Err(DevError::File { path: path.to_owned(), error }),
    };
    let hash = keyreeve_identity::secret::hash(token.expose().trim().as_bytes());
    Ok((Secret::new(token.expose().trim().to_owned()), hex::encode(hash)))
}

fn private_directory(path: &Path) -> Result<(), DevError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}

/// Writes a file of mode 0600 whole or not at all.
fn write_private(path: &Path, content: &[u8]) -> Result<(), DevError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let write = || -> io::Result<()> {
        // One that an interrupted start left behind could have another mode.
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        io::Write::write_all(&mut file, content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> DevError + use<> {
    let path = path.to_owned();
    move |error| DevError::File { path: path.clone(), error }
}

/// Why the directory could not be prepared.
#[derive(Debug)]
pub enum DevError {
    /// A file or directory could not be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A step failed.
    Step {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// As when another `keyreeve dev` runs on the directory.
    Supervisor(Box<SupervisorError>),
}

impl fmt::Display for DevError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(
                f,
                "{}: {error}; check who owns it, or use another directory with --data-dir",
                path.display()
            ),
            Self::Step { what, why } => write!(f, "{what} failed: {why}"),
            Self::Supervisor(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DevError {}
