//! Keeping one keyhost alive.
//!
//! A keyhost is asked four times a second whether it makes progress. One that does
//! not answer, or has a call that never ends, is killed: PKCS#11 has no time-out
//! and no cancel, so the process is the only thing that can be ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use keyreeve_keyhost::{FrontEnd, link};
use keyreeve_types::Name;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{Backoff, Board, Phase, child::Child, is_true};
use crate::{
    config::{At, Checked},
    control::{BackendStart, Channel, FromKeyhost, KeyhostStart, SlotGroup, ToKeyhost},
};

/// The name of the keyhost that runs the software keystore.
pub(super) const SOFTWARE: &str = "software";

/// Longest time from the start to `Ready`: loading a module and logging in to a
/// device over a network.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often a keyhost is asked.
const PING_EVERY: Duration = Duration::from_millis(250);
/// Longest time to an answer. The thread that answers does nothing else.
const PONG_LIMIT: Duration = Duration::from_secs(1);
/// Longest call of those that may take long, as making an RSA-4096 key in a device.
const SLOW_CALL_LIMIT: Duration = Duration::from_secs(60);
/// How long the end of the front may take to be noticed after that of a keyhost.
const GRACE: Duration = Duration::from_millis(20);
/// How long a keyhost may take to end when asked.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What a keyhost's keeper tells the front.
pub(super) enum Notice {
    /// It has started; these are the front's ends.
    Up(usize, FrontEnd),
    /// It is gone.
    Down(usize),
}

/// One keyhost, whichever process runs it now.
pub(super) struct Keyhost {
    /// Its place among the keyhosts.
    index: usize,
    plan: Plan,
    front_threads: usize,
}

/// What a keyhost is to be.
pub(super) struct Plan {
    start: KeyhostStart,
    environment: Vec<(String, String)>,
    /// Longest call of those that must be quick.
    call_limit: Duration,
    /// How long to wait before it is started anew.
    backoff: fn() -> Backoff,
    siblings: Arc<Siblings>,
}

/// What the keyhosts of one slot have together: they log in one after the other, so that
/// each finds what the one before made, and what one was refused none tries again.
#[derive(Default)]
struct Siblings {
    starting: tokio::sync::Mutex<()>,
    /// Why an operator is needed, and how often causes had been mended by then.
    refused: Mutex<Option<(u32, String)>>,
}

impl Siblings {
    fn refused(&self) -> MutexGuard<'_, Option<(u32, String)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why one process ended.
enum End {
    Stopped,
    NeedsOperator(String),
    Died { why: String, served: Duration },
}

/// What is to be started, in the order of the front's list.
pub(super) fn starts(config: &Checked) -> Vec<Plan> {
    let log = &config.log;
    let software = KeyhostStart {
        name: SOFTWARE.to_owned(),
        backend: BackendStart::Software { root_key: config.root_key.clone() },
        threads: config.software_threads,
        log: log.clone(),
    };
    let mut all: BTreeMap<&Name, Arc<Siblings>> = BTreeMap::new();
    let slots = config.slot_keyhosts().map(|keyhost| {
        let (backend, threads, environment, call_limit) = match keyhost.at {
            At::Here(slot) => {
                let group = config.group_of(&slot.name);
                let backend = BackendStart::Slot {
                    profile: slot.profile_path.clone(),
                    token: slot.token.clone(),
                    pin_file: slot.pin_file.clone(),
                    group: group
                        .map(|group| SlotGroup { name: group.name.to_string(), keys: group.keys }),
                };
                let environment = slot.profile.environment.clone().into_iter().collect();
                (backend, slot.threads, environment, slot.call_limit)
            }
            // What it starts there is configured there.
            At::Remote(slot) => {
                (BackendStart::Remote(slot.gate.clone()), 1, Vec::new(), slot.call_limit)
            }
        };
        let start = KeyhostStart { name: keyhost.name, backend, threads, log: log.clone() };
        Plan {
            start,
            environment,
            call_limit,
            backoff: Backoff::of_slot,
            siblings: Arc::clone(all.entry(keyhost.slot).or_default()),
        }
    });
    let software = Plan {
        start: software,
        environment: Vec::new(),
        call_limit: config.software_call_limit,
        backoff: Backoff::default,
        siblings: Arc::default(),
    };
    std::iter::once(software).chain(slots).collect()
}

impl Keyhost {
    pub(super) fn new(index: usize, plan: Plan, front_threads: usize) -> Self {
        Self { index, plan, front_threads }
    }

