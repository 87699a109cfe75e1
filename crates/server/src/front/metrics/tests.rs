//! The page and its documentation.

use std::{collections::BTreeSet, sync::Arc};

use keyreeve_service::{Clock, Settings, Shared};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;

use super::*;

const OPERATIONS: &str = include_str!("../../../../../docs/operations.md");

/// The names of the families on a page with everything on it.
async fn families() -> BTreeSet<String> {
    let store = Arc::new(MemoryStore::new());
    let audit = AuditLog::start().unwrap_or_else(|error| panic!("{error}"));
    let opened = Shared::open(store, Settings::default(), Clock::system(), audit.recorder()).await;
    let (shared, _follower) = opened.unwrap_or_else(|error| panic!("{error}"));
    let page = write(&shared, &Processes::default());
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Everything in a text that is called like a metric, without what a histogram adds.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| word.starts_with("keyreeve_"));
    let suffixes = ["_bucket", "_sum", "_count"];
    let family = |name: &str| {
        let stripped = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
        stripped.unwrap_or(name).to_owned()
    };
    names.map(family).collect()
}

/// Guards against an alert on a metric that does not exist, which never fires, and
/// against a metric that nobody can look up.
#[tokio::test]
async fn the_documentation_names_every_metric_and_no_other() {
    let families = families().await;
    let documented = named(OPERATIONS);
    let unknown: Vec<_> = documented.difference(&families).collect();
    assert!(unknown.is_empty(), "docs/operations.md names what there is not: {unknown:?}");
    let missing: Vec<_> = families.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/operations.md does not name: {missing:?}");
}

/// Guards against alert rules that name a label or a value that no metric has.
#[test]
fn alert_rules_name_operations_and_codes_that_exist() {
    let actions = keyreeve_authz::Action::ALL.iter().map(|action| action.name());
    // The two halves of one operation, which is counted as one.
    let actions = actions.filter(|name| !name.starts_with("ReEncrypt")).chain(["ReEncrypt"]);
    let actions: BTreeSet<_> = actions.collect();
    let rules = OPERATIONS.split("```yaml").nth(2).and_then(|rest| rest.split("```").next());
    let rules = rules.expect("alert rules");
    let mut seen = 0;
    for part in rules.split("operation=~\"").skip(1) {
        let names = part.split('"').next().unwrap_or_default();
        for name in names.split('|') {
            assert!(actions.contains(name), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 2, "the rules watch no operation");
}
