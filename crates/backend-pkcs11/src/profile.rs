//! A module's profile: what differs between PKCS#11 modules, as data.
//!
//! One TOML file per vendor in `hsm-config/<vendor>/`. Unknown fields are refused,
//! so that a misspelt protection is an error and not a default.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use keyreeve_types::{KeySpec, RsaPadding, WrapAlgorithm};
use serde::{Deserialize, Serialize};

use crate::template::{OMITTABLE, OMITTABLE_IN_PUBLIC};

/// How to load a PKCS#11 module, which token to use, and what it does in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the backend is called in errors and tables, as `SoftHSM 2.6`.
    pub name: String,
    /// Absolute paths where the module (a shared library) may be; the first that
    /// exists is loaded.
    pub module: Vec<PathBuf>,
    /// Which token. May be left out here and given by the slot's own configuration.
    #[serde(default)]
    pub token: TokenSelector,
    /// Environment variables the module reads. Whoever starts the keyhost sets
    /// them; [`crate::Pkcs11Backend::open`] refuses to start without them, because a module
    /// that misses its configuration falls back to another one in silence.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How many threads work the slot, each with its own session. 1 to 64. More
    /// than cores helps only where the module waits for a device or a network.
    #[serde(default = "default_threads")]
    pub threads: usize,
    /// Seconds, 1 to 3600, after which the device is asked for a random byte, for one
    /// that closes a login which nobody uses: set it well below the device's limit.
    /// Without it, an idle keyhost makes no call.
    pub keep_alive_seconds: Option<u64>,
    /// What the module may reach when the keyhost is sandboxed.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// Where the module departs from the standard.
    #[serde(default)]
    pub quirks: Quirks,
}

/// Names a token by what is stable. Never by slot id: SoftHSM and network HSMs
/// assign those anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSelector {
    /// `CKA_LABEL` of the token, without its padding.
    pub label: Option<String>,
    /// Its serial number. With a label, both must match.
    pub serial: Option<String>,
}

impl TokenSelector {
    /// With the fields of `other` where these are not set.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            label: self.label.or_else(|| other.label.clone()),
            serial: self.serial.or_else(|| other.serial.clone()),
        }
    }
}

/// What a module may reach. Everything else is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// Files and directories it may read. The module itself and the system's
    /// libraries are always readable.
    #[serde(default)]
    pub read: Vec<PathBuf>,
    /// Directories in which it may also write, create and remove files.
    #[serde(default)]
    pub write: Vec<PathBuf>,
    /// Unix sockets it may connect to.
    #[serde(default)]
    pub unix_sockets: Vec<PathBuf>,
    /// TCP ports it may connect to, for a network HSM.
    #[serde(default)]
    pub tcp_ports: Vec<u16>,
}