    /// Starts it, and starts it anew whenever it ends, until `ended`.
    pub(super) async fn keep(
        self,
        board: Board,
        front: mpsc::Sender<Notice>,
        mut ended: watch::Receiver<bool>,
    ) {
        let mut backoff = (self.plan.backoff)();
        let mut mended = board.mended.clone();
        if self.phase(&board) == Some(Phase::NeedsOperator) {
            // It was refused beside an earlier front.
            tokio::select! {
                _ = mended.changed() => {}
                () = is_true(&mut ended) => return,
            }
        }
        loop {
            let time = *mended.borrow_and_update();
            let end = self.run_in_turn(&board, &front, &mut ended, time).await;
            // The front is told first: its callers wait for nothing.
            let _ = front.send(Notice::Down(self.index)).await;
            let name = &self.plan.start.name;
            match end {
                End::Stopped => return,
                End::NeedsOperator(why) => {
                    tracing::error!(
                        keyhost = name,
                        why,
                        "the keyhost needs an operator: mend the cause, then send SIGHUP to the \
                         supervisor"
                    );
                    self.note(&board, Phase::NeedsOperator, why);
                    tokio::select! {
                        _ = mended.changed() => {}
                        () = is_true(&mut ended) => return,
                    }
                }
                End::Died { why, served } => {
                    // A keyhost ends with its front, whose end is then noticed first.
                    tokio::select! {
                        () = sleep(GRACE) => {}
                        () = is_true(&mut ended) => return,
                    }
                    tracing::error!(keyhost = name, why, "the keyhost is started anew");
                    self.note(&board, Phase::Restarting, why);
                    tokio::select! {
                        () = backoff.wait(served) => {}
                        () = is_true(&mut ended) => return,
                    }
                }
            }
            board.update(self.index + 1, |process| process.restarts += 1);
        }
    }

    fn phase(&self, board: &Board) -> Option<Phase> {
        board.processes.borrow().get(self.index + 1).map(|process| process.phase)
    }

    fn note(&self, board: &Board, phase: Phase, detail: String) {
        board.update(self.index + 1, |process| {
            process.phase = phase;
            process.pid = 0;
            process.detail = detail;
        });
    }

    /// Runs it once it is its turn to start; or not at all, if a sibling was refused since
    /// causes were last mended, at `time`.
    async fn run_in_turn(
        &self,
        board: &Board,
        front: &mpsc::Sender<Notice>,
        ended: &mut watch::Receiver<bool>,
        time: u32,
    ) -> End {
        let siblings = &self.plan.siblings;
        let turn = tokio::select! {
            turn = siblings.starting.lock() => turn,
            () = is_true(ended) => return End::Stopped,
        };
        let refused = siblings.refused().clone().filter(|(at, _)| *at == time);
        if let Some((_, why)) = refused {
            return End::NeedsOperator(why);
        }
        let end = self.run_once(board, front, ended, turn).await;
        if let End::NeedsOperator(why) = &end {
            *siblings.refused() = Some((time, why.clone()));
        }
        end
    }

