//! Scans: order, prefixes, pages.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{key, put};
use crate::{
    Batch, Entry, Key, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, MAX_VALUE_BYTES, Store, read_all,
};

/// Guards against order by text, by collation or by signed byte, and against a
/// prefix that ends in `FF` or whose end is miscounted.
pub async fn keys_come_in_byte_order_and_under_the_prefix_only(store: &Arc<dyn Store>) {
    let mut keys: Vec<Key> = [
        &b"\x00"[..],
        b"\x00\x00",
        b"A",
        b"Z",
        b"a",
        b"a\x00",
        b"a\xfe",
        b"a\xff",
        b"a\xff\x00",
        b"a\xff\xff",
        b"b",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xff\xff",
        b"\xff\xff\x01",
    ]
    .map(Key::from_bytes)
    .to_vec();
    for key in keys.iter().rev() {
        put(store, key, b"").await;
    }
    keys.sort();
    for prefix in [&b""[..], b"a", b"a\xff", b"\xff", b"\xff\xff", b"\x00", b"c", b"aa"] {
        let prefix = Key::from_bytes(prefix);
        let under: Vec<_> = keys.iter().filter(|key| key.starts_with(&prefix)).cloned().collect();
        let page = store.scan(&prefix, None, 100).await.expect("scan");
        assert_eq!(names(&page.entries), under, "under {prefix}");
        assert!(!page.more);
    }
}

/// Guards against an entry lost or doubled where two pages meet, and against a
/// `more` that is wrong when the last page is exactly full.
pub async fn pages_join_without_gap_or_repeat(store: &Arc<dyn Store>) {
    let mut batch = Batch::new().put(Key::new(["other"]), &b""[..]);
    for number in 0..30 {
        batch = batch.put(key(&format!("{number:02}")), &b"v"[..]);
    }
    store.commit(batch).await.expect("commit");
    let prefix = Key::new(["suite"]);
    let all = store.scan(&prefix, None, 100).await.expect("scan").entries;
    assert_eq!(all.len(), 30);
    for limit in [1, 7, 10, 15, 29, 30, 31] {
        let mut joined: Vec<Entry> = Vec::new();
        loop {
            let after = joined.last().map(|entry| entry.key.clone());
            let page = store.scan(&prefix, after.as_ref(), limit).await.expect("scan");
            assert!(page.entries.len() <= limit);
            joined.extend(page.entries);
            if !page.more {
                break;
            }
            assert!(joined.len() < 30, "more was promised after the last entry");
        }
        assert_eq!(joined, all, "in pages of {limit}");
    }
    let below = Key::from_bytes(&b"\x01"[..]);
    let above = Key::from_bytes(&b"zz"[..]);
    assert_eq!(store.scan(&prefix, Some(&below), 100).await.expect("scan").entries, all);
    assert_eq!(store.scan(&prefix, Some(&above), 100).await.expect("scan").entries, []);
}

/// Guards against a token that counts entries, which skips and repeats when others
/// insert and delete between pages.
pub async fn page_tokens_stay_good_while_the_store_changes(store: &Arc<dyn Store>) {
    let name = |number: u32| key(&format!("{number:03}"));
    for number in (0..100).step_by(2) {
        put(store, &name(number), b"").await;
    }
    let prefix = Key::new(["suite"]);
    let mut seen = Vec::new();
    let mut after: Option<Key> = None;
    for round in 0.. {
        let page = store.scan(&prefix, after.as_ref(), 5).await.expect("scan");
        seen.extend(names(&page.entries));
        if !page.more {
            break;
        }
        after = seen.last().cloned();
        // One more entry behind, one less ahead, and the token's own key gone.
        let behind = name(2 * (round % 50) + 1);
        let token = after.clone().expect("a page with more after it has a last entry");
        let batch = Batch::new().put(behind, &b""[..]).delete(token).delete(name(98 - 2 * round));
        store.commit(batch).await.expect("commit");
    }
    let distinct: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "an entry came twice");
    let stayed = store.scan(&prefix, None, 1000).await.expect("scan").entries;
    let missed: Vec<_> = names(&stayed)
        .into_iter()
        .filter(|key| (0..100).step_by(2).any(|number| *key == name(number)))
        .filter(|key| !distinct.contains(key))
        .collect();
    assert_eq!(missed, [], "entries that existed throughout were skipped");
}

/// Guards against a limit of 0 that never ends a loop over pages, and against an
/// overflow of the largest.
pub async fn limits_out_of_range_still_make_progress(store: &Arc<dyn Store>) {
    put(store, &key("a"), b"").await;
    put(store, &key("b"), b"").await;
    let page = store.scan(&Key::ROOT, None, 0).await.expect("scan");
    assert_eq!((names(&page.entries), page.more), (vec![key("a")], true));
    for limit in [MAX_PAGE_ENTRIES, MAX_PAGE_ENTRIES + 1, usize::MAX] {
        let page = store.scan(&Key::ROOT, None, limit).await.expect("scan");
        assert_eq!((page.entries.len(), page.more), (2, false));
    }
}

/// Guards against one scan that fills the memory.
pub async fn a_page_is_bounded_in_bytes(store: &Arc<dyn Store>) {
    for number in 0..6 {
        put(store, &key(&number.to_string()), &vec![number; MAX_VALUE_BYTES]).await;
    }
    let page = store.scan(&Key::ROOT, None, 100).await.expect("scan");
    let bytes: usize =
        page.entries.iter().map(|entry| entry.key.as_bytes().len() + entry.value.len()).sum();
    assert!(page.more && bytes > 0 && bytes <= MAX_PAGE_BYTES, "{bytes} bytes in a page");
    let all = read_all(&**store, &Key::ROOT).await.expect("read all");
    assert_eq!(all.entries.len(), 6);
}

fn names(entries: &[Entry]) -> Vec<Key> {
    entries.iter().map(|entry| entry.key.clone()).collect()
}
