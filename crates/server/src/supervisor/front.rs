//! Running one front: from its start to its end.

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};

use keyreeve_authz::{Role, RoleId};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Board, Phase, Private, Running, Sockets,
    child::Child,
    is_true,
    keyhost::{self, Notice},
    pulse::{PING_EVERY, Pulse},
    revoked::Revoked,
};
use crate::{
    config::Checked,
    control::{Channel, FromFront, FrontStart, GroupStart, ListenerStart, ToFront, TokenStart},
};

/// Longest time from the start to `Ready`: reading the whole index of the store.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How a front ended.
pub(super) enum Outcome {
    /// As it was told to.
    Stopped,
    /// It says it cannot serve, and another one could not either.
    Refused(String),
    /// It died.
    Died {
        /// For the log.
        why: String,
        /// How long it had served.
        served: Duration,
    },
}

/// Starts a front and passes on what the keyhosts say, until its end.
pub(super) async fn run(
    config: &Checked,
    sockets: &mut Sockets,
    board: &Board,
    mut keyhosts: mpsc::Receiver<Notice>,
    on_ready: &mut dyn FnMut(&Running),
) -> Outcome {
    let died = |why: String, served| Outcome::Died { why, served };
    let mut stop = board.stop.clone();
    let mut states = board.processes.subscribe();

    // 1. It opens the store and begins to accept.
    let mut revoked = Revoked::new(config.client_ca.as_ref());
    let (mut child, channel) = match start(config, sockets).await {
        Ok(started) => started,
        Err(error) => return died(format!("cannot be started: {error}"), Duration::ZERO),
    };
    let pid = child.pid();
    board.update(0, |front| front.pid = pid);
    let first = tokio::select! {
        first = timeout(START_LIMIT, channel.recv()) => first,
        () = is_true(&mut stop) => {
            sockets.close();
            return drain(config, child, &channel).await;
        }
    };
    match first {
        Ok(Ok(Some(FromFront::Ready))) => {}
        Ok(Ok(Some(FromFront::Failed { message }))) => return Outcome::Refused(message),
        Ok(_) => return died(how_it_ended(&mut child).await, Duration::ZERO),
        Err(_) => return died("did not become ready in 60 s".to_owned(), Duration::ZERO),
    }
    let since = Instant::now();
    tracing::info!(pid, grpc = %sockets.grpc, https = %sockets.https, "the front serves");
    for Private { name, address, .. } in &sockets.private {
        tracing::info!(%name, address, "a private listener is open");
    }
    board.update(0, |front| front.phase = Phase::Serving);
    states.mark_changed();

    // 2. It hears of every start and end of a keyhost, and shows that it lives.
    let mut announced = false;
    let mut pulse = Pulse::default();
    let mut ticks = interval(PING_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let passed_on = tokio::select! {
            biased;
            () = is_true(&mut stop) => {
                sockets.close();
                return drain(config, child, &channel).await;
            }
            status = child.ended() => {
                let why = status.map_or_else(|e| e.to_string(), |status| format!("ended: {status}"));
                return died(why, since.elapsed());
            }
            sign = channel.recv() => match sign {
                Ok(Some(FromFront::Pong { stalest_ms })) => {
                    if let Err(why) = pulse.answer(Duration::from_millis(stalest_ms)) {
                        let _ = child.kill().await;
                        return died(why, since.elapsed());
                    }
                    continue;
                }
                Ok(Some(FromFront::Failed { message })) => {
                    let _ = child.kill().await;
                    return died(message, since.elapsed());
                }
                Ok(Some(FromFront::Ready)) => {
                    let _ = child.kill().await;
                    return died("said twice that it is ready; killed".to_owned(), since.elapsed());
                }
                Ok(None) | Err(_) => {
                    let why = how_it_ended(&mut child).await;
                    let _ = child.kill().await;
                    return died(why, since.elapsed());
                }
            },
            _ = ticks.tick() => {
                if let Err(why) = pulse.ask() {
                    let _ = child.kill().await;
                    return died(why, since.elapsed());
                }
                match revoked.changed() {
                    Some(file) => channel.send(&ToFront::Revoked, &[file.as_fd()]).await,
                    None => Ok(()),
                }
                .and(channel.send(&ToFront::Ping, &[]).await)
            }
            Some(notice) = keyhosts.recv() => pass_on(&channel, notice).await,
            Ok(()) = states.changed() => {
                let processes = states.borrow_and_update().clone();
                let settled = processes.iter().all(|process| process.phase != Phase::Starting);
                let sent = channel.send(&ToFront::State(processes.clone()), &[]).await;
                if settled && !announced {
                    announced = true;
                    let Sockets { grpc, https, .. } = *sockets;
                    on_ready(&Running { grpc, https, processes });
                }
                sent
            }
        };
        if let Err(error) = passed_on {
            // Its end is seen above; anything else, as that it does not read, means
            // that it cannot be steered.
            tracing::warn!(%error, "the front's control socket failed");
            let _ = child.kill().await;
        }
    }
}

