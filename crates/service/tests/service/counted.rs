//! What the service counts of itself.

use keyreeve_service::{Expiring, Requests};
use keyreeve_testkit::soon;

use super::*;

const DAY: i64 = 86_400;

/// A node over the fixture's store, and one of its runtimes.
async fn node(it: &Fixture) -> (Arc<Shared>, Service) {
    let settings = Settings { roles: everything("tests"), ..Settings::default() };
    let clock = Arc::clone(&it.clock);
    let clock = Clock::new(move || UnixTime(clock.load(Ordering::Relaxed)));
    let opened = Shared::open(Arc::clone(&it.store), settings, clock, it.audit.recorder()).await;
    let (shared, follower) = opened.expect("a store");
    tokio::spawn(follower.run());
    let service = runtime(it, &shared);
    (shared, service)
}

fn runtime(it: &Fixture, shared: &Arc<Shared>) -> Service {
    Service::new(Arc::clone(shared), Backends::new(it.keyhost.client().clone(), Vec::new(), None))
}

/// Guards against a key that expires unnoticed, and against one that was replaced or
/// disabled and still raises an alarm.
#[tokio::test]
async fn keys_that_expire_soon_are_counted_by_their_latest_version() {
    let it = Fixture::start().await;
    let (shared, service) = node(&it).await;
    let make = async |name: &str, days: Option<i64>, enabled: bool| {
        let expires = days.map(|days| UnixTime(NOW + days * DAY));
        let attributes = Attributes { expires, enabled, ..Attributes::default() };
        let request = CreateKey { attributes, ..new_key(name, KeySpec::Ed25519) };
        service.create_key(&it.caller, request, soon()).await.expect("a key");
    };
    make("in-a-day", Some(1), true).await;
    make("in-twenty-days", Some(20), true).await;
    make("in-a-year", Some(365), true).await;
    make("never", None, true).await;
    make("disabled", Some(1), false).await;
    make("replaced", Some(1), true).await;
    make("replaced", None, true).await;
    let expiring = |expired, within_7_days, within_30_days| Expiring {
        expired,
        within_7_days,
        within_30_days,
    };
    assert_eq!(shared.expiring(), expiring(0, 1, 2));
    it.set_clock(NOW + 2 * DAY);
    make("another", None, true).await;
    assert_eq!(shared.expiring(), expiring(1, 0, 1), "counted anew after a change");
}

/// Guards against requests that are counted in one runtime and not in the sum, and
/// against a refused stranger who learns from a label that a vault exists.
#[tokio::test]
async fn what_runtimes_count_is_added_up() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let (shared, first) = node(&it).await;
    let second = runtime(&it, &shared);
    for service in [&first, &second] {
        service.get_key(&it.caller, key("jwt"), soon()).await.expect("a key");
        service.get_key(&caller("stranger"), key("jwt"), soon()).await.expect_err("no role");
    }
    let counted = shared.totals().requests;
    let of: Vec<_> = counted.iter().filter(|requests| requests.operation == "GetKey").collect();
    let requests = |outcome, tier| Requests { operation: "GetKey", outcome, tier, count: 2 };
    assert_eq!(of, [&requests("OK", Some(Tier::Standard)), &requests("PERMISSION_DENIED", None)]);
}