/// Where a module departs from the standard, or from what its mechanism list says.
///
/// The defaults are for a module that nobody has looked at: what its mechanism list
/// leaves open is tried when the slot is opened or not offered, what can be checked is
/// checked, and what two modules mean differently is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Attributes the module refuses in a template, as `CKA_COPYABLE`. They are
    /// left out; only protections that the module has in another way belong here. What
    /// else of these it refuses is found by a trial when the slot is opened.
    pub refused_attributes: Vec<String>,
    /// Mechanisms that are not used although the module lists them, as
    /// `CKM_AES_CBC_PAD`.
    pub excluded_mechanisms: Vec<String>,
    /// Usage flags that the module refuses to have denied to a public half, as
    /// `CKA_VERIFY`. They are left out there: a public half guards nothing.
    pub refused_public_attributes: Vec<String>,
    /// Whether the module takes private keys made elsewhere.
    pub import: bool,
    /// Whether imported secret keys show no `CKA_VALUE_LEN`: the size is then not compared
    /// with what is recorded when one is opened.
    pub no_value_len: bool,
    /// Return values, beside those that the standard has for it, with which the module
    /// answers a ciphertext that does not decrypt: only `CKR_DEVICE_ERROR` can be said
    /// here. Without it, a caller's garbage passes for a broken device.
    pub ciphertext_errors: Vec<String>,
    /// Whether `CKA_ALLOWED_MECHANISMS` is set on new keys, which pins each to the
    /// mechanisms of its operations.
    pub allowed_mechanisms: bool,
    /// Curves to try, by JOSE `crv`. Each is used only if a trial at start works.
    pub curves: Vec<String>,
    /// OAEP paddings the module does right: `RSA-OAEP`, `RSA-OAEP-256`. The
    /// mechanism list cannot tell them apart.
    pub oaep: Vec<String>,
    /// Whether the module may decrypt RSA PKCS#1 v1.5. Only for one that rejects bad
    /// padding implicitly: elsewhere its answer is a padding oracle.
    pub rsa1_5: bool,
    /// AES wrapping the module does right for whatever callers have wrapped: `AES-KW`,
    /// `AES-KWP`. Not the second where the module pads with zeros before it wraps, as
    /// SoftHSM 2.6 does.
    pub wrap: Vec<String>,
    /// The mechanism that is RFC 5649: `CKM_AES_KEY_WRAP_KWP`, or `CKM_AES_KEY_WRAP_PAD`
    /// where that means it too. Some pad by PKCS#7 under the second name, so it is never
    /// used unless it stands here; the first is used wherever the module lists it.
    pub kwp: Option<String>,
    /// Whether each ECDSA signature is verified before it leaves, as those of RSA and
    /// Ed25519 always are. It costs more than signing does in software (P-256: 50 µs), so
    /// a profile may vouch for a module that computes in this very process, where what
    /// spoils its result would spoil the check as well. Nothing else earns that.
    pub verify_ecdsa: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            refused_attributes: Vec::new(),
            excluded_mechanisms: Vec::new(),
            refused_public_attributes: Vec::new(),
            import: true,
            no_value_len: false,
            ciphertext_errors: Vec::new(),
            allowed_mechanisms: false,
            curves: names(&["P-256", "P-384", "P-521", "secp256k1", "Ed25519"]),
            oaep: names(&["RSA-OAEP"]),
            rsa1_5: false,
            wrap: names(&["AES-KW", "AES-KWP"]),
            kwp: None,
            verify_ecdsa: true,
        }
    }
}

impl Profile {
    /// The profile of SoftHSM 2, as shipped in `hsm-config/softhsm2/`: for
    /// development, where nothing is installed under `/etc`.
    pub const SOFTHSM2: &str = include_str!("../../../hsm-config/softhsm2/profile.toml");

