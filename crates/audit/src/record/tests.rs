//! The record's encoding.

use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn golden() -> Vec<Record> {
    let id = |byte| Id([byte; 16]);
    let name = |text: &str| text.parse().expect("a name");
    let full = Record {
        time_us: 1_800_000_000_123_456,
        phase: Phase::Outcome {
            ending: Ending::Failed {
                code: Word::new("FAILED_PRECONDITION"),
                reason: Some(Word::new("KEY_DISABLED")),
            },
            latency_us: 412,
        },
        request: id(0x11),
        trace: Some(id(0x22)),
        caller: Caller {
            principal: Some("spiffe://corp.example/\"pay\\ments\"".parse().expect("a principal")),
            method: Method::MutualTls,
            credential: Some(Credential::fingerprint_of(b"certificate")),
        },
        action: Action {
            operation: Word::new("ReEncrypt"),
            object: Object {
                id: Some(id(0x33)),
                version: Some(keyreeve_types::VersionId::from_bytes([0x44; 16])),
                ..Object::in_vault(Kind::Key, name("Prod"), name("invoices-2"))
            },
            from: Some(Object::in_vault(Kind::Key, name("prod"), name("invoices"))),
            algorithm: Some(Word::new("RSA-OAEP-256")),
        },
        source: Source {
            peer: Some(Peer::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST), 40_000)),
            listener: Some(Word::new("grpc")),
        },
        decision: Decision::Allowed(Some(id(0x55))),
        backend: Some(Word::new("pkcs11:slot-a")),
        number: Some(7),
        change: None,
    };
    let least = Record {
        time_us: 0,
        phase: Phase::Intent,
        request: id(0),
        trace: None,
        caller: Caller { principal: None, method: Method::Internal, credential: None },
        action: Action {
            operation: Word::new("PurgeKey"),
            object: Object::of_kind(Kind::Service),
            from: None,
            algorithm: None,
        },
        source: Source { peer: None, listener: None },
        decision: Decision::NotReached,
        backend: None,
        number: None,
        change: None,
    };
    let ok = Record {
        phase: Phase::Outcome { ending: Ending::Ok, latency_us: u64::MAX },
        caller: Caller {
            principal: Some("alice".parse().expect("a principal")),
            method: Method::Token,
            credential: Some(Credential::assigned(id(0x66))),
        },
        source: Source { peer: Some(Peer::Unix(1000)), listener: None },
        decision: Decision::Denied(None),
        ..least.clone()
    };
    let given = Record {
        change: Some(Box::new(Change {
            holder: Some(PrincipalName::escape("user:ada@corp")),
            role: Some(id(0x77)),
            scope: "/vaults/prod".parse().ok(),
            expires: Some(1_900_000_000),
            ..Change::default()
        })),
        ..least.clone()
    };
    let access = Change {
        policies: Some(vec![PolicyEntry {
            holder: PrincipalName::escape("group:ops@corp"),
            permissions: vec!["keys/get".parse().expect("a term")],
        }]),
        ranges: Some(vec!["2001:db8::/32".parse().expect("a term"); 2000]),
        ..Change::default()
    };
    let mut cut = access.bounded();
    cut.ranges = Some(Vec::new());
    let cut = Record { change: Some(Box::new(cut)), ..least.clone() };
    vec![full, least, ok, given, cut]
}

/// Guards against a change of the encoding that makes old logs unreadable. If it
/// fails: do not change the file; give the new encoding a new version number.
#[test]
fn records_are_written_as_they_always_were() {
    let golden_lines = include_str!("golden.jsonl");
    let written: String = golden()
        .iter()
        .map(|record| String::from_utf8(record.encode()).expect("JSON") + "\n")
        .collect();
    assert_eq!(written, golden_lines);
    for (record, line) in golden().iter().zip(golden_lines.lines()) {
        let read = Record::decode(line.as_bytes()).expect("a record");
        assert_eq!(read.encode(), record.encode());
    }
}

/// Guards against two spellings of one record in the log, of which a reader and a
/// verifier could see different things.
#[test]
fn another_spelling_of_a_record_is_refused() {
    let line = String::from_utf8(golden()[1].encode()).expect("JSON");
    assert!(Record::decode(line.as_bytes()).is_ok());
    for other in [
        line.replace(",\"", ", \""),
        line.clone() + "\n",
        line.replace("{\"v\":1", "{\"v\":2"),
        line.replace("{\"v\":1", "{\"v\":1,\"extra\":1"),
        line.replace("{\"v\":1", "{\"v\":1,\"trace\":null"),
        line.replace("\"service\"", "\"s\\u0065rvice\""),
        line.replace("\"service\"", "\"nothing\""),
        line.replace("0000\"", "000A\""),
        line.replace("\"intent\"", "\"outcome\""),
        line.replace("\"none\"", "\"some\""),
        line.replace("PurgeKey", "Purge Key"),
        line.replace("\"time_us\":0", "\"time_us\":-0"),
    ] {
        assert_ne!(other, line);
        assert_eq!(Record::decode(other.as_bytes()), Err(BadEntry), "{other}");
    }
}

