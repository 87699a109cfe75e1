//! Token information, read field by field.

use std::{fmt, path::Path};

use cryptoki::slot::Slot;
use cryptoki_sys::{
    CK_FUNCTION_LIST, CK_RV, CK_TOKEN_INFO, CKF_TOKEN_INITIALIZED, CKF_USER_PIN_FINAL_TRY,
    CKF_USER_PIN_LOCKED, CKR_OK,
};
use libloading::Library;

/// What a token says of itself: `CK_TOKEN_INFO`, without what nobody needs and without
/// its clock. Texts are trimmed of their padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Its label.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// Its model.
    pub model: String,
    /// Whether it was initialised.
    pub initialized: bool,
    /// Whether one more wrong user PIN locks it.
    pub user_pin_final_try: bool,
    /// Whether the user PIN is locked.
    pub user_pin_locked: bool,
}

/// Why a token cannot be read.
#[derive(Debug)]
pub struct NotReadable(String);

impl fmt::Display for NotReadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotReadable {}

impl TokenInfo {
    /// Asks the module at `path`, which this process has loaded and initialised.
    ///
    /// Not for a module that returns another list of functions at each call and
    /// initialises each by itself (p11-kit's client): that answers with
    /// `CKR_CRYPTOKI_NOT_INITIALIZED`, which is a [`NotReadable`].
    ///
    /// # Errors
    ///
    /// If the module cannot be loaded again, or refuses.
    pub fn read(path: &Path, slot: Slot) -> Result<Self, NotReadable> {
        let failed = |what: String| NotReadable(format!("{}: {what}", path.display()));
        // SAFETY: the module is loaded already; this counts one more reference to it.
        let library = unsafe { Library::new(path) }.map_err(|error| failed(error.to_string()))?;
        // SAFETY: the standard gives this symbol this type.
        let get = unsafe { library.get::<GetFunctionList>(b"C_GetFunctionList\0") }
            .map_err(|error| failed(error.to_string()))?;
        let mut list = std::ptr::null_mut();
        // SAFETY: `list` is room for a pointer.
        let value = unsafe { get(&raw mut list) };
        if value != CKR_OK {
            return Err(failed(format!("C_GetFunctionList: CKR {value:#x}")));
        }
        // SAFETY: with success, the module points it to a list which it keeps while loaded.
        let list = unsafe { list.as_ref() };
        let function = list.and_then(|list| list.C_GetTokenInfo);
        let function = function.ok_or_else(|| failed("no C_GetTokenInfo".to_owned()))?;
        let mut info = CK_TOKEN_INFO::default();
        // SAFETY: `info` is room for what the function writes.
        match unsafe { function(slot.id(), &raw mut info) } {
            CKR_OK => Ok(Self::of(&info)),
            value => Err(failed(format!("C_GetTokenInfo: CKR {value:#x}"))),
        }
    }

    fn of(info: &CK_TOKEN_INFO) -> Self {
        let has = |flag| info.flags & flag != 0;
        Self {
            label: text(&info.label),
            serial: text(&info.serialNumber),
            model: text(&info.model),
            initialized: has(CKF_TOKEN_INITIALIZED),
            user_pin_final_try: has(CKF_USER_PIN_FINAL_TRY),
            user_pin_locked: has(CKF_USER_PIN_LOCKED),
        }
    }
}

type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;

/// Without the padding: blanks by the standard, NULs from some modules.
fn text(padded: &[u8]) -> String {
    String::from_utf8_lossy(padded).trim_end_matches(['\0', ' ']).to_owned()
}