    async fn run_once(
        &self,
        board: &Board,
        front: &mpsc::Sender<Notice>,
        ended: &mut watch::Receiver<bool>,
        turn: tokio::sync::MutexGuard<'_, ()>,
    ) -> End {
        let died = |why: String, served| End::Died { why, served };
        // 1. Sockets that belong to this start alone.
        let (mut child, channel, front_end) = match self.spawn().await {
            Ok(spawned) => spawned,
            Err(error) => return died(format!("cannot be started: {error}"), Duration::ZERO),
        };
        let pid = child.pid();
        board.update(self.index + 1, |process| process.pid = pid);

        // 2. It opens its backend and shuts itself in.
        let first = tokio::select! {
            first = timeout(START_LIMIT, channel.recv()) => first,
            () = is_true(ended) => return stop(child, channel).await,
        };
        match first {
            Ok(Ok(Some(FromKeyhost::Ready))) => {}
            Ok(Ok(Some(FromKeyhost::Failed { needs_operator: true, message }))) => {
                return End::NeedsOperator(message);
            }
            Ok(Ok(Some(FromKeyhost::Failed { message, .. }))) => {
                return died(message, Duration::ZERO);
            }
            Ok(_) => return died(how_it_ended(&mut child).await, Duration::ZERO),
            Err(_) => return died("did not become ready in 30 s".to_owned(), Duration::ZERO),
        }

        // 3. It serves, and the next one may start.
        drop(turn);
        let since = Instant::now();
        tracing::info!(keyhost = self.plan.start.name, pid, "the keyhost serves");
        board.update(self.index + 1, |process| {
            process.phase = Phase::Serving;
            process.detail.clear();
        });
        let _ = front.send(Notice::Up(self.index, front_end)).await;
        let why = tokio::select! {
            why = watch_over(&channel, self.plan.call_limit, |_, _| ()) => why,
            _ = child.ended() => None,
            () = is_true(ended) => return stop(child, channel).await,
        };
        let why = match why {
            Some(why) => {
                // What hangs is killed; it may hold a lock of its module for ever.
                let _ = front.send(Notice::Down(self.index)).await;
                let _ = child.kill().await;
                why
            }
            None => how_it_ended(&mut child).await,
        };
        died(why, since.elapsed())
    }

    async fn spawn(&self) -> std::io::Result<(Child, Channel, FrontEnd)> {
        let (front_end, host_end) = link(self.front_threads)?;
        let (channel, control) = Channel::new()?;
        let environment = self.plan.environment.iter().map(|(name, value)| (name, value));
        let child = Child::start(&["keyhost", &self.plan.start.name], environment, control)?;
        channel.send(&StartMessage::Start(&self.plan.start), &host_end.fds()).await?;
        Ok((child, channel, front_end))
    }
}

/// [`ToKeyhost::Start`] without a copy.
#[derive(serde::Serialize)]
pub(crate) enum StartMessage<'a> {
    Start(&'a KeyhostStart),
}

/// Asks whether it makes progress until it does not (and says why it must be
/// killed) or has ended (`None`). `heard` is told how long the longest calls have been
/// running, in milliseconds: of those that must be quick, and of those that may take long.
pub(crate) async fn watch_over(
    channel: &Channel,
    call_limit: Duration,
    heard: impl Fn(u64, u64),
) -> Option<String> {
    let mut ticks = interval(PING_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match channel.send(&ToKeyhost::Ping, &[]).await {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                return Some("does not read its control socket; killed".to_owned());
            }
            Err(_) => return None,
        }
        let pong = timeout(PONG_LIMIT, channel.recv()).await;
        match pong {
            Err(_) => return Some("gave no sign of life for 1 s and was killed".to_owned()),
            Ok(Ok(Some(FromKeyhost::Pong { busiest_ms, slow_ms }))) => {
                heard(busiest_ms, slow_ms);
                if Duration::from_millis(busiest_ms) > call_limit {
                    return Some(format!("a call hung for {busiest_ms} ms; killed"));
                }
                if Duration::from_millis(slow_ms) > SLOW_CALL_LIMIT {
                    return Some(format!("a slow call hung for {slow_ms} ms; killed"));
                }
            }
            Ok(Ok(Some(other))) => return Some(format!("answered out of turn: {other:?}; killed")),
            Ok(Ok(None) | Err(_)) => return None,
        }
    }
}

/// The end of a process that closed its control socket.
async fn how_it_ended(child: &mut Child) -> String {
    match timeout(STOP_LIMIT, child.ended()).await {
        Ok(Ok(status)) => format!("ended: {status}"),
        Ok(Err(error)) => format!("ended: {error}"),
        Err(_) => {
            let _ = child.kill().await;
            "closed its control socket and was killed".to_owned()
        }
    }
}

/// Ends it in order: the end of its control socket tells it to go.
async fn stop(mut child: Child, channel: Channel) -> End {
    drop(channel);
    if timeout(STOP_LIMIT, child.ended()).await.is_err() {
        let _ = child.kill().await;
    }
    End::Stopped
}
