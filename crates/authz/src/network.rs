//! Network rules of a vault: from where it can be reached.
//!
//! They admit a connection to the vault's data and grant nothing. Managing a vault is
//! possible from everywhere but a private listener that the vault does not name: rules
//! that shut everybody out must not shut out who mends them. There are no
//! exemptions for where somebody comes from, no trusted services: a rule that is not
//! written down does not hold.

use std::{fmt, net::IpAddr, str::FromStr};

use keyreeve_types::Name;

use crate::Plane;

/// From where a vault can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRules {
    default: DefaultAction,
    ranges: Box<[IpRange]>,
    listeners: Box<[Name]>,
}

/// What becomes of a peer that no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultAction {
    /// It is admitted.
    Allow,
    /// It is turned away.
    Deny,
}

/// A range of addresses: a network in prefix notation, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    network: IpAddr,
    prefix: u8,
}

/// The listener that a request came in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its configured name.
    pub name: Name,
    /// Whether it serves only the vaults that name it.
    pub private: bool,
}

/// Why there is no such range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRange {
    /// Not an address, or not an address with a prefix length that it can have.
    Malformed,
    /// Bits beyond the prefix are set: which of the two was meant?
    HostBits,
    /// An IPv4 address written as IPv6, which as a range would match nothing.
    MappedIpv4,
}

/// Why there are no such rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRules {
    /// More than [`NetworkRules::MAX_RANGES`] ranges.
    TooManyRanges,
    /// More than [`NetworkRules::MAX_LISTENERS`] listeners.
    TooManyListeners,
}

/// Whether a request from `peer`, which came in by `listener`, reaches a vault with
/// `rules`. A Unix socket has no peer address.
pub fn admits(rules: &NetworkRules, peer: Option<IpAddr>, listener: &Listener) -> bool {
    if rules.listeners.contains(&listener.name) {
        return true;
    }
    if listener.private {
        return false;
    }
    // An IPv4 peer of a socket for both families comes as ::ffff:a.b.c.d.
    let peer = peer.map(|peer| peer.to_canonical());
    rules.default == DefaultAction::Allow
        || peer.is_some_and(|peer| rules.ranges.iter().any(|range| range.contains(peer)))
}

/// Whether a request from `peer`, which came in by `listener`, may ask for an action of
/// `plane` on a vault with `rules`, on one without any, or on the service.
pub fn is_served(
    rules: Option<&NetworkRules>,
    plane: Plane,
    peer: Option<IpAddr>,
    listener: &Listener,
) -> bool {
    match (plane, rules) {
        (Plane::Data, Some(rules)) => admits(rules, peer, listener),
        (Plane::Management, Some(rules)) => {
            !listener.private || rules.listeners.contains(&listener.name)
        }
        (_, None) => !listener.private,
    }
}

impl NetworkRules {
    /// Most ranges of a vault, as in Azure.
    pub const MAX_RANGES: usize = 1000;

    /// Most listeners that a vault names.
    pub const MAX_LISTENERS: usize = 64;

    /// Rules: what becomes of a peer by default, the ranges that are admitted whatever
    /// that is, and the listeners by which everybody is.
    pub fn new(
        default: DefaultAction,
        ranges: impl Into<Box<[IpRange]>>,
        listeners: impl Into<Box<[Name]>>,
    ) -> Result<Self, BadRules> {
        let (ranges, listeners) = (ranges.into(), listeners.into());
        if ranges.len() > Self::MAX_RANGES {
            return Err(BadRules::TooManyRanges);
        }
        if listeners.len() > Self::MAX_LISTENERS {
            return Err(BadRules::TooManyListeners);
        }
        Ok(Self { default, ranges, listeners })
    }

    /// What becomes of a peer that no rule names.
    pub const fn default_action(&self) -> DefaultAction {
        self.default
    }

    /// The ranges that are admitted.
    pub fn ranges(&self) -> &[IpRange] {
        &self.ranges
    }

    /// The listeners by which everybody is admitted.
    pub fn listeners(&self) -> &[Name] {
        &self.listeners
    }
}

/// Reachable by every listener that is not private.
impl Default for NetworkRules {
    fn default() -> Self {
        Self { default: DefaultAction::Allow, ranges: Box::default(), listeners: Box::default() }
    }
}

impl IpRange {
    /// Whether `address`, in its canonical form, lies in it. A range holds addresses of
    /// its own family.
    fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()) & mask_v4(self.prefix) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()) & mask_v6(self.prefix) == 0
            }
            _ => false,
        }
    }
}

/// The leading `prefix` bits, of 32.
fn mask_v4(prefix: u8) -> u32 {
    !u32::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

/// The leading `prefix` bits, of 128.
fn mask_v6(prefix: u8) -> u128 {
    !u128::MAX.checked_shr(prefix.into()).unwrap_or(0)
}

impl FromStr for IpRange {
    type Err = BadRange;

    fn from_str(text: &str) -> Result<Self, BadRange> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| BadRange::Malformed)?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| BadRange::Malformed)?
            }
            Some(_) => return Err(BadRange::Malformed),
        };
        if prefix > longest {
            return Err(BadRange::Malformed);
        }
        if network.to_canonical() != network {
            return Err(BadRange::MappedIpv4);
        }
        let beyond = match network {
            IpAddr::V4(network) => u128::from(network.to_bits() & !mask_v4(prefix)),
            IpAddr::V6(network) => network.to_bits() & !mask_v6(prefix),
        };
        match beyond {
            0 => Ok(Self { network, prefix }),
            _ => Err(BadRange::HostBits),
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl fmt::Display for BadRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "a range is an address or a network, as 203.0.113.0/24",
            Self::HostBits => "the address has bits beyond the prefix; clear them or lengthen it",
            Self::MappedIpv4 => "write an IPv4 address as IPv4",
        })
    }
}

impl std::error::Error for BadRange {}

impl fmt::Display for BadRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyRanges => "a vault has at most 1000 ranges; join neighbours",
            Self::TooManyListeners => "a vault names at most 64 listeners",
        })
    }
}

impl std::error::Error for BadRules {}

#[cfg(test)]
mod tests;
