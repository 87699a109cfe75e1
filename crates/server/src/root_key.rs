//! Making the root key, for `keyreeve root-key create`.

use std::path::Path;

use keyreeve_keyhost::{RootKey, RootKeyError, sandbox};

/// Makes a root key in a new file of mode 0400. The process that does this should
/// do nothing else.
pub fn create(path: &Path) -> Result<(), RootKeyError> {
    // What cannot be had is not needed badly enough to refuse.
    let _ = [sandbox::not_dumpable(), sandbox::no_core_files()];
    RootKey::create(path)
}
