//! The log of a service that goes on: opened again after it stopped.
//!
//! A thread of its own opens the log, looks after it, removes old records once a day,
//! and after a failure opens it anew when that is possible: after a full disk has room
//! again, nobody has to come. Callers append through whatever log is open; while none
//! is, they are told why, at once.
//!
//! Only the first opening is waited for, by callers that come so early: a service that
//! has just started is not one that has failed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::appender::Appender;
use crate::commit::{Commit, Wake};
use crate::sheaf::Sheaf;
use crate::{Health, Log, OpenError, ReadError, Reader, Record, VerifierKey};

/// How long to wait before the log is opened again, at first and at most.
const REOPEN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// How often the open log is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A log that is opened again after it stopped.
pub struct Recorder {
    current: ArcSwapOption<Appender>,
    standing: watch::Sender<Standing>,
    last: Mutex<Option<(VerifierKey, Health)>>,
    /// The directory of that log.
    place: Mutex<PathBuf>,
    closing: AtomicBool,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

/// How the log of a [`Recorder`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Being opened for the first time.
    Opening,
    /// Records are taken.
    Recording,
    /// Records are refused, for this reason. Opening it is tried again all the time.
    Stopped(Arc<str>),
    /// Closed for good.
    Closed,
}

/// There is no record, so nothing may be answered that needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded(pub Arc<str>);

/// What a [`Recorder`] opens, again and again.
pub trait Opening: Send + 'static {
    /// Opens the log. Blocks.
    ///
    /// # Errors
    /// Why not. It is asked again, later and later.
    fn open(&mut self) -> Result<(Log, VerifierKey), OpenError>;

    /// Looks after the open log: called about ten times a second. For what has to be
    /// done once in a while, as [`Log::prune`]. May block.
    fn tend(&mut self, log: &Log);
}

impl Recorder {
    /// Begins to open the log, on a thread of its own.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(opening: impl Opening) -> io::Result<Arc<Self>> {
        let recorder = Arc::new(Self {
            current: ArcSwapOption::empty(),
            standing: watch::Sender::new(Standing::Opening),
            last: Mutex::default(),
            place: Mutex::default(),
            closing: AtomicBool::new(false),
            keeper: Mutex::default(),
        });
        let kept = Arc::clone(&recorder);
        let keeper =
            thread::Builder::new().name("audit".into()).spawn(move || kept.keep(opening))?;
        *recorder.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        Ok(recorder)
    }

    /// Hands a sheaf to the writer of the open log. Its commit ends at once if there is
    /// none.
    pub(crate) fn submit(&self, sheaf: Sheaf, commit: Arc<Commit>, wake: Wake) {
        match &*self.current.load() {
            Some(appender) => {
                appender.submit(sheaf, commit, wake);
            }
            None => {
                commit.end(Err(Unrecorded(self.standing().why())));
                wake.wake(&commit);
            }
        }
    }

    /// Whether the log is being opened for the first time.
    pub(crate) fn is_opening(&self) -> bool {
        self.current.load().is_none() && *self.standing.borrow() == Standing::Opening
    }

    /// Ends when it no longer is.
    pub(crate) fn opened(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut watch = self.standing.subscribe();
        async move {
            // Its sender goes with the recorder, and then there is nothing to wait for.
            let _ = watch.wait_for(|standing| *standing != Standing::Opening).await;
        }
    }

    /// Appends a record for which nobody waits. Never blocks. False if it was not
    /// taken.
    pub fn try_append(&self, record: &Record) -> bool {
        self.current.load().as_ref().is_some_and(|appender| appender.try_append(record))
    }

    /// Reads the log that is open, or was open last.
    ///
    /// # Errors
    /// As [`Reader::open`]; [`ReadError::Missing`] if none was open yet.
    pub fn reader(&self) -> Result<Reader, ReadError> {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (key, _) = self.log().ok_or_else(|| ReadError::Missing("checkpoint".into()))?;
        Reader::open(&place, &key)
    }

    /// How it is.
    pub fn standing(&self) -> Standing {
        // The thread that looks after the log may not have seen yet that it stopped.
        let stopped = self.current.load().as_ref().and_then(|appender| appender.health().stopped);
        match stopped {
            Some(stopped) => Standing::Stopped(stopped.to_string().into()),
            None => self.standing.borrow().clone(),
        }
    }

    /// The public key and the health of the log that is open, or was open last.
    pub fn log(&self) -> Option<(VerifierKey, Health)> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((_, health)), Some(appender)) = (&mut *last, &*self.current.load()) {
            *health = appender.health();
        }
        last.clone()
    }

    /// Is told of every change of the standing.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Closes the log for good: all is durable and under a checkpoint when this
    /// returns, unless the log has stopped. Blocks.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            keeper.thread().unpark();
            // A panic of that thread ended the log as well.
            let _ = keeper.join();
        }
    }

    /// Keeps a log open until it is closed.
    fn keep(&self, mut opening: impl Opening) {
        let mut pause = REOPEN.0;
        while !self.closing.load(Ordering::Acquire) {
            match opening.open() {
                Ok((log, key)) => {
                    pause = REOPEN.0;
                    self.tend(&log, key, &mut opening);
                }
                Err(error) => {
                    let text: Arc<str> = error.to_string().into();
                    // A signer that is being started is no failure yet.
                    let first = *self.standing.borrow() == Standing::Opening;
                    let starting =
                        first && matches!(error, OpenError::Signing(_)) && pause < REOPEN.1;
                    if !starting {
                        self.stop(text);
                    }
                    thread::park_timeout(pause);
                    pause = (pause * 2).min(REOPEN.1);
                }
            }
        }
        self.standing.send_replace(Standing::Closed);
    }

    /// Lets records in until the log stops, or is to be closed.
    fn tend(&self, log: &Log, key: VerifierKey, opening: &mut impl Opening) {
        log.directory().clone_into(&mut self.place.lock().unwrap_or_else(PoisonError::into_inner));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, log.health()));
        self.current.store(Some(Arc::new(log.appender())));
        let before = self.standing.send_replace(Standing::Recording);
        let size = log.health().durable;
        if before == Standing::Opening {
            tracing::info!(size, "the audit log is open");
        } else {
            tracing::warn!(size, "the audit log is open again");
        }
        while !self.closing.load(Ordering::Acquire) {
            if let Some(stopped) = log.health().stopped {
                self.stop(stopped.to_string().into());
                break;
            }
            opening.tend(log);
            thread::park_timeout(LOOK);
        }
        self.current.store(None);
    }

    fn stop(&self, why: Arc<str>) {
        self.current.store(None);
        let stopped = Standing::Stopped(Arc::clone(&why));
        if self.standing.send_replace(stopped.clone()) != stopped {
            tracing::error!(%why, "the audit log has stopped: nothing that needs a record is done");
        }
    }
}

impl Standing {
    /// Why there is no record, for the log and for operators.
    fn why(&self) -> Arc<str> {
        match self {
            Self::Stopped(why) => Arc::clone(why),
            Self::Closed => "the audit log is closed".into(),
            Self::Opening | Self::Recording => "the audit log is being opened".into(),
        }
    }
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unrecorded {}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recorder").field(&self.standing()).finish()
    }
}
