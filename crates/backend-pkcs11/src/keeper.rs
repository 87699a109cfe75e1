//! Sessions that keep session objects.
//!
//! A session object dies with the session that made it, whoever uses it. A thread's
//! working session is thrown away after every failed call, and would take the keys of
//! all threads with it. So each thread makes them in a second session, which does nothing
//! else and has no operation under way that could fail; a handle is valid in every
//! session of the process. The last key that lives in it keeps it open.

use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::{error::Error as Pkcs11Error, object::ObjectHandle, session::Session as Raw};

use crate::error::describe;

/// A session in which session objects live. Locked for the time of a call: keys are made
/// in it by one thread and end in any.
pub(crate) struct Keeper(Mutex<Raw>);

/// A session object, destroyed when this is dropped.
pub(crate) struct SessionObject {
    pub(crate) handle: ObjectHandle,
    keeper: Arc<Keeper>,
}

impl Keeper {
    pub(crate) const fn new(session: Raw) -> Self {
        Self(Mutex::new(session))
    }

    /// Makes an object.
    pub(crate) fn make(
        self: Arc<Self>,
        make: impl FnOnce(&Raw) -> Result<ObjectHandle, Pkcs11Error>,
    ) -> Result<SessionObject, Pkcs11Error> {
        let handle = make(&self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(SessionObject { handle, keeper: self })
    }
}

impl Drop for SessionObject {
    fn drop(&mut self) {
        let session = self.keeper.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails where the session, and the object with it, has gone before.
        if let Err(error) = session.destroy_object(self.handle) {
            tracing::debug!(error = %describe(&error), "a session object was gone");
        }
    }
}
