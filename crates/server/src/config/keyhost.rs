//! The configuration of `keyreeve keyhost serve`: one slot, and who may use it from
//! elsewhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use keyreeve_backend_pkcs11::KeysIn;
use keyreeve_types::Name;
use serde::Deserialize;

use super::{LogConfig, Problem, Report, SlotConfig, file, slot};
use crate::control::{BackendStart, KeyhostStart, SlotGroup};

/// The file as written. Relative paths start at the file's own directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyhostConfig {
    /// Address and port to listen on, as `0.0.0.0:7445`. Then `tls` must be set.
    pub listen: Option<String>,
    /// The certificates of both sides.
    pub tls: Option<KeyhostTlsConfig>,
    /// Or a Unix socket, for a service that runs here as the same user.
    pub unix: Option<PathBuf>,
    /// The slot, as `[[slot]]` of a service; its `keyhosts` is the service's to say.
    pub slot: SlotConfig,
    /// The slot group that the slot is in.
    pub group: Option<KeyhostGroupConfig>,
    /// What is logged, to standard error.
    #[serde(default)]
    pub log: LogConfig,
}

/// `[tls]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyhostTlsConfig {
    /// PEM file with the certificate of this side.
    pub certificate: PathBuf,
    /// PEM file with its key, not accessible to group or others.
    pub key: PathBuf,
    /// PEM file with the authority of those who may connect, and of nobody else: whoever
    /// has a certificate of it can use every key of the slot.
    pub client_ca: PathBuf,
}

/// `[group]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyhostGroupConfig {
    /// Its name, as in the service's configuration.
    pub name: String,
    /// Where new keys are kept, as there.
    #[serde(default)]
    pub keys: KeysIn,
}

/// A configuration in which everything was looked at.
#[derive(Debug)]
pub struct CheckedKeyhost {
    pub(crate) tls: Option<GateTls>,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) start: KeyhostStart,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) call_limit: Duration,
    pub(crate) log: LogConfig,
}

/// Where a gate listens over TLS.
#[derive(Debug)]
pub(crate) struct GateTls {
    pub(crate) listen: String,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) client_ca: PathBuf,
}

impl KeyhostConfig {
    /// Reads and checks the file at `path`.
    pub fn load(path: &Path) -> Result<CheckedKeyhost, Report> {
        let problem =
            |what: String, mend: &str| Report::of(path, Problem::new("the file", what, mend));
        let text = std::fs::read_to_string(path)
            .map_err(|error| problem(error.to_string(), "name a readable file with --config"))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            problem(
                error.to_string().trim_end().to_owned(),
                "every field is described in docs/slot-groups.md",
            )
        })?;
        config.check(path)
    }

    fn check(self, path: &Path) -> Result<CheckedKeyhost, Report> {
        let mut report = Report::new(path);
        let base = file::base(path);
        let tls = match (self.listen, self.tls, &self.unix) {
            (Some(listen), Some(tls), None) => {
                let [certificate, key, client_ca] =
                    [tls.certificate, tls.key, tls.client_ca].map(|path| base.join(path));
                for (name, path) in
                    [("tls.certificate", &certificate), ("tls.client_ca", &client_ca)]
                {
                    file::check_readable(&mut report, name, path, "name the PEM file");
                }
                file::check_secret(&mut report, "tls.key", &key, "name the PEM file of the key");
                Some(GateTls { listen, certificate, key, client_ca })
            }
            (None, None, Some(_)) => None,
            _ => {
                report.add(
                    "listen",
                    "takes either `listen` with [tls], or `unix`",
                    "say where the service finds this keyhost",
                );
                None
            }
        };
        let slots = slot::check(&mut report, std::slice::from_ref(&self.slot), &base).0;
        let group = self.group.map(|group| SlotGroup { name: group.name, keys: group.keys });
        let group = match group {
            Some(group) if group.name.parse::<Name>().is_err() => {
                report.add("group.name", "is not a name", "write it as in the service's file");
                None
            }
            None => Some(SlotGroup { name: self.slot.name.clone(), keys: KeysIn::Auto }),
            group => group,
        };
        self.log.check(&mut report);
        let slot = match (slots.into_iter().next(), report.into_result()) {
            (Some(slot), Ok(())) => slot,
            (_, Err(report)) => return Err(report),
            // A slot that is not there was reported above.
            (None, Ok(())) => return Err(Report::new(path)),
        };
        Ok(CheckedKeyhost {
            tls,
            unix: self.unix.map(|unix| base.join(unix)),
            start: KeyhostStart {
                name: slot.name.to_string(),
                backend: BackendStart::Slot {
                    profile: slot.profile_path,
                    token: slot.token,
                    pin_file: slot.pin_file,
                    group,
                },
                threads: slot.threads,
                log: self.log.clone(),
            },
            environment: slot.profile.environment,
            call_limit: slot.call_limit,
            log: self.log,
        })
    }
}
