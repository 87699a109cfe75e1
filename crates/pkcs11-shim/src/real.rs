//! The module behind this one.

use std::{env, sync::OnceLock};

use cryptoki_sys::{CK_FUNCTION_LIST, CK_RV, CKR_OK};
use libloading::Library;

/// Names the module that is forwarded to.
const MODULE: &str = "KEYREEVE_SHIM_MODULE";

/// Its functions. `None` if it cannot be loaded.
pub(crate) fn functions() -> Option<&'static CK_FUNCTION_LIST> {
    static REAL: OnceLock<Option<&'static CK_FUNCTION_LIST>> = OnceLock::new();
    *REAL.get_or_init(load)
}

type GetFunctionList = unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV;

fn load() -> Option<&'static CK_FUNCTION_LIST> {
    let path = env::var_os(MODULE)?;
    // SAFETY: what a PKCS#11 module does when it is loaded is what a test asks for.
    let library = unsafe { Library::new(path) }.ok()?;
    // It stays for as long as the process: pointers into it are handed out.
    let library: &'static Library = Box::leak(Box::new(library));
    // SAFETY: the standard gives this symbol this type.
    let get = unsafe { library.get::<GetFunctionList>(b"C_GetFunctionList\0") }.ok()?;
    let mut list = std::ptr::null_mut();
    // SAFETY: `list` is room for a pointer.
    if unsafe { get(&raw mut list) } != CKR_OK {
        return None;
    }
    // SAFETY: the module returned it with success, and keeps it while it is loaded.
    unsafe { list.as_ref() }
}
