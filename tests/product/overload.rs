//! Ten times more is asked than the service can do.
//!
//! Capacity is what 64 callers get who each wait for their answer; overload is ten
//! times as many calls, sent whether or not answers come. The keys are RSA-4096, whose
//! signatures take milliseconds: with anything cheaper, sending ten times what two cores
//! can do would take more than two cores.
//!
//! In a test run it looks for collapse alone: figures need a machine that does nothing
//! else. `cargo xtask campaign overload` asks for the figures.

use std::{
    env,
    time::{Duration, Instant},
};

use keyreeve_client::v1::{
    self, SignRequest, crypto_service_client::CryptoServiceClient as Crypto, sign_request,
};
use keyreeve_testkit::Keyreeve;
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::caller::{Bare, block_on, client, keyreeve};

const CALLERS: usize = 64;
const CONNECTIONS: usize = 8;
/// How long it runs before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many times its capacity is asked.
const FACTOR: f64 = 10.0;

/// Guards against a service that, when too much is asked, does nothing for anybody: that
/// lets everybody wait until nobody wants the answer any more, that refuses without
/// saying when to come back, or that takes itself for hung and starts anew.
#[test]
fn under_ten_times_its_capacity_it_goes_on_as_if_at_capacity() {
    let campaign: Option<u64> =
        env::var("KEYREEVE_OVERLOAD").ok().map(|seconds| seconds.parse().expect("seconds"));
    let window = Duration::from_secs(campaign.unwrap_or(3));
    let service = Keyreeve::start().expect("a service");
    keyreeve(&service, &["key", "create", "dev/rsa", "--kty", "RSA", "--size", "4096"]);
    let front = service.front();
    let keyhost = service.keyhost("software");
    let (capacity, overload) = block_on(async {
        let mut callers = Vec::new();
        for _ in 0..CONNECTIONS {
            callers.push(Bare::connect(&service).await);
        }
        let capacity = at_capacity(&callers, window).await;
        let overload = overloaded(&callers, capacity.rate() * FACTOR, window).await;
        (capacity, overload)
    });
    let goodput = overload.rate() / capacity.rate();
    let slower = overload.p99().as_secs_f64() / capacity.p99().as_secs_f64();
    eprintln!(
        "overload: {:.0} a second at capacity, p99 {:.1} ms; {:.0} times that asked: goodput \
         {:.0} %, p99 {slower:.2} times as long, {} refused",
        capacity.rate(),
        capacity.p99().as_secs_f64() * 1e3,
        overload.asked as f64 / window.as_secs_f64() / capacity.rate(),
        goodput * 100.0,
        overload.refused.len(),
    );
    assert!(!overload.refused.is_empty(), "it was no overload");
    for status in &overload.refused {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        let retry = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
        assert!(retry.is_some_and(|delay| !delay.is_zero()), "{status:?}");
    }
    let (least, most) = if campaign.is_some() { (0.8, 3.0) } else { (0.3, f64::INFINITY) };
    assert!(goodput >= least, "goodput fell to {goodput:.2} of the capacity");
    assert!(slower <= most, "the slowest of a hundred took {slower:.1} times as long");
    let status = block_on(async { client(&service).status().await }).expect("a status");
    assert!(status.processes.iter().all(|process| process.restarts == 0), "{status:?}");
    assert_eq!((service.front(), service.keyhost("software")), (front, keyhost));
}

/// What came of calls that were made within a window.
#[derive(Default)]
struct Outcome {
    window: Duration,
    asked: usize,
    /// How long each answer took.
    answered: Vec<Duration>,
    refused: Vec<Status>,
}

impl Outcome {
    fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.window.as_secs_f64()
    }

    fn p99(&self) -> Duration {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * 99 / 100).copied().expect("somebody was answered")
    }

    fn add(&mut self, answer: Result<(), Status>, took: Duration) {
        self.asked += 1;
        match answer {
            Ok(()) => self.answered.push(took),
            Err(status) => self.refused.push(status),
        }
    }
}

/// Callers who wait for their answers.
async fn at_capacity(callers: &[Bare], window: Duration) -> Outcome {
    let began = Instant::now();
    let end = began + WARM_UP + window;
    let mut tasks = JoinSet::new();
    for caller in callers.iter().cycle().take(CALLERS) {
        let caller = caller.clone();
        tasks.spawn(async move {
            let mut outcome = Outcome::default();
            while Instant::now() < end {
                let since = Instant::now();
                let answer = sign(&caller).await;
                if since > began + WARM_UP {
                    outcome.add(answer, since.elapsed());
                }
            }
            outcome
        });
    }
    let mut all = Outcome { window, ..Outcome::default() };
    while let Some(outcome) = tasks.join_next().await {
        let outcome = outcome.expect("a caller");
        all.asked += outcome.asked;
        all.answered.extend(outcome.answered);
        all.refused.extend(outcome.refused);
    }
    assert!(all.refused.is_empty(), "refused at capacity: {:?}", all.refused.first());
    all
}

/// So many calls a second, whatever comes of them.
async fn overloaded(callers: &[Bare], rate: f64, window: Duration) -> Outcome {
    let began = Instant::now();
    let (results, mut ended) = mpsc::unbounded_channel();
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut sent = 0;
    while began.elapsed() < WARM_UP + window {
        tick.tick().await;
        let due = (began.elapsed().as_secs_f64() * rate) as usize;
        for number in sent..due {
            let (caller, results) = (callers[number % callers.len()].clone(), results.clone());
            tokio::spawn(async move {
                let since = Instant::now();
                let answer = sign(&caller).await;
                let counts = since > began + WARM_UP;
                let _ = results.send(counts.then(|| (answer, since.elapsed())));
            });
        }
        sent = due;
    }
    drop(results);
    let mut outcome = Outcome { window, ..Outcome::default() };
    while let Some(result) = ended.recv().await {
        if let Some((answer, took)) = result {
            outcome.add(answer, took);
        }
    }
    outcome
}

async fn sign(caller: &Bare) -> Result<(), Status> {
    let request = SignRequest {
        name: "vaults/dev/keys/rsa".to_owned(),
        algorithm: "RS256".to_owned(),
        input: Some(sign_request::Input::Digest(vec![7; 32].into())),
    };
    let mut crypto: Crypto<Channel> = Crypto::new(caller.channel.clone());
    let answer: Result<tonic::Response<v1::SignResponse>, Status> =
        crypto.sign(caller.request(request)).await;
    answer.map(drop)
}
