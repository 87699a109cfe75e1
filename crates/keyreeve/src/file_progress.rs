//! How far the work on a file is, and Ctrl-C.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use indicatif::{ProgressBar, ProgressStyle};
use keyreeve_client::{Error, Step};

use crate::failure::Failure;

/// A bar on stderr if that is a terminal. Ctrl-C ends the work cleanly.
pub(crate) struct FileProgress {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

impl FileProgress {
    /// For work that goes through `input`. Called on the runtime.
    pub(crate) fn start(input: &Path) -> Self {
        let length = fs::metadata(input).map_or(0, |metadata| metadata.len());
        let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length).with_style(style);
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Relaxed);
            }
        });
        Self { bar, interrupted }
    }

    /// What to call after each segment.
    pub(crate) fn report(&self) -> impl FnMut(u64) -> Step + Send + 'static {
        let (bar, interrupted) = (self.bar.clone(), Arc::clone(&self.interrupted));
        move |done| {
            bar.set_position(done);
            if interrupted.load(Relaxed) { Step::Stop } else { Step::Continue }
        }
    }

    /// Takes the bar away and gives the result.
    pub(crate) fn finish(self, result: Result<u64, Error>) -> Result<u64, Failure> {
        self.bar.finish_and_clear();
        result.map_err(|error| {
            if self.interrupted.load(Relaxed) { Failure::Interrupted } else { error.into() }
        })
    }
}
