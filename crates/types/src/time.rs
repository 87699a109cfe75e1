//! Time as Keyreeve stores it.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, the resolution of Key Vault's attributes
/// and of a JWT's `NumericDate` (RFC 7519 section 2). Leap seconds do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnixTime(pub i64);
