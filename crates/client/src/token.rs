//! The bearer token: given once, or kept in a file that may change.

use std::{fs, path::PathBuf, sync::RwLock};

use tonic::metadata::{Ascii, MetadataValue};
use zeroize::Zeroizing;

use crate::{Error, Fault};

type Header = MetadataValue<Ascii>;

/// Where the token comes from, and the header made of it. Never shown.
pub(crate) struct Token {
    header: RwLock<Option<Header>>,
    file: Option<PathBuf>,
}

impl Token {
    pub(crate) fn none() -> Self {
        Self { header: RwLock::new(None), file: None }
    }

    pub(crate) fn fixed(token: &str) -> Result<Self, Error> {
        Ok(Self { header: RwLock::new(Some(header(token)?)), file: None })
    }

    pub(crate) fn from_file(path: PathBuf) -> Result<Self, Error> {
        let header = read(&path)?;
        Ok(Self { header: RwLock::new(Some(header)), file: Some(path) })
    }

    pub(crate) fn header(&self) -> Option<Header> {
        self.header.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Reads the file again, for a token that was refused. True if it holds another.
    pub(crate) fn reread(&self) -> bool {
        let Some(Ok(fresh)) = self.file.as_ref().map(read) else { return false };
        let mut held = self.header.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let changed = held.as_ref() != Some(&fresh);
        *held = Some(fresh);
        changed
    }
}

fn read(path: &PathBuf) -> Result<Header, Error> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Error::new(
            Fault::Environment,
            format!("the token file {} cannot be read: {error}", path.display()),
            "check the path and its permissions",
        )
    })?;
    header(text.trim())
}

fn header(token: &str) -> Result<Header, Error> {
    let text = Zeroizing::new(format!("Bearer {token}"));
    let visible = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let header = visible.then(|| Header::try_from(text.as_str()).ok()).flatten();
    let mut header = header.ok_or_else(|| {
        Error::new(
            Fault::Environment,
            "the token is empty or holds characters that no token has",
            "set KEYREEVE_TOKEN or the token file anew, without quotes or blanks",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a token in an error message or a `Debug` of the header.
    #[test]
    fn a_token_is_never_shown() {
        let error = Token::fixed("canary 1\n").err().expect("blanks are refused");
        assert!(!format!("{error} {error:?}").contains("canary"));
        let header = Token::fixed("canary-1").ok().and_then(|t| t.header()).expect("a header");
        assert!(!format!("{header:?}").contains("canary"), "{header:?}");
    }

    /// Guards against a rotated token being noticed only after a restart.
    #[test]
    fn a_token_file_is_read_again_when_asked() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), "one\n").expect("it is writable");
        let token = Token::from_file(file.path().to_owned()).expect("a token");
        assert!(!token.reread(), "it has not changed");
        fs::write(file.path(), "two\n").expect("it is writable");
        assert!(token.reread());
        assert_eq!(token.header().expect("a header"), "Bearer two");
    }
}
