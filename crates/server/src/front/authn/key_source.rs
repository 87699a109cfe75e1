//! Where an issuer's keys come from, and when they are fetched.
//!
//! In the background: at the start, every five minutes, and earlier if a token names a
//! key that is not known, but never twice within thirty seconds, whoever asks and
//! however often. When the issuer cannot be asked, the keys that are known go on for a
//! day; after that there are none, and its tokens are refused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use http::Uri;
use keyreeve_identity::{Json, KeySet};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;

use super::fetch;
use crate::{
    config::{IssuerConfig, https},
    tls,
};

/// How long a request waits for keys that are being fetched.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long keys last that cannot be fetched again.
const LAST: Duration = Duration::from_secs(24 * 3600);

/// How often an issuer is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The least time between two fetches.
    pub(crate) least: Duration,
    /// The time between two fetches that nobody asked for.
    pub(crate) usual: Duration,
}

impl Pace {
    pub(crate) const STANDARD: Self =
        Self { least: Duration::from_secs(30), usual: Duration::from_secs(300) };
}

/// An issuer's keys, and how to get them.
pub(super) struct KeySource {
    place: Place,
    tls: TlsConnector,
    pace: Pace,
    keys: ArcSwapOption<Keys>,
    /// Somebody wants the keys fetched.
    asked: Notify,
    /// Whether asking has an effect at once.
    idle: AtomicBool,
    /// How often it was tried.
    tried: watch::Sender<u64>,
}

/// Keys that were fetched.
pub(super) struct Keys {
    pub(super) set: KeySet,
    /// Counts up when the keys have changed.
    pub(super) generation: u64,
    fetched: Instant,
}

struct Place {
    name: String,
    /// The `issuer` that the discovery document must have.
    issuer: String,
    /// The JWK set itself, or the discovery document.
    url: Uri,
    discovers: bool,
    /// Where the JWK set may be: host and port.
    hosts: Vec<String>,
}

impl KeySource {
    pub(super) fn new(config: &IssuerConfig, pace: Pace) -> Result<Self, String> {
        let issuer = https(&config.url)?;
        let discovery = format!(
            "{}/.well-known/openid-configuration",
            config.url.strip_suffix('/').unwrap_or(&config.url)
        );
        let url = https(config.jwks_url.as_deref().unwrap_or(&discovery))?;
        let authority = |url: &Uri| url.authority().map(|a| a.as_str().to_ascii_lowercase());
        let mut hosts: Vec<_> = config.jwks_hosts.iter().map(|h| h.to_ascii_lowercase()).collect();
        hosts.extend(authority(&issuer));
        let place = Place {
            name: config.name.clone(),
            issuer: config.url.clone(),
            url,
            discovers: config.jwks_url.is_none(),
            hosts,
        };
        Ok(Self {
            place,
            tls: tls::client(config.ca.as_deref(), &[])?,
            pace,
            keys: ArcSwapOption::empty(),
            asked: Notify::new(),
            idle: AtomicBool::new(false),
            tried: watch::channel(0).0,
        })
    }

    /// The keys, unless they are too old to be believed.
    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.load_full().filter(|keys| keys.fetched.elapsed() < LAST)
    }

    /// Which keys these are.
    pub(super) fn generation(&self) -> Option<u64> {
        let keys = self.keys.load();
        keys.as_ref().filter(|keys| keys.fetched.elapsed() < LAST).map(|keys| keys.generation)
    }

    /// Asks for a fetch, and waits for it if it begins at once.
    pub(super) async fn refetched(&self) {
        let mut tried = self.tried.subscribe();
        let first = *tried.borrow_and_update() == 0;
        let at_once = self.idle.swap(false, Ordering::AcqRel);
        self.asked.notify_one();
        if at_once || first {
            let _ = timeout(PATIENCE, tried.changed()).await;
        }
    }

    /// Keeps the keys as the issuer has them. Never ends.
    pub(super) async fn keep(&self) {
        loop {
            let fetched = self.fetch().await;
            let rest = match &fetched {
                Ok(()) => self.pace.usual.saturating_sub(self.pace.least),
                Err(why) => {
                    let issuer = &self.place.name;
                    tracing::warn!(issuer, why, "the keys of an issuer cannot be fetched");
                    Duration::ZERO
                }
            };
            self.tried.send_modify(|count| *count += 1);
            sleep(self.pace.least).await;
            self.idle.store(true, Ordering::Release);
            let _ = timeout(rest, self.asked.notified()).await;
            self.idle.store(false, Ordering::Release);
        }
    }

    async fn fetch(&self) -> Result<(), String> {
        let url =
            if self.place.discovers { self.discover().await? } else { self.place.url.clone() };
        let document = fetch::get(&url, &self.tls).await.map_err(|why| format!("{url}: {why}"))?;
        let set = KeySet::parse(&document).map_err(|why| format!("{url}: {why}"))?;
        if set.is_empty() {
            return Err(format!("{url}: there is no key in it that may sign tokens"));
        }
        let before = self.keys.load_full();
        let generation = match &before {
            Some(keys) if keys.set.same_keys(&set) => keys.generation,
            Some(keys) => keys.generation + 1,
            None => 1,
        };
        if before.is_none_or(|keys| keys.generation != generation) {
            let (issuer, keys, left_out) = (&self.place.name, set.len(), set.left_out());
            tracing::info!(issuer, keys, left_out, "an issuer has new keys");
        }
        self.keys.store(Some(Arc::new(Keys { set, generation, fetched: Instant::now() })));
        Ok(())
    }

    /// Where the discovery document (OpenID Connect Discovery 1.0 section 4) says that the
    /// keys are.
    async fn discover(&self) -> Result<Uri, String> {
        let place = &self.place;
        let url = &place.url;
        let document = fetch::get(url, &self.tls).await.map_err(|why| format!("{url}: {why}"))?;
        let document = Json::parse(&document).map_err(|why| format!("{url}: {why}"))?;
        let text = |name: &str| document.get(name).and_then(Json::text);
        if text("issuer") != Some(&place.issuer) {
            return Err(format!("{url}: is the document of another issuer"));
        }
        let keys = text("jwks_uri").ok_or_else(|| format!("{url}: names no jwks_uri"))?;
        let keys = https(keys).map_err(|why| format!("{url}: jwks_uri: {why}"))?;
        let named = keys.authority().map(|host| host.as_str().to_ascii_lowercase());
        if named.is_none_or(|host| !place.hosts.contains(&host)) {
            return Err(format!(
                "{url}: its jwks_uri is on another host; add that to jwks_hosts if it is right"
            ));
        }
        Ok(keys)
    }
}