async fn start(config: &Checked, sockets: &Sockets) -> std::io::Result<(Child, Channel)> {
    let slots: Vec<_> = config.slot_keyhosts().collect();
    let groups = config.groups.iter().map(|group| {
        // The software keystore comes first.
        let ours = slots.iter().enumerate().filter(|(_, it)| group.slots.contains(it.slot));
        let members = ours.map(|(place, keyhost)| (place + 1, keyhost.slot.to_string()));
        GroupStart {
            name: group.name.to_string(),
            members: members.collect(),
            min_replicas: group.min_replicas,
        }
    });
    let groups = groups.collect();
    let start = FrontStart {
        data_dir: config.data_dir.clone(),
        certificate: config.tls.certificate.clone(),
        key: config.tls.key.clone(),
        threads: config.front_threads,
        keyhosts: std::iter::once(keyhost::SOFTWARE.to_owned())
            .chain(slots.into_iter().map(|keyhost| keyhost.name))
            .collect(),
        groups,
        premium: config.premium.as_ref().map(ToString::to_string),
        tokens: config
            .tokens
            .iter()
            .map(|token| TokenStart {
                name: token.name.to_string(),
                sha256: hex::encode(token.sha256),
                roles: places(&token.roles),
            })
            .collect(),
        issuers: config.issuers.clone(),
        client_ca: config.client_ca.clone(),
        https_url: config.https_url.clone(),
        limits: config.limits.clone(),
        audit: config.audit.clone(),
        open_metrics: config.open_metrics,
        telemetry: config.telemetry.clone(),
        log: config.log.clone(),
        allow_rsa1_5: config.allow_rsa1_5,
        listeners: sockets.private.len(),
    };
    let (channel, control) = Channel::new()?;
    let child = Child::start(&["front"], [("", ""); 0], control)?;
    let fds: Vec<_> = sockets.listeners.iter().map(AsFd::as_fd).collect();
    channel.send(&ToFront::Start(Box::new(start)), &fds).await?;
    for private in &sockets.private {
        let fds: Vec<_> = private.sockets.iter().map(AsFd::as_fd).collect();
        let door = private.door;
        let listener =
            ListenerStart { name: private.name.to_string(), door, unix: private.path.is_some() };
        channel.send(&ToFront::Listener(listener), &fds).await?;
    }
    Ok((child, channel))
}

fn places(roles: &[RoleId]) -> Vec<usize> {
    let all = Role::built_in().iter().enumerate();
    all.filter(|(_, role)| roles.contains(&role.id())).map(|(place, _)| place).collect()
}

async fn pass_on(channel: &Channel, notice: Notice) -> std::io::Result<()> {
    match notice {
        Notice::Up(keyhost, end) => channel.send(&ToFront::Link { keyhost }, &end.fds()).await,
        Notice::Down(keyhost) => channel.send(&ToFront::Down { keyhost }, &[]).await,
    }
}

async fn how_it_ended(child: &mut Child) -> String {
    match timeout(Duration::from_secs(2), child.ended()).await {
        Ok(Ok(status)) => format!("ended: {status}"),
        _ => "closed its control socket".to_owned(),
    }
}

/// Lets it finish what is in flight, for as long as the configuration says and a
/// second more for itself.
async fn drain(config: &Checked, mut child: Child, channel: &Channel) -> Outcome {
    let _ = channel.send(&ToFront::Drain, &[]).await;
    let limit = Duration::from_millis(config.limits.drain_ms) + Duration::from_secs(1);
    if timeout(limit, child.ended()).await.is_err() {
        tracing::warn!("the front did not end in time and is killed");
        let _ = child.kill().await;
    }
    Outcome::Stopped
}
