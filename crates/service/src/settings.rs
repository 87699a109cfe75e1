//! What the configuration decides, and the limits nobody can configure.

use crate::{ConfiguredRole, Rates};

/// What the configuration decides about the service.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether RSA1_5 (RSAES-PKCS1-v1_5) may be used. Off unless there is no way
    /// round it: its padding is an oracle to whoever can tell failures apart.
    pub allow_rsa1_5: bool,
    /// Who holds which roles at `/` because the configuration says so. Nobody may do
    /// anything in a service without any, until the store has assignments.
    pub roles: Vec<ConfiguredRole>,
    /// What one principal and one vault may use.
    pub rates: Rates,
}

/// Longest plaintext, message, ciphertext or wrapped key of one operation, in bytes.
pub const MAX_PAYLOAD: usize = keyreeve_keyhost::MAX_PAYLOAD;

/// Longest data key, in bytes.
pub const MAX_DATA_KEY: usize = 1024;

/// Length of a data key when the caller names none, in bytes.
pub const DEFAULT_DATA_KEY: usize = 32;

/// Most random bytes in one call.
pub const MAX_RANDOM: usize = 4096;

/// Most operations in one batch.
pub const MAX_BATCH: usize = 256;

/// Most tags on a key version.
pub const MAX_TAGS: usize = 15;

/// Longest name of a tag, in bytes.
pub const MAX_TAG_KEY: usize = 512;

/// Longest value of a tag, in bytes.
pub const MAX_TAG_VALUE: usize = 256;
