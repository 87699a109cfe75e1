//! Versions whose caller does not wait.

use std::sync::Arc;

use keyreeve_authz::{Action, Listener, Principal, PrincipalKind, Role, Subject};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::{AuditLog, LocalKeyhost, soon};
use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    Backends, Caller, Clock, ConfiguredRole, Identity, Kind, Method, Settings, Shared, Source,
    Tier, VaultName, gate::Ask, keys::create::Generate, vaults::CreateVault,
};

/// How long making takes here.
const SLOW: Duration = Duration::from_millis(200);

/// A device that takes its time.
struct Slowly(Generate);

impl Make for Slowly {
    async fn make(&self, place: &Place, deadline: Deadline) -> Result<NewVersion, Error> {
        sleep(SLOW).await;
        self.0.make(place, deadline).await
    }
}

struct Fixture {
    service: Service,
    caller: Caller,
    _keyhost: LocalKeyhost,
    _audit: AuditLog,
}

impl Fixture {
    async fn start() -> Self {
        let keyhost = LocalKeyhost::start().await.expect("a keyhost");
        let audit = AuditLog::start().expect("an audit log");
        let store = Arc::new(MemoryStore::new());
        let holder = Principal::new(PrincipalKind::Token, None, "tests").expect("a principal");
        let role = |name| Role::find_built_in(name).expect("a role").id();
        let roles = ["Key Vault Contributor", "Key Vault Administrator"]
            .map(|name| ConfiguredRole { holder: holder.clone(), role: role(name) });
        let settings = Settings { roles: roles.into(), ..Settings::default() };
        let opened = Shared::open(store, settings, Clock::system(), audit.recorder()).await;
        let (shared, follower) = opened.expect("an empty store");
        tokio::spawn(follower.run());
        let service =
            Service::new(shared, Backends::new(keyhost.client().clone(), Vec::new(), None));
        let caller = caller(holder);
        let name = VaultName::new("prod").expect("a name");
        let request = CreateVault { name, tier: Tier::Standard };
        service.create_vault(&caller, request, soon()).await.expect("a vault");
        Self { service, caller, _keyhost: keyhost, _audit: audit }
    }

    async fn add_slowly(&self, deadline: Deadline) -> Result<Arc<KeyVersion>, Error> {
        let name = name();
        let run = self.service.run(
            &self.caller,
            Ask::key(Action::CreateKey, name),
            deadline,
            |permit| async move {
                let attributes = Attributes::default();
                let making = Slowly(Generate {
                    spec: KeySpec::EcP256,
                    operations: None,
                    attributes: attributes.clone(),
                });
                self.service.add_version(permit, name, &attributes, deadline, making).await
            },
        );
        run.await
    }

    fn is_there(&self) -> bool {
        self.service.key_record(name()).is_some()
    }
}

fn caller(principal: Principal) -> Caller {
    let subject = Subject::new(principal, []).expect("a subject");
    let listener = Listener { name: "grpc".parse().expect("a name"), private: false };
    let source = Source { peer: None, listener: Arc::new(listener) };
    Caller::new(Arc::new(Identity::proven(subject, Method::Token, None)), source, None)
}

fn name() -> KeyName<'static> {
    KeyName::new("prod", "slow", None).expect("a name")
}

/// Guards against a key that stays in its slot without a record, because the caller
/// whose call made it hung up.
#[tokio::test]
async fn a_caller_that_hangs_up_leaves_a_key_with_its_record() {
    let it = Fixture::start().await;
    let gone = timeout(SLOW / 4, it.add_slowly(soon())).await;
    assert!(gone.is_err(), "the caller was meant to go away first");
    assert!(!it.is_there());
    timeout(SLOW * 50, async {
        while !it.is_there() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the key that was being made is recorded");
}

/// Guards against a version that appears after its caller was told that the deadline
/// passed and has made another.
#[tokio::test]
async fn what_is_made_after_the_deadline_is_not_recorded() {
    let it = Fixture::start().await;
    let late = it.add_slowly(Deadline::after(SLOW / 4)).await;
    assert_eq!(late.expect_err("too late").kind(), Kind::DeadlineExceeded);
    sleep(SLOW * 3).await;
    assert!(!it.is_there());
    it.add_slowly(soon()).await.expect("the name is free");
}
