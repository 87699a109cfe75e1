//! Signatures and MACs as they are handed back for verification: as text, or in a
//! file, in any of the forms in which they are printed.

use std::{fs, path::Path};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use crate::failure::Failure;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// A signature or a MAC.
pub(crate) struct Mark {
    /// Where it is in the JSON of the call that made it.
    pub(crate) json_field: &'static str,
    /// What it is called.
    pub(crate) what: &'static str,
}

impl Mark {
    /// Takes it from the text or from the file, whichever is given.
    pub(crate) fn read(&self, text: Option<&str>, file: Option<&Path>) -> Result<Bytes, Failure> {
        if let Some(text) = text {
            return decode(text).ok_or_else(|| {
                Failure::local(
                    format!("the {} is not base64url", self.what),
                    "give it as the other command printed it",
                )
            });
        }
        let path = file.unwrap_or(Path::new("/dev/stdin"));
        let bytes = fs::read(path).map_err(|error| {
            Failure::local(format!("{} cannot be read: {error}", path.display()), "check the path")
        })?;
        Ok(self.recognise(bytes))
    }

    /// JSON or base64 if the whole file is that, otherwise the bytes themselves. A
    /// signature is no shorter than 32 bytes, so that mistaking one for text has a
    /// chance of one in 2^64.
    fn recognise(&self, bytes: Vec<u8>) -> Bytes {
        let text = std::str::from_utf8(&bytes).ok().map(str::trim);
        let from_json = || {
            let value: serde_json::Value = serde_json::from_str(text?).ok()?;
            decode(value.get(self.json_field)?.as_str()?)
        };
        let from_text = || decode(text.filter(|text| !text.is_empty())?);
        from_json().or_else(from_text).unwrap_or_else(|| bytes.clone().into())
    }
}

/// base64url or base64, padded or not.
fn decode(text: &str) -> Option<Bytes> {
    let text = text.trim();
    [&alphabet::URL_SAFE, &alphabet::STANDARD]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())
        .map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    const MARK: Mark = Mark { json_field: "signature", what: "signature" };

    proptest! {
        /// Guards against `sign` and `verify` not fitting together in some form.
        #[test]
        fn every_printed_form_is_understood(mark in prop::collection::vec(any::<u8>(), 32..600)) {
            let expected = Bytes::from(mark.clone());
            let standard = STANDARD.encode(&mark);
            let url = URL_SAFE_NO_PAD.encode(&mark);
            for form in [
                mark,
                format!("{url}\n").into_bytes(),
                format!("{standard}\n").into_bytes(),
                format!("{{\n  \"versionName\": \"x\",\n  \"signature\": \"{standard}\"\n}}\n")
                    .into_bytes(),
            ] {
                prop_assert_eq!(MARK.recognise(form), expected.clone());
            }
            prop_assert_eq!(decode(&url), Some(expected.clone()));
            prop_assert_eq!(decode(&standard), Some(expected));
        }
    }

    /// Guards against a panic or a guess where the text is no signature.
    #[test]
    fn text_that_is_no_base64_is_refused() {
        for text in ["*", "a", "AAAA=A", "é"] {
            assert!(MARK.read(Some(text), None).is_err(), "{text}");
        }
    }
}