/// Guards against a record that the tile format, or our own bound, has no room for.
#[test]
fn the_longest_record_is_within_the_bound() {
    let word = || Word::configured(&"w".repeat(Word::MAX_LEN)).expect("a word");
    let name = || "n".repeat(keyreeve_types::Name::MAX_LEN).parse().expect("a name");
    let id = Id([0xff; 16]);
    let object = Object {
        id: Some(id),
        version: Some(keyreeve_types::VersionId::from_bytes([0xff; 16])),
        ..Object::in_vault(Kind::Certificate, name(), name())
    };
    let term = || "t".repeat(Term::MAX_LEN).parse().expect("a term");
    let holder = || "\"".repeat(PrincipalName::MAX_LEN).parse().expect("a principal");
    let terms = || Some(vec![term(); 128]);
    let policy = || PolicyEntry { holder: holder(), permissions: vec![term(); 44] };
    let endless = Change {
        holder: Some(holder()),
        role: Some(id),
        scope: Some(term()),
        expires: Some(i64::MIN),
        actions: terms(),
        not_actions: terms(),
        data_actions: terms(),
        not_data_actions: terms(),
        model: Some(term()),
        policies: Some(vec![policy(); 1024]),
        default_action: Some(term()),
        ranges: Some(vec![term(); 1000]),
        listeners: terms(),
        ..Change::default()
    };
    let longest = Record {
        time_us: u64::MAX,
        phase: Phase::Outcome {
            ending: Ending::Failed { code: word(), reason: Some(word()) },
            latency_us: u64::MAX,
        },
        caller: Caller {
            principal: Some("\"".repeat(PrincipalName::MAX_LEN).parse().expect("a principal")),
            method: Method::NotPresented,
            credential: Some(Credential::fingerprint_of(b"")),
        },
        action: Action {
            operation: word(),
            object: object.clone(),
            from: Some(object),
            algorithm: Some(word()),
        },
        source: Source {
            peer: Some(Peer::Ip(IpAddr::V6(Ipv6Addr::from([0xff; 16])), u16::MAX)),
            listener: Some(word()),
        },
        decision: Decision::Denied(Some(id)),
        backend: Some(word()),
        number: Some(u64::MAX),
        change: Some(Box::new(endless.bounded())),
        ..golden()[0].clone()
    };
    let entry = longest.encode();
    assert!(entry.len() <= MAX_ENTRY, "{}", entry.len());
    assert_eq!(Record::decode(&entry), Ok(longest));
}

/// Guards against a list that is cut without a word, and against two lists that look
/// alike when they are cut.
#[test]
fn what_a_record_has_no_room_for_is_counted_and_hashed() {
    let ranges = |last: &str| {
        let mut ranges: Vec<Term> = (0..2000)
            .map(|i| format!("10.0.{}.{}/32", i / 250, i % 250).parse().expect("a term"))
            .collect();
        ranges.push(last.parse().expect("a term"));
        Change { ranges: Some(ranges), ..Change::default() }
    };
    let short =
        Change { ranges: Some(vec!["10.0.0.0/8".parse().expect("a term")]), ..Change::default() };
    assert_eq!(short.clone().bounded(), short);
    let (one, other) = (ranges("192.0.2.1/32").bounded(), ranges("192.0.2.2/32").bounded());
    assert_eq!(one.ranges, other.ranges);
    assert_ne!(one, other);
    let json = serde_json::to_value(&one).expect("JSON");
    let shown = one.ranges.as_ref().map_or(0, Vec::len);
    assert_eq!(json["left_out"], 2001 - shown);
    assert!(shown > 1000, "{shown}");
}

/// Guards against names that change how a log is read, and against a record that
/// cannot be written because an issuer chose an odd name.
#[test]
fn misleading_names_are_refused_and_can_be_escaped() {
    let long = "ä".repeat(300);
    for odd in ["", "a\nb", "a\u{202e}b", "a\0", "a\u{7f}", "x\u{200b}", "\u{2028}", &long] {
        assert_eq!(odd.parse::<PrincipalName>(), Err(BadPrincipal), "{odd:?}");
        let escaped = PrincipalName::escape(odd);
        assert_eq!(escaped.as_str().parse(), Ok(escaped.clone()), "{odd:?}");
    }
    assert_eq!(PrincipalName::escape("a\nb").as_str(), "a\\u{a}b");
    let other = long.clone() + "ä";
    assert_ne!(PrincipalName::escape(&long), PrincipalName::escape(&other));
}

proptest! {
    /// Guards against a reader that panics, and against entries that are read as one
    /// record and written as another.
    #[test]
    fn what_is_read_is_written_back(cut in 0usize..700, flip in 0usize..700, bit in 0u8..8) {
        let mut entry = golden()[0].encode();
        let flip = flip % entry.len();
        entry[flip] ^= 1 << bit;
        entry.truncate(cut.max(1));
        if let Ok(record) = Record::decode(&entry) {
            prop_assert_eq!(record.encode(), entry);
        }
    }

    /// Guards against an escape that yields a name the rule refuses.
    #[test]
    fn any_text_becomes_a_name(text in any::<String>()) {
        let name = PrincipalName::escape(&text);
        prop_assert_eq!(name.as_str().parse::<PrincipalName>(), Ok(name.clone()));
    }
}
