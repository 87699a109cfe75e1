//! The module itself, beside the backend: what anybody with the PIN can do.

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{Mechanism, vendor_defined::VendorDefinedMechanism},
    object::{Attribute, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use keyreeve_pkcs11_raw::AES_KEY_WRAP_KWP;
use keyreeve_testkit::Token;

/// A module, its token's slot, and a session that keeps the login.
pub(crate) struct RawToken {
    module: Pkcs11,
    slot: Slot,
    vendor: &'static str,
    _anchor: Session,
}

impl RawToken {
    /// Loads the module and logs in, unless the process did so before.
    pub(crate) fn open(token: &Token) -> Self {
        let module = Pkcs11::new(&token.module).unwrap();
        let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        let slots = module.get_slots_with_token().unwrap();
        let label = |slot: &Slot| module.get_token_info(*slot).unwrap().label().to_owned();
        let slot = slots.into_iter().find(|slot| label(slot).trim_end() == token.label).unwrap();
        let anchor = module.open_rw_session(slot).unwrap();
        let pin: AuthPin = token.pin.clone().into();
        // An error is that somebody is logged in already; otherwise all else fails.
        let _ = anchor.login(UserType::User, Some(&pin));
        Self { module, slot, vendor: token.vendor, _anchor: anchor }
    }

    /// A session for one attempt: one that failed may be of no more use.
    pub(crate) fn session(&self) -> Session {
        self.module.open_rw_session(self.slot).unwrap()
    }

    /// The private or secret object with the id of `n`.
    pub(crate) fn private(&self, n: u8) -> ObjectHandle {
        let template = [Attribute::Id(vec![n; 16]), Attribute::Private(true)];
        let found = self.session().find_objects(&template).unwrap();
        assert_eq!(found.len(), 1);
        found[0]
    }

    /// AES key wrap by RFC 5649, as this module calls it.
    pub(crate) fn kwp(&self) -> Mechanism<'static> {
        match self.vendor {
            "softhsm2" => Mechanism::AesKeyWrapPad,
            _ => {
                Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(AES_KEY_WRAP_KWP, None))
            }
        }
    }
}
