//! A PKCS#11 module that stands before a real one and goes wrong when told to.
//!
//! It is loaded like any module, loads the one that `KEYREEVE_SHIM_MODULE` names, and
//! forwards every call of PKCS#11 2.40 to it. The file that `KEYREEVE_SHIM_CONTROL`
//! names says which calls return something else, wait, never return, end the process
//! or give back a damaged result; it is read at each call, so that a test can change
//! it under a running keyhost (`control.rs` has its format). Beside it, under the same name
//! with `.log`, is a line for each `C_Login` and for each call that went wrong.
//!
//! A module is a table of C functions that take pointers, which cannot be written
//! without `unsafe`: hence a crate of its own, for tests only. It refuses to be clever:
//! it looks into no argument but the result that it damages.

mod control;
mod forward;
mod real;

use cryptoki_sys::{CK_FUNCTION_LIST, CK_RV, CKR_ARGUMENTS_BAD, CKR_GENERAL_ERROR, CKR_OK};

/// The way into every PKCS#11 module (PKCS#11 2.40 section 5.4).
///
/// # Safety
///
/// `list` must be null or point to room for a pointer, as the standard asks.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "the standard's name")]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    match forward::table() {
        Some(table) => {
            // SAFETY: the caller gave room for a pointer, and the table is a static.
            unsafe { *list = std::ptr::from_ref(table).cast_mut() };
            CKR_OK
        }
        None => CKR_GENERAL_ERROR,
    }
}
