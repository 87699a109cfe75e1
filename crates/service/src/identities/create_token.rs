//! Issue a token.

use std::sync::Arc;

use keyreeve_audit::record::{Change, PrincipalName};
use keyreeve_authz::{Action, Principal, PrincipalKind};
use keyreeve_identity::secret;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use keyreeve_types::{Name, UnixTime};

use super::{Made, end};
use crate::{
    Caller, Error, IssuedToken, Service, TokenOwner,
    caller::recorded_name,
    commit::encode,
    directory::Path,
    draw,
    gate::{Ask, Permit},
    record::{FORMAT, OwnerRecord, TokenRecord},
};

/// Most expired tokens whose records are removed when one is issued, so that they do
/// not pile up.
const SWEEP: usize = 8;

/// A request to issue a token.
#[derive(Debug, Clone, Copy)]
pub struct CreateToken<'a> {
    /// Whom it proves.
    pub owner: TokenOwner<'a>,
    /// From when on it proves nothing.
    pub expires: UnixTime,
}

impl Service {
    /// Issues a token, which only an Owner may: its bearer may do all that its owner may.
    pub async fn create_token(
        &self,
        caller: &Caller,
        request: CreateToken<'_>,
        deadline: Deadline,
    ) -> Result<Made<Arc<IssuedToken>>, Error> {
        let holder = self.recorded_owner(request.owner);
        let set = Change { holder, expires: Some(request.expires.0), ..Change::default() };
        let ask = Ask::credential("CreateToken", Action::WriteIdentity, None).setting(&set);
        self.run(caller, ask, deadline, move |permit| async move {
            let expires = end(self.shared().clock.now(), request.expires)?;
            let owner = match request.owner {
                TokenOwner::Principal(id) => {
                    OwnerRecord::Principal(self.account(&permit, id)?.id().to_owned())
                }
                TokenOwner::Name(name) => {
                    let name: Name = name.parse().map_err(|_| {
                        Error::invalid("name", "a name has 1 to 127 of 0-9, a-z, A-Z and '-'")
                    })?;
                    OwnerRecord::Name(name.as_str().to_owned())
                }
            };
            self.issue(&permit, owner, expires, deadline).await
        })
        .await
    }

    /// Issues a token for `owner`.
    pub(super) async fn issue(
        &self,
        permit: &Permit,
        owner: OwnerRecord,
        expires: i64,
        deadline: Deadline,
    ) -> Result<Made<Arc<IssuedToken>>, Error> {
        let now = self.shared().clock.now().0;
        let (id, token) = (draw::credential_id()?, secret::new(secret::TOKEN, &draw::secret()?));
        let record = TokenRecord {
            format: FORMAT,
            id: id.clone(),
            sha256: secret::hash(token.expose().as_bytes()).to_vec(),
            owner,
            created: now,
            expires,
            revoked: None,
        };
        let path = Path::Token(id.as_str().into()).to_store();
        let batch = Batch::new().require_absent(path.clone()).put(path, encode(&record)?);
        let batch = self.expired_tokens(now).into_iter().fold(batch, Batch::delete);
        self.commit(permit, batch, deadline).await?;
        let made = self.shared().directory.now().tokens.get(id.as_str()).map(Arc::clone);
        let made = made.ok_or_else(|| {
            Error::internal("TOKEN_GONE", "a token that was just written is not there")
        })?;
        Ok(Made { made, secret: token })
    }

    /// What the log calls whoever the token is for, if there is such a one.
    fn recorded_owner(&self, owner: TokenOwner<'_>) -> Option<PrincipalName> {
        match owner {
            TokenOwner::Principal(id) => {
                self.shared().client(id).map(|known| recorded_name(known.subject().principal()))
            }
            TokenOwner::Name(name) => {
                let name: Name = name.parse().ok()?;
                let named = Principal::new(PrincipalKind::Token, None, name.as_str()).ok()?;
                Some(recorded_name(&named))
            }
        }
    }

    /// A few tokens that have ended long enough for nobody to look for them: a day ago.
    fn expired_tokens(&self, now: i64) -> Vec<keyreeve_store::Key> {
        let people = self.shared().directory.now();
        let expired = people.tokens.iter().filter(|(_, token)| token.expires().0 + 86_400 < now);
        expired.take(SWEEP).map(|(id, _)| Path::Token(id.clone()).to_store()).collect()
    }
}
