//! `[log]`: what is logged, to standard error.

use serde::{Deserialize, Serialize};

use super::Report;

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` for people, `json` for machines: one object on each line. Default
    /// `text`.
    pub format: Format,
    /// The least important level that is written: `error`, `warn`, `info`, `debug`
    /// or `trace`; or a filter per module as `info,keyreeve_service=debug`. Default
    /// `info`. No level writes secrets.
    pub level: String,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: Format::Text, level: "info".to_owned() }
    }
}

impl LogConfig {
    pub(super) fn check(&self, report: &mut Report) {
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.level) {
            report.add(
                "log.level",
                format!("`{}`: {error}", self.level),
                "use error, warn, info, debug or trace",
            );
        }
    }
}
