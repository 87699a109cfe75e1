//! Reading how the service is, which whoever runs it knows and this crate does not.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, Service,
    gate::{Ask, Unseen},
};

impl Service {
    /// Lets `caller` read what `read` reports.
    pub async fn get_status<T>(
        &self,
        caller: &Caller,
        read: impl Fn() -> T,
        deadline: Deadline,
    ) -> Result<T, Error> {
        let read = &read;
        self.run(caller, Ask::service(Action::GetStatus), deadline, move |_permit| async move {
            Ok(Unseen(read()))
        })
        .await
        .map(|read| read.0)
    }
}
