//! What is looked for, and looking.
//!
//! A secret can lie about as it is, with its bytes reversed (numbers in the memory of
//! a little-endian machine), in hex or in base64, whole or in part. So each becomes
//! many needles: windows of it at several places, in every form, base64 in all three
//! alignments to the text around it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Bytes of a secret that a needle covers: too many to be anywhere by chance.
const WINDOW: usize = 16;
/// The same for base64, where 12 bytes are 16 characters in each alignment.
const BASE64_WINDOW: usize = 12;

/// What to look for: needles by their first bytes, so that most places are passed by
/// after one look at two bytes.
pub(crate) struct Needles {
    needles: Vec<(String, Vec<u8>)>,
    /// For each first two bytes, the needles that start with them.
    starts: Vec<Vec<u16>>,
}

impl Needles {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut needles = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= WINDOW, "{name} is too short to be told from chance");
            for start in starts(secret.len()) {
                add_forms(&mut needles, name, start, &secret[start..start + WINDOW]);
            }
        }
        let mut starts = vec![Vec::new(); 1 << 16];
        for (index, (_, needle)) in needles.iter().enumerate() {
            starts[first_two(needle)].push(u16::try_from(index).expect("some thousand needles"));
        }
        Self { needles, starts }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.needles.len()
    }

    /// The longest one's length: how much two pieces of a text must overlap.
    pub(crate) fn longest(&self) -> usize {
        self.needles.iter().map(|(_, needle)| needle.len()).max().unwrap_or(0)
    }

    /// Which needles are in `haystack`, each time.
    pub(crate) fn find(&self, haystack: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        for at in 0..haystack.len().saturating_sub(1) {
            let rest = &haystack[at..];
            for index in &self.starts[first_two(rest)] {
                let (name, needle) = &self.needles[usize::from(*index)];
                if rest.starts_with(needle) {
                    found.push(name.as_str());
                }
            }
        }
        found
    }
}

/// The beginning, the end, and what is between them.
fn starts(length: usize) -> Vec<usize> {
    let last = length - WINDOW;
    let mut starts = vec![0, last / 4, last / 2, last / 4 * 3, last];
    starts.dedup();
    starts
}

fn add_forms(needles: &mut Vec<(String, Vec<u8>)>, name: &str, start: usize, window: &[u8]) {
    let mut add = |form: &str, needle: Vec<u8>| {
        needles.push((format!("{name} from byte {start}, {form}"), needle));
    };
    add("raw", window.to_vec());
    add("reversed", window.iter().rev().copied().collect());
    add("hex", hex::encode(window).into_bytes());
    add("upper-case hex", hex::encode_upper(window).into_bytes());
    for shift in 0..3 {
        let part = &window[shift..shift + BASE64_WINDOW];
        add("base64", STANDARD_NO_PAD.encode(part).into_bytes());
        add("base64url", URL_SAFE_NO_PAD.encode(part).into_bytes());
    }
}

fn first_two(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// Guards against a scanner that is blind for one of the forms: a secret written in
/// each form, at each alignment, must be found, and nothing in random bytes.
#[test]
fn every_form_is_seen() {
    let mut secret = [0; 48];
    let mut noise = vec![0; 1 << 20];
    aws_lc_rs::rand::fill(&mut secret).expect("random bytes");
    aws_lc_rs::rand::fill(&mut noise).expect("random bytes");
    let needles = Needles::new([("secret", &secret[..])]);
    assert_eq!(needles.find(&noise), Vec::<&str>::new());
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let padded = |n: usize| [&b"xyz"[..n], &secret[..]].concat();
    let mut forms = vec![secret.to_vec(), reversed];
    forms.push(hex::encode(secret).into_bytes());
    forms.push(hex::encode_upper(secret).into_bytes());
    for alignment in 0..3 {
        forms.push(STANDARD_NO_PAD.encode(padded(alignment)).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(padded(alignment)).into_bytes());
    }
    for form in forms {
        let text = [&noise[..77], &form, &noise[77..200]].concat();
        assert!(!needles.find(&text).is_empty(), "{}", String::from_utf8_lossy(&form));
    }
}
