//! Members written as text: ids in hex, bytes in base64url, operations by their
//! RFC 7517 names.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Anything with a text form: ids and names.
pub(crate) mod plain {
    use std::{fmt::Display, str::FromStr};

    use super::{Deserialize, Deserializer, Error, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(d: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        String::deserialize(d)?.parse().map_err(Error::custom)
    }
}

/// Bytes, in base64url without padding.
pub(crate) mod base64url {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::{Deserialize, Deserializer, Error, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        URL_SAFE_NO_PAD.decode(String::deserialize(d)?).map_err(Error::custom)
    }
}

/// A set of operations, as an array of names.
pub(crate) mod operations {
    use keyreeve_types::{KeyOps, Operation};

    use super::{Deserialize, Deserializer, Error, Serializer};

    pub(crate) fn serialize<S: Serializer>(ops: &KeyOps, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(ops.iter().map(Operation::name))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<KeyOps, D::Error> {
        let names = Vec::<String>::deserialize(d)?;
        names.iter().map(|name| name.parse::<Operation>().map_err(Error::custom)).collect()
    }
}
