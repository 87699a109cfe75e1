//! Blank tokens, and tokens that are initialised.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keyreeve_hsm::{Init, NewPin, Pin, Provision, Source, Target, TokenSelector, init};
use keyreeve_testkit::SoftHsm;
use tempfile::TempDir;

/// A SoftHSM with a token directory of its own, and where its PINs go.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) target: Target,
}

impl Place {
    /// With blank tokens alone.
    pub(crate) fn blank() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (tokens, conf) =
            (directory.path().join("tokens"), directory.path().join("softhsm2.conf"));
        fs::create_dir(&tokens).unwrap();
        let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        fs::write(&conf, text).unwrap();
        let module = SoftHsm::installed().unwrap();
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hsm-config/softhsm2/profile.toml");
        let shipped = fs::read_to_string(shipped).unwrap();
        let mut profile: toml::Table = shipped.parse().unwrap();
        let own = format!(
            "module = [{module:?}]\n[environment]\nSOFTHSM2_CONF = {conf:?}\n[sandbox]\nread = \
             [{conf:?}]\nwrite = [{tokens:?}]\n"
        );
        profile.extend(own.parse::<toml::Table>().unwrap());
        let path = directory.path().join("profile.toml");
        fs::write(&path, profile.to_string()).unwrap();
        let target = Target { source: Source::Profile(path), token: TokenSelector::default() };
        Self { directory, target }
    }

    /// With a token called `keyreeve`, its PINs in `user` and `officer`.
    pub(crate) fn initialized() -> Self {
        let place = Self::blank();
        assert!(init(&place.target, &place.init()).unwrap().changed);
        place
    }

    pub(crate) fn init(&self) -> Init {
        Init {
            label: "keyreeve".to_owned(),
            slot: None,
            officer: NewPin::Generated(self.path("officer")),
            user: NewPin::Generated(self.path("user")),
            erase: false,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn pin(&self) -> Pin {
        Pin::File(self.path("user"))
    }
}

/// The keys of group `premium`, as the command line asks for them by default.
pub(crate) fn premium() -> Provision {
    Provision {
        group: "premium".to_owned(),
        wrapping_key: true,
        export: None,
        root_recipient: None,
        dry_run: false,
    }
}
