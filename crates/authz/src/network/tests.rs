//! Who reaches a vault, and which ranges are refused.

use proptest::prelude::*;

use super::*;

fn rules(default: DefaultAction, ranges: &[&str], listeners: &[&str]) -> NetworkRules {
    let ranges: Vec<_> = ranges.iter().map(|r| r.parse().expect("a range")).collect();
    let listeners: Vec<_> = listeners.iter().map(|l| l.parse().expect("a name")).collect();
    NetworkRules::new(default, ranges, listeners).expect("rules")
}

fn listener(name: &str, private: bool) -> Listener {
    Listener { name: name.parse().expect("a name"), private }
}

fn peer(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

/// Guards against `Deny` that lets through whoever is near: the machine itself, a
/// private network, a Unix socket.
#[test]
fn deny_admits_nobody_by_where_they_come_from() {
    let rules = rules(DefaultAction::Deny, &["203.0.113.0/24"], &[]);
    let main = listener("main", false);
    for near in ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fe80::1", "168.63.129.16"] {
        assert!(!admits(&rules, peer(near), &main), "{near}");
    }
    assert!(!admits(&rules, None, &main));
    assert!(admits(&rules, peer("203.0.113.9"), &main));
    assert!(!admits(&rules, peer("203.0.114.0"), &main));
}

/// Guards against an IPv4 peer that is turned away, or slips through a range of the
/// other family, because its socket serves both.
#[test]
fn a_mapped_peer_is_its_ipv4_address() {
    let main = listener("main", false);
    let v4 = rules(DefaultAction::Deny, &["203.0.113.0/24"], &[]);
    assert!(admits(&v4, peer("::ffff:203.0.113.9"), &main));
    let v6 = rules(DefaultAction::Deny, &["::/0"], &[]);
    assert!(!admits(&v6, peer("::ffff:203.0.113.9"), &main));
    assert!(!admits(&v6, peer("203.0.113.9"), &main));
    assert!(admits(&v6, peer("2001:db8::1"), &main));
}

/// Guards against a private listener that serves a vault which does not name it, even
/// one that is open to everybody elsewhere, and against one that a range opens.
#[test]
fn a_private_listener_serves_only_vaults_that_name_it() {
    let inner = listener("Inner", true);
    let open = rules(DefaultAction::Allow, &["0.0.0.0/0"], &[]);
    assert!(!admits(&open, peer("10.0.0.1"), &inner));
    assert!(!admits(&open, None, &inner));
    let named = rules(DefaultAction::Deny, &[], &["inner"]);
    assert!(admits(&named, None, &inner));
    assert!(!admits(&named, None, &listener("main", false)));
}

/// Guards against a vault without rules that cannot be reached, or is reached by a
/// listener meant for others.
#[test]
fn without_rules_public_listeners_serve() {
    let rules = NetworkRules::default();
    assert!(admits(&rules, peer("192.0.2.1"), &listener("main", false)));
    assert!(!admits(&rules, peer("192.0.2.1"), &listener("inner", true)));
}

/// Guards against a range that means more than whoever wrote it thinks.
#[test]
fn ranges_that_are_unclear_are_refused() {
    for (text, why) in [
        ("203.0.113.5/24", BadRange::HostBits),
        ("2001:db8::1/64", BadRange::HostBits),
        ("::ffff:203.0.113.0/120", BadRange::MappedIpv4),
        ("203.0.113.0/33", BadRange::Malformed),
        ("203.0.113.0/+8", BadRange::Malformed),
        ("203.0.113.0/", BadRange::Malformed),
        ("203.0.113/24", BadRange::Malformed),
        ("010.0.0.0/8", BadRange::Malformed),
        ("", BadRange::Malformed),
        ("*", BadRange::Malformed),
    ] {
        assert_eq!(text.parse::<IpRange>(), Err(why), "{text:?}");
    }
    let many = vec!["203.0.113.0/24".parse::<IpRange>().expect("a range"); 1001];
    let none: Vec<Name> = Vec::new();
    assert_eq!(NetworkRules::new(DefaultAction::Deny, many, none), Err(BadRules::TooManyRanges));
    let names: Vec<Name> = (0..65).map(|i| format!("l{i}").parse().expect("a name")).collect();
    assert_eq!(
        NetworkRules::new(DefaultAction::Deny, Vec::new(), names),
        Err(BadRules::TooManyListeners)
    );
}

/// The bits of an address, first bit first.
fn bits(address: IpAddr) -> Vec<u8> {
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1)).collect()
}

/// Addresses of few set bits, so that ranges are met.
fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (any::<u32>(), 0..=32u32).prop_map(|(bits, keep)| {
            IpAddr::from((bits & !u32::MAX.checked_shr(keep).unwrap_or(0)).to_be_bytes())
        }),
        (any::<u128>(), 0..=128u32).prop_map(|(bits, keep)| {
            IpAddr::from((bits & !u128::MAX.checked_shr(keep).unwrap_or(0)).to_be_bytes())
        }),
    ]
}

proptest! {
    /// Guards against a mask that is a bit too short or too long, and against a stored
    /// range that reads back as another.
    #[test]
    fn a_range_holds_the_addresses_with_its_leading_bits(
        network in addresses(),
        prefix in 0..=128u8,
        flip in any::<prop::sample::Index>(),
    ) {
        let text = format!("{network}/{prefix}");
        let Ok(range) = text.parse::<IpRange>() else { return Ok(()) };
        prop_assert_eq!(range.to_string().parse(), Ok(range));
        let mut flipped = bits(network);
        let at = flip.index(flipped.len());
        flipped[at] ^= 1;
        let bytes: Vec<u8> = flipped.chunks(8).map(|b| b.iter().fold(0, |n, b| n << 1 | b)).collect();
        let address: IpAddr = match network {
            IpAddr::V4(_) => IpAddr::from(<[u8; 4]>::try_from(bytes).expect("four")),
            IpAddr::V6(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).expect("sixteen")),
        };
        prop_assert!(range.contains(network));
        prop_assert_eq!(range.contains(address), at >= usize::from(prefix));
    }

    /// Guards against a parser that panics.
    #[test]
    fn any_text_is_a_range_or_refused(text in "[0-9a-f.:/]{0,45}|\\PC{0,30}") {
        let _ = text.parse::<IpRange>();
    }
}
