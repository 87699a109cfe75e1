//! The form of a token request (RFC 6749 section 3.2 and appendix B).

use form_urlencoded::parse;

/// Most parameters. Clients of Azure send seven.
const MAX_PARAMETERS: usize = 32;

/// The parameters of a request, each once.
pub(super) struct Form(Vec<(String, String)>);

/// A parameter comes twice, there are too many, or the body is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadForm;

impl Form {
    pub(super) fn parse(body: &[u8]) -> Result<Self, BadForm> {
        std::str::from_utf8(body).map_err(|_| BadForm)?;
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in parse(body) {
            let twice = parameters.iter().any(|(known, _)| *known == name);
            if twice || parameters.len() == MAX_PARAMETERS || value.contains('\u{fffd}') {
                return Err(BadForm);
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// A parameter; one without a value counts as left out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        (!found.1.is_empty()).then_some(found.1.as_str())
    }
}

/// What was presented may be a secret.
impl Drop for Form {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against two readers of one form that see two clients.
    #[test]
    fn a_parameter_comes_once() {
        let form = Form::parse(b"grant_type=client_credentials&a=%2B+x&empty=").expect("a form");
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("a"), Some("+ x"));
        assert_eq!((form.get("empty"), form.get("b")), (None, None));
        assert!(Form::parse(b"client_id=a&client_id=b").is_err());
        assert!(Form::parse(b"client_id=a&client%5Fid=b").is_err());
        assert!(Form::parse(b"a=\xff").is_err());
        assert!(Form::parse(b"a=%ff").is_err());
        assert!(Form::parse("a&".repeat(99).as_bytes()).is_err());
    }
}
