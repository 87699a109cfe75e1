//! List tokens.

use std::{ops::Bound, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Caller, Error, IssuedToken, Page, PageRequest, Service, gate::Ask};

impl Service {
    /// Lists the tokens that were issued, revoked ones included, in the order of their
    /// ids. Those of the configuration are not among them.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<Arc<IssuedToken>>, Error> {
        let ask = Ask::credential("ListTokens", Action::ListIdentities, None);
        self.run(caller, ask, deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after()?);
            let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let people = self.shared().directory.now();
            let all = people.tokens.range::<_, str>((start, Bound::Unbounded));
            let all = all.map(|(_, token)| Arc::clone(token));
            Ok(Page::take(all, limit, |token| token.id().to_owned()))
        })
        .await
    }
}
