//! Pages of a list.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Error;

/// Length of a page when the caller names none.
const DEFAULT_SIZE: usize = 100;

/// Longest page.
const MAX_SIZE: usize = 1000;

/// Which page of a list a caller wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageRequest<'a> {
    /// At most this many; 0 means 100, more than 1000 means 1000.
    pub size: i32,
    /// [`Page::next`] of the page before; empty for the first.
    pub token: &'a str,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Leads to the next page; empty on the last. Opaque to the caller, and good
    /// for as long as the service exists: it names the last item of this page.
    pub next: String,
}

impl PageRequest<'_> {
    /// How many items the page holds at most.
    pub(crate) fn limit(&self) -> Result<usize, Error> {
        match usize::try_from(self.size) {
            Ok(0) => Ok(DEFAULT_SIZE),
            Ok(size) => Ok(size.min(MAX_SIZE)),
            Err(_) => Err(Error::invalid("page_size", "page_size must not be negative")),
        }
    }

    /// After which item the page begins; `None` for the first page.
    pub(crate) fn after(&self) -> Result<Option<String>, Error> {
        if self.token.is_empty() {
            return Ok(None);
        }
        let bad = || Error::invalid("page_token", "page_token is not one this service made");
        let bytes = URL_SAFE_NO_PAD.decode(self.token).map_err(|_| bad())?;
        String::from_utf8(bytes).map(Some).map_err(|_| bad())
    }

    /// The same, of a list in the order of ids.
    pub(crate) fn after_id<I: FromStr>(&self) -> Result<Option<I>, Error> {
        let bad = |_| Error::invalid("page_token", "page_token is not one this service made");
        self.after()?.map(|id| id.parse().map_err(bad)).transpose()
    }
}

impl<T> Page<T> {
    /// Takes a page of `limit` items from `all`, which starts where the page does.
    /// `position` is what the page after it starts behind.
    pub(crate) fn take(
        all: impl Iterator<Item = T>,
        limit: usize,
        position: impl Fn(&T) -> String,
    ) -> Self {
        let mut items: Vec<T> = all.take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map_or_else(String::new, |item| URL_SAFE_NO_PAD.encode(position(item)));
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a last page that promises another, and a walk that skips or
    /// repeats an item.
    #[test]
    fn pages_cover_a_list_once() {
        let all: Vec<u32> = (0..10).collect();
        let mut seen: Vec<u32> = Vec::new();
        let mut token = String::new();
        loop {
            let request = PageRequest { size: 5, token: &token };
            let after = request.after().expect("our own token");
            let from = after.map_or(0, |t| t.parse::<u32>().expect("a number") + 1);
            let rest = all.iter().copied().filter(|i| *i >= from);
            let page = Page::take(rest, request.limit().expect("a size"), u32::to_string);
            seen.extend(&page.items);
            if page.next.is_empty() {
                break;
            }
            token = page.next;
        }
        assert_eq!(seen, all);
    }

    /// Guards against a token or size that brings the service down.
    #[test]
    fn a_page_that_makes_no_sense_is_refused() {
        assert!(PageRequest { size: -1, token: "" }.limit().is_err());
        assert!(PageRequest { size: 0, token: "%%%" }.after().is_err());
        assert_eq!(PageRequest { size: 9999, token: "" }.limit().ok(), Some(MAX_SIZE));
    }
}
