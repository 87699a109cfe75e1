//! `keyreeve audit prove`.
//!
//! A proof is two files: the record, byte for byte, and the proof beside it. Whoever
//! has both and the public key needs nothing else.

use std::{fs, path::PathBuf};

use clap::Args;
use keyreeve_audit::InclusionProof;
use keyreeve_client::v1::GetAuditProofRequest;

use super::offline::{Offline, read_key, read_text, unreadable};
use crate::{cli::Settings, failure::Failure, output::print_line};

#[derive(Args)]
pub(crate) struct Prove {
    /// The record's index
    #[arg(value_name = "INDEX", required_unless_present = "check")]
    index: Option<u64>,

    /// Write NAME.json, the record, and NAME.tlog-proof, the proof
    #[arg(long, value_name = "NAME", default_value = "record")]
    out: PathBuf,

    /// Check NAME.json and NAME.tlog-proof with --key instead: exit code 0 if the record
    /// is in the log, 1 if that is not proven
    #[arg(long, value_name = "NAME", conflicts_with_all = ["index", "dir", "out"])]
    check: Option<PathBuf>,

    #[command(flatten)]
    offline: Offline,

    /// The file with the log's public key, to check with
    #[arg(long = "with", value_name = "FILE", requires = "check")]
    with: Option<PathBuf>,
}

impl Prove {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        if let Some(name) = &self.check {
            return self.check(name);
        }
        let index = self.index.unwrap_or_default();
        let (record, proof) = match self.offline.reader()? {
            Some(reader) => {
                let entry = reader.record(index).map_err(|error| unreadable(&error))?;
                let proof = reader.prove(index).map_err(|error| unreadable(&error))?;
                (entry.bytes, proof.to_string())
            }
            None => {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                let made = settings.client()?.call(GetAuditProofRequest { index }).await?;
                (made.record.unwrap_or_default().record.into_bytes(), made.proof)
            }
        };
        let (at_record, at_proof) = files(&self.out);
        for (path, bytes) in [(&at_record, &record[..]), (&at_proof, proof.as_bytes())] {
            fs::write(path, bytes).map_err(|error| {
                Failure::local(
                    format!("{} cannot be written: {error}", path.display()),
                    "name another place with --out",
                )
            })?;
        }
        print_line(&format!("{} {}", at_record.display(), at_proof.display()))
    }

    fn check(&self, name: &std::path::Path) -> Result<(), Failure> {
        let Some(key) = &self.with else {
            return Err(Failure::local(
                "a proof is checked with the log's public key",
                "name its file with --with FILE",
            ));
        };
        let key = read_key(key)?;
        let (at_record, at_proof) = files(name);
        let record = read_text(&at_record)?;
        let proof = read_text(&at_proof)?;
        let checked = InclusionProof::parse(&proof)
            .and_then(|proof| proof.check(record.as_bytes(), &key).map(|head| (proof.index, head)));
        match checked {
            Ok((index, head)) => {
                print_line(&format!("record {index} of {} is in {}", head.size, head.origin))
            }
            Err(error) => {
                print_line(&error.to_string())?;
                Err(Failure::No)
            }
        }
    }
}

fn files(name: &std::path::Path) -> (PathBuf, PathBuf) {
    let with = |ending: &str| {
        let mut path = name.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    (with(".json"), with(".tlog-proof"))
}