    /// Reads and checks the profile at `path`.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ProfileError(format!("cannot read {}: {error}", path.display())))?;
        Self::parse(&text)
            .map_err(|ProfileError(why)| ProfileError(format!("{}: {why}", path.display())))
    }

    /// Reads and checks a profile from its TOML text.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self =
            toml::from_str(text).map_err(|error| ProfileError(error.to_string()))?;
        profile.check()?;
        Ok(profile)
    }

    /// The module to load: the first candidate that exists.
    pub fn module_path(&self) -> Result<&Path, ProfileError> {
        self.module.iter().find(|path| path.is_file()).map(PathBuf::as_path).ok_or_else(|| {
            let tried: Vec<_> = self.module.iter().map(|p| p.display().to_string()).collect();
            ProfileError(format!(
                "the PKCS#11 module of {} is not installed: looked for {}. Install it, or add \
                 its path to `module` in the profile",
                self.name,
                tried.join(", ")
            ))
        })
    }

    fn check(&self) -> Result<(), ProfileError> {
        let fail = |why: String| Err(ProfileError(why));
        if self.module.is_empty() {
            return fail("`module` names no path".to_owned());
        }
        if let Some(path) = self.paths().find(|path| !path.is_absolute()) {
            return fail(format!("{} is not an absolute path", path.display()));
        }
        if !(1..=64).contains(&self.threads) {
            return fail("`threads` must be 1 to 64".to_owned());
        }
        if self.keep_alive_seconds.is_some_and(|seconds| !(1..=3600).contains(&seconds)) {
            return fail("`keep_alive_seconds` must be 1 to 3600".to_owned());
        }
        let quirks = &self.quirks;
        let crv = |name: &str| KeySpec::ALL.iter().any(|spec| spec.crv() == Some(name));
        if let Some(name) = quirks.curves.iter().find(|name| !crv(name)) {
            return fail(format!("`quirks.curves`: unknown curve {name:?}"));
        }
        let oaep = [RsaPadding::Oaep.name(), RsaPadding::Oaep256.name()];
        if let Some(name) = quirks.oaep.iter().find(|name| !oaep.contains(&name.as_str())) {
            return fail(format!("`quirks.oaep`: unknown padding {name:?}"));
        }
        let wrap = [AES_KW, WrapAlgorithm::AesKwp.name()];
        if let Some(name) = quirks.wrap.iter().find(|name| !wrap.contains(&name.as_str())) {
            return fail(format!("`quirks.wrap`: unknown wrapping {name:?}"));
        }
        if let Some(name) = quirks.kwp.as_ref().filter(|name| !KWP.contains(&name.as_str())) {
            return fail(format!("`quirks.kwp`: {name:?} is none of {}", KWP.join(", ")));
        }
        if let Some(name) = quirks.ciphertext_errors.iter().find(|name| *name != DEVICE_ERROR) {
            return fail(format!("`quirks.ciphertext_errors`: {name:?} is not {DEVICE_ERROR}"));
        }
        if let Some(name) = quirks.excluded_mechanisms.iter().find(|m| !m.starts_with("CKM_")) {
            return fail(format!("`quirks.excluded_mechanisms`: {name:?} is no CKM_ name"));
        }
        for (field, refused, known) in [
            ("refused_attributes", &quirks.refused_attributes, OMITTABLE),
            ("refused_public_attributes", &quirks.refused_public_attributes, OMITTABLE_IN_PUBLIC),
        ] {
            if let Some(name) = refused.iter().find(|name| !known.contains(&name.as_str())) {
                return fail(format!(
                    "`quirks.{field}`: {name:?} cannot be left out; only {} can",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let Sandbox { read, write, unix_sockets, tcp_ports: _ } = &self.sandbox;
        self.module.iter().chain(read).chain(write).chain(unix_sockets)
    }
}

/// The name of AES-KW in a profile, whatever the size of the key.
pub(crate) const AES_KW: &str = "AES-KW";

/// The one return value that a profile may declare to mean a bad ciphertext.
pub(crate) const DEVICE_ERROR: &str = "CKR_DEVICE_ERROR";

/// What RFC 5649 is called: by PKCS#11 3.0, and by some modules before it.
pub(crate) const KWP: [&str; 2] = ["CKM_AES_KEY_WRAP_KWP", "CKM_AES_KEY_WRAP_PAD"];

const fn default_threads() -> usize {
    2
}

/// A profile that cannot be used; the text says why and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileError(String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProfileError {}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "name = 'x'\nmodule = ['/usr/lib/x.so']\n";

    /// Guards against a misspelt field that is read as "not set".
    #[test]
    fn unknown_fields_are_refused_at_every_level() {
        assert!(Profile::parse(MINIMAL).is_ok());
        for extra in ["thread = 1", "[token]\nslot = 4", "[sandbox]\nreads = []", "[quirks]\nx = 1"]
        {
            let error = Profile::parse(&format!("{MINIMAL}{extra}")).expect_err(extra);
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }

    /// Guards against a protection switched off by a profile: `CKA_EXTRACTABLE`
    /// must never be left to a module's default.
    #[test]
    fn values_out_of_range_are_refused() {
        for extra in [
            "threads = 0",
            "threads = 65",
            "[quirks]\nrefused_attributes = ['CKA_EXTRACTABLE']",
            "[quirks]\ncurves = ['P-224']",
            "[quirks]\noaep = ['RSA1_5']",
            "[quirks]\nwrap = ['A256KW']",
            "[quirks]\nkwp = 'CKM_AES_KEY_WRAP_PKCS7'",
            "keep_alive_seconds = 0",
            "[quirks]\nciphertext_errors = ['CKR_DEVICE_REMOVED']",
            "[quirks]\nexcluded_mechanisms = ['AES_CBC_PAD']",
            "[sandbox]\nread = ['relative']",
        ] {
            assert!(Profile::parse(&format!("{MINIMAL}{extra}")).is_err(), "{extra}");
        }
        assert!(Profile::parse("name = 'x'\nmodule = []").is_err());
    }

    /// Guards against an operator who is told that something failed, but not what to do.
    #[test]
    fn a_missing_module_says_where_it_was_looked_for() {
        let profile = Profile::parse(MINIMAL).expect("a valid profile");
        let text = profile.module_path().expect_err("no such file").to_string();
        assert!(text.contains("/usr/lib/x.so") && text.contains("Install it"), "{text}");
    }
}
