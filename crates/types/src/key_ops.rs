//! What a key may be used for: `key_ops` of RFC 7517 section 4.3.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// One permitted use of a key, by its RFC 7517 name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `sign`: compute a digital signature or a MAC.
    Sign,
    /// `verify`: verify a digital signature or a MAC.
    Verify,
    /// `encrypt`: encrypt content.
    Encrypt,
    /// `decrypt`: decrypt content.
    Decrypt,
    /// `wrapKey`: encrypt a key.
    WrapKey,
    /// `unwrapKey`: decrypt a key.
    UnwrapKey,
}

impl Operation {
    /// Every operation, in the order RFC 7517 lists them.
    pub const ALL: [Self; 6] =
        [Self::Sign, Self::Verify, Self::Encrypt, Self::Decrypt, Self::WrapKey, Self::UnwrapKey];

    /// The RFC 7517 name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::WrapKey => "wrapKey",
            Self::UnwrapKey => "unwrapKey",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|op| op.name() == text).ok_or(UnknownOperation)
    }
}

/// A set of operations. One bit each, in the order of [`Operation::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub struct KeyOps(u16);

impl KeyOps {
    /// The empty set: a key that may do nothing.
    pub const NONE: Self = Self(0);

    /// The set of `operations`.
    pub const fn of(operations: &[Operation]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < operations.len() {
            bits |= operations[i].bit();
            i += 1;
        }
        Self(bits)
    }

    /// The set from its bits; `None` if a bit has no meaning.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits < 1 << Operation::ALL.len() { Some(Self(bits)) } else { None }
    }

    /// The bits, as authenticated in a key's envelope.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether `operation` is in the set.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & operation.bit() != 0
    }

    /// Whether every operation of `other` is in this set.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The operations in the set.
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |op| self.contains(*op))
    }
}

impl FromIterator<Operation> for KeyOps {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        Self(operations.into_iter().fold(0, |bits, op| bits | op.bit()))
    }
}

impl<'de> Deserialize<'de> for KeyOps {
    /// From its bits, as they are serialised; an error if a bit has no meaning.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = u16::deserialize(deserializer)?;
        Self::from_bits(bits)
            .ok_or_else(|| D::Error::custom(format!("{bits:#06x} is not a set of operations")))
    }
}

impl fmt::Display for KeyOps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, op) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(op.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyOps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyOps({self})")
    }
}

/// The text names no operation of RFC 7517 that Keyreeve knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownOperation;

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown operation; use sign, verify, encrypt, decrypt, wrapKey or unwrapKey")
    }
}

impl std::error::Error for UnknownOperation {}

#[cfg(test)]
mod tests {
    use serde::de::{IntoDeserializer, value};

    use super::*;

    /// Guards against two operations sharing a bit, which would grant one for the other.
    #[test]
    fn each_operation_has_its_own_bit() {
        for op in Operation::ALL {
            let only = KeyOps::of(&[op]);
            assert_eq!(only.iter().collect::<Vec<_>>(), [op]);
            assert_eq!(op.name().parse(), Ok(op));
        }
        assert_eq!(KeyOps::from_bits(1 << 6), None);
    }

    /// Guards against stored bits that have no meaning yet: a later version would
    /// grant what they then mean.
    #[test]
    fn only_sets_of_operations_are_read() {
        let read = |bits: u16| -> Result<KeyOps, value::Error> {
            KeyOps::deserialize(bits.into_deserializer())
        };
        for bits in 0..=u16::MAX {
            assert_eq!(read(bits).ok(), KeyOps::from_bits(bits), "{bits:#06x}");
        }
        assert_eq!(read(KeyOps::of(&Operation::ALL).bits()), Ok(KeyOps::of(&Operation::ALL)));
        assert!(read(0x40).expect_err("no such bit").to_string().contains("0x0040"));
    }
}
