//! Issue an access token to a client that has proven itself.

use keyreeve_authz::PrincipalKind;
use keyreeve_keyhost::Deadline;
use keyreeve_types::{Secret, UnixTime};

use crate::{Caller, Error, Service, gate::Ask, record::OwnerRecord};

/// How long an access token lasts, in seconds.
pub const ACCESS_TOKEN_LIFE: i64 = 3600;

/// An access token.
#[derive(Debug)]
pub struct AccessToken {
    /// The token, shown this once.
    pub token: Secret<String>,
    /// From when on it proves nothing.
    pub expires: UnixTime,
}

impl Service {
    /// Issues a token for the caller itself, who is a principal that Keyreeve keeps.
    pub async fn issue_access_token(
        &self,
        caller: &Caller,
        deadline: Deadline,
    ) -> Result<AccessToken, Error> {
        let ask = Ask::Proven("IssueAccessToken");
        self.run(caller, ask, deadline, move |permit| async move {
            let principal = caller.identity().subject().map(|subject| subject.principal());
            let kept = principal.filter(|principal| {
                let kinds = [PrincipalKind::ServicePrincipal, PrincipalKind::ManagedIdentity];
                principal.issuer().is_none() && kinds.contains(&principal.kind())
            });
            let kept = kept.ok_or_else(|| {
                Error::precondition(
                    "NOT_KEPT",
                    "access tokens are for principals that are kept here",
                )
            })?;
            // It may have been disabled since it was proven.
            let account = self.account(&permit, kept.name())?;
            let expires = self.shared().clock.now().0 + ACCESS_TOKEN_LIFE;
            let owner = OwnerRecord::Principal(account.id().to_owned());
            let made = self.issue(&permit, owner, expires, deadline).await?;
            Ok(AccessToken { token: made.secret, expires: UnixTime(expires) })
        })
        .await
    }
}
