//! A token, and what a process needs to reach it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::container::{self, Container};

/// The label of every token made here.
pub const TOKEN_LABEL: &str = "keyreeve-test";

/// The user PIN of every token made here.
pub const TOKEN_PIN: &str = "test-pin-4711";

/// The slot group of a token that is provisioned.
pub const TOKEN_GROUP: &str = "premium";

/// `CKA_ID` of that group's wrapping key, in hex: it follows from the name.
const WRAPPING_KEY_ID: &str = "cfce3d1510e6fe19b939b55cab0aea43";

/// The security officer's PIN.
pub(crate) const TOKEN_SO_PIN: &str = "test-so-pin-4711";

/// A token in a directory of its own, gone when this is dropped.
pub struct Token {
    /// The directory of its profile in `hsm-config`; `shim` for the module that fails
    /// when told to, which has none.
    pub vendor: &'static str,
    /// The PKCS#11 module to load.
    pub module: PathBuf,
    /// What the environment of the process that loads it must hold.
    pub environment: Vec<(String, String)>,
    /// The token's label.
    pub label: String,
    /// The user PIN.
    pub pin: String,
    /// Files and directories the module reads.
    pub read: Vec<PathBuf>,
    /// Directories the module writes to.
    pub write: Vec<PathBuf>,
    /// Unix sockets the module connects to.
    pub sockets: Vec<PathBuf>,
    pub(crate) directory: PathBuf,
    pub(crate) owner: Owner,
}

/// The token that most tests take.
pub type SoftHsm = Token;

/// What keeps a token alive. The container is stopped before its directory goes.
pub(crate) enum Owner {
    /// The parent process, for a body that runs in a child.
    Parent,
    /// This value.
    Directory { _directory: TempDir },
    /// This value.
    Container { _container: Box<Container>, _directory: TempDir },
}

