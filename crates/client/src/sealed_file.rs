//! Files of any size, sealed in constant memory.
//!
//! A file is cut into segments, each sealed under one key with its place and with
//! whether it is the last, in the manner of STREAM (Hoang, Reyhanitabar, Rogaway,
//! Vizár, 2015). What was cut off, put in another order, appended or changed does
//! not open. The result appears under its name only when all of it is there and
//! authentic.

mod format;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzzing;
mod opening;
mod output;
mod sealing;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use prost::Message;

use crate::{Client, Envelope, Error, Fault, KeyName, v1};
use format::Header;
use output::Output;

/// Whether to go on, asked after each segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Go on.
    Continue,
    /// Stop; nothing is left behind.
    Stop,
}

/// Seals and unseals files under a key of the service.
#[derive(Clone)]
pub struct SealedFile {
    envelope: Envelope,
    replace: bool,
}

impl SealedFile {
    /// Under the key named, as `prod/kek`; the key of an [`Envelope`].
    pub fn new(client: &Client, key: &str) -> Self {
        Self { envelope: Envelope::new(client, key), replace: false }
    }

    /// Lets the output replace a file that is there.
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Seals `input` to `output`. `progress` is told how many bytes of input are done.
    /// Returns the length of the input. The output is readable by its owner only.
    ///
    /// # Errors
    /// [`Fault::Environment`] if a file cannot be read or written, or `output` is
    /// there already; otherwise as [`Key::generate_data_key`](crate::Key).
    pub async fn seal(
        &self,
        input: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
        progress: impl FnMut(u64) -> Step + Send + 'static,
    ) -> Result<u64, Error> {
        let (input, output) = (input.into(), output.into());
        let reader = BufReader::new(open_file(&input)?);
        let out = Output::create(&output, self.replace)?;
        let (data_key, wrapped) = self.envelope.sealing_key().await?;
        let salt = crate::one_time_key::fresh_salt()?;
        blocking(move || {
            let (header, key) =
                Header::make(&data_key, &wrapped, salt, format::DEFAULT_SEGMENT_BITS)?;
            out.write(|file| sealing::seal(&header, &key, reader, file, progress))
        })
        .await
    }

    /// Opens what [`SealedFile::seal`] made under any version of the same key.
    /// Returns the length of the output, which is readable by its owner only.
    ///
    /// # Errors
    /// "decryption failed" if the file is not whole and authentic;
    /// [`Fault::Environment`] if a file cannot be read or written.
    pub async fn unseal(
        &self,
        input: impl Into<PathBuf>,
        output: impl Into<PathBuf>,
        progress: impl FnMut(u64) -> Step + Send + 'static,
    ) -> Result<u64, Error> {
        let (input, output) = (input.into(), output.into());
        let mut reader = BufReader::new(open_file(&input)?);
        let header = Header::read(&mut reader)?;
        let out = Output::create(&output, self.replace)?;
        let data_key = self.envelope.opening_key(&header.wrapped).await?;
        blocking(move || {
            let key = header.open(&data_key)?;
            out.write(|file| opening::open(&header, &key, reader, file, progress))
        })
        .await
    }

    /// Which key a sealed file says it is sealed under. It is not authenticated until
    /// the file is unsealed, and then says only that the holder of that key could
    /// have made the file: compare it with the key you expect.
    ///
    /// # Errors
    /// "decryption failed" if it is no sealed file.
    pub fn key_of(input: impl AsRef<Path>) -> Result<KeyName, Error> {
        let header = Header::read(&mut BufReader::new(open_file(input.as_ref())?))?;
        let wrapped = v1::Ciphertext::decode(&header.wrapped[..]);
        let wrapped = wrapped.map_err(|_| Error::decryption_failed())?;
        wrapped.version_name.parse().map_err(|_| Error::decryption_failed())
    }
}

fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| {
        Error::new(
            Fault::Environment,
            format!("{} cannot be read: {error}", path.display()),
            "check the path and its permissions",
        )
    })
}

#[expect(clippy::disallowed_methods, reason = "once per file, and the thread is the caller's")]
async fn blocking(
    work: impl FnOnce() -> Result<u64, Error> + Send + 'static,
) -> Result<u64, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        Err(Error::new(
            Fault::Environment,
            format!("the work on the file was interrupted: {cause}"),
            "try again",
        ))
    })
}

/// Fills `buffer` as far as the input goes.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(reading(&error)),
        }
    }
    Ok(filled)
}

fn is_at_end(reader: &mut impl BufRead) -> Result<bool, Error> {
    loop {
        match reader.fill_buf() {
            Ok(rest) => return Ok(rest.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(reading(&error)),
        }
    }
}

fn reading(error: &io::Error) -> Error {
    Error::new(Fault::Environment, format!("reading failed: {error}"), "check the input file")
}

fn writing(error: &io::Error) -> Error {
    Error::new(
        Fault::Environment,
        format!("writing failed: {error}"),
        "check the space and permissions where the output goes",
    )
}

fn stopped() -> Error {
    Error::new(Fault::Caller, "stopped before the end", "nothing was left behind; start again")
}

#[cfg(test)]
mod tests;
