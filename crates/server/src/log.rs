//! Logging, the same in every process: lines on standard error.
//!
//! Standard error is inherited from the supervisor, so one stream has everything.
//! Secrets cannot be logged because their types do not print; a panic's message can
//! quote anything, so it is replaced by the place it happened at.

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Format, LogConfig};

/// Starts logging in this process and takes over what a panic prints.
pub(crate) fn start(config: &LogConfig) {
    // The level was checked; a process that cannot log still works.
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let _ = match config.format {
        Format::Text => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect: this process panicked; please report the place");
    }));
}