impl SoftHsm {
    /// A token whose module is loaded directly.
    ///
    /// # Errors
    ///
    /// If SoftHSM is not installed, or the token cannot be made.
    pub fn direct() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut token = Self::in_directory(directory.path())?;
        let tokens = token.token_directory();
        fs::create_dir(&tokens)?;
        fs::write(
            token.directory.join("softhsm2.conf"),
            format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n\
                 slots.removable = false\n",
                tokens.display()
            ),
        )?;
        let output = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", TOKEN_LABEL])
            .args(["--pin", TOKEN_PIN, "--so-pin", TOKEN_SO_PIN])
            .envs(token.environment.clone())
            .output()
            .context("softhsm2-util is not installed: apt-get install softhsm2")?;
        ensure!(output.status.success(), "softhsm2-util: {output:?}");
        token.own(Owner::Directory { _directory: directory });
        Ok(token)
    }

    /// A token that holds the wrapping key of the slot group [`TOKEN_GROUP`], as an
    /// operator would have made it, but for the protections of the key itself.
    ///
    /// # Errors
    ///
    /// As [`SoftHsm::direct`], or if OpenSC is not installed.
    pub fn provisioned() -> Result<Self> {
        let token = Self::direct()?;
        let output = Command::new("pkcs11-tool")
            .arg("--module")
            .arg(&token.module)
            .args(["--token-label", TOKEN_LABEL, "--login", "--pin", TOKEN_PIN, "--keygen"])
            .args(["--key-type", "AES:32", "--id", WRAPPING_KEY_ID, "--usage-wrap"])
            .args(["--sensitive", "--private", "--label", "keyreeve-wrapping:premium"])
            .envs(token.environment.clone())
            .output()
            .context("pkcs11-tool is not installed: apt-get install opensc")?;
        ensure!(output.status.success(), "pkcs11-tool: {output:?}");
        Ok(token)
    }

    /// Another token with all that is in this one now: what replication to a second slot
    /// leads to.
    ///
    /// # Errors
    ///
    /// If its files cannot be copied.
    pub fn twin(&self) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut twin = Self::in_directory(directory.path())?;
        copy(&self.token_directory(), &twin.token_directory())?;
        let conf = fs::read_to_string(self.directory.join("softhsm2.conf"))?;
        let (ours, theirs) = (self.token_directory(), twin.token_directory());
        let conf = conf.replace(&ours.display().to_string(), &theirs.display().to_string());
        fs::write(twin.directory.join("softhsm2.conf"), conf)?;
        twin.own(Owner::Directory { _directory: directory });
        Ok(twin)
    }

    /// A token whose module is loaded through OpenSC's spy, which writes every call to
    /// [`SoftHsm::spy_log`]: for tests that count calls.
    ///
    /// # Errors
    ///
    /// As [`SoftHsm::direct`], or if OpenSC is not installed.
    pub fn spied() -> Result<Self> {
        let direct = Self::direct()?;
        Ok(Self { owner: direct.owner, ..Self::spied_in_directory(&direct.directory)? })
    }

    /// A token in a container, reached through `p11-kit-client.so`.
    ///
    /// # Errors
    ///
    /// If no container engine answers, the image is not there (`cargo xtask image`
    /// makes it), or the client module is not installed.
    pub fn container() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut token = Self::behind_socket(directory.path())?;
        let container = Box::new(container::start(directory.path())?);
        token.own(Owner::Container { _container: container, _directory: directory });
        Ok(token)
    }

    /// Where the module is installed.
    ///
    /// # Errors
    ///
    /// If it is not.
    pub fn installed() -> Result<PathBuf> {
        first_of(&SOFTHSM, "softhsm2")
    }

    /// Where the token's objects are, for tests that take them away.
    pub fn token_directory(&self) -> PathBuf {
        self.directory.join("tokens")
    }

    /// The shipped profile, pointed at this token: the text of a profile file, for a
    /// keyhost that is given one.
    ///
    /// # Errors
    ///
    /// If the shipped profile cannot be read.
    pub fn profile(&self) -> Result<String> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../hsm-config")
            .join(self.vendor)
            .join("profile.toml");
        let mut profile: Table = match self.vendor {
            // A module that nobody knows.
            "shim" => "name = 'shim'".parse()?,
            _ => fs::read_to_string(shipped)?.parse()?,
        };
        let environment: BTreeMap<_, _> = self.environment.iter().cloned().collect();
        let reach = [("read", &self.read), ("write", &self.write), ("unix_sockets", &self.sockets)];
        let own = [
            ("module", Value::try_from([&self.module])?),
            ("token", Value::try_from(BTreeMap::from([("label", &self.label)]))?),
            ("environment", Value::try_from(environment)?),
        ];
        // A module with fixed places is held to the sandbox as it ships.
        if reach.iter().any(|(_, paths)| !paths.is_empty()) {
            profile.insert("sandbox".into(), Value::try_from(BTreeMap::from(reach))?);
        }
        profile.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Ok(toml::to_string(&profile)?)
    }

    /// What the spy wrote.
    pub fn spy_log(&self) -> PathBuf {
        self.directory.join("spy.log")
    }

    /// The token that [`SoftHsm::direct`] makes or made in `directory`.
    pub(crate) fn in_directory(directory: &Path) -> Result<Self> {
        let configuration = directory.join("softhsm2.conf");
        Ok(Self {
            module: first_of(&SOFTHSM, "softhsm2")?,
            environment: vec![("SOFTHSM2_CONF".into(), configuration.display().to_string())],
            read: vec![configuration],
            write: vec![directory.join("tokens")],
            sockets: Vec::new(),
            vendor: "softhsm2",
            ..Self::bare(directory)
        })
    }

    /// The token that [`SoftHsm::spied`] makes or made in `directory`.
    pub(crate) fn spied_in_directory(directory: &Path) -> Result<Self> {
        let mut token = Self::in_directory(directory)?;
        let log = token.spy_log().display().to_string();
        let spied = std::mem::replace(&mut token.module, first_of(&SPY, "opensc")?);
        token.environment.push(("PKCS11SPY".into(), spied.display().to_string()));
        token.environment.push(("PKCS11SPY_OUTPUT".into(), log));
        Ok(token)
    }

    /// The token that [`SoftHsm::container`] serves or will serve in `directory`.
    pub(crate) fn behind_socket(directory: &Path) -> Result<Self> {
        let socket = directory.join("p11.sock");
        let address = format!("unix:path={}", socket.display());
        Ok(Self {
            module: first_of(&P11_KIT_CLIENT, "p11-kit-modules")?,
            environment: vec![("P11_KIT_SERVER_ADDRESS".into(), address)],
            sockets: vec![socket],
            vendor: "p11-kit",
            ..Self::bare(directory)
        })
    }

    pub(crate) fn own(&mut self, owner: Owner) {
        self.owner = owner;
    }

    pub(crate) fn bare(directory: &Path) -> Self {
        Self {
            vendor: "",
            module: PathBuf::new(),
            environment: Vec::new(),
            label: TOKEN_LABEL.to_owned(),
            pin: TOKEN_PIN.to_owned(),
            read: Vec::new(),
            write: Vec::new(),
            sockets: Vec::new(),
            directory: directory.to_owned(),
            owner: Owner::Parent,
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

pub(crate) fn first_of(candidates: &[&str], package: &str) -> Result<PathBuf> {
    match candidates.iter().map(PathBuf::from).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{} is not installed: apt-get install {package}", candidates[0]),
    }
}

const SOFTHSM: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

const SPY: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so",
    "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so",
    "/usr/lib64/pkcs11-spy.so",
];

const P11_KIT_CLIENT: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
    "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
    "/usr/lib64/pkcs11/p11-kit-client.so",
    "/usr/lib/pkcs11/p11-kit-client.so",
];
