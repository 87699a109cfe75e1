//! What to do next about this very object.
//!
//! The SDK's advice fits every program; at a prompt a command that can be pasted
//! helps more.

use keyreeve_client::{Code, KeyName};

/// The command to try after an error with this gRPC code and reason, about `object`
/// as it was typed: `VAULT` or `VAULT/NAME[/VERSION]`. `None` where the general
/// advice is as good.
pub(crate) fn step(code: Code, reason: Option<&str>, object: &str) -> Option<String> {
    let Ok(name) = object.parse::<KeyName>() else { return about_vault(code, object) };
    let key = name.without_version();
    Some(match (reason.unwrap_or_default(), code) {
        ("KEY_DISABLED", _) => format!("enable it: `keyreeve key update {name} --enabled true`"),
        ("KEY_NOT_YET_VALID", _) => format!(
            "see from when it is valid: `keyreeve key show {name}`; to lift that: `keyreeve key \
             update {name} --not-before none`"
        ),
        ("KEY_EXPIRED", _) => format!("make a new version: `keyreeve key rotate {key}`"),
        ("OPERATION_NOT_ALLOWED" | "WRONG_KEY_TYPE" | "OPERATIONS_NOT_ALLOWED", _) => {
            format!("see its kind and what it may do: `keyreeve key show {name}`")
        }
        ("ALGORITHM_NOT_SUPPORTED_BY_BACKEND", _) => format!(
            "see which backend holds it, `keyreeve key show {name}`, and what that has, `keyreeve \
             status`; then name it with --alg"
        ),
        ("KEY_TYPE_NOT_SUPPORTED_BY_BACKEND", _) => {
            "see which kinds of keys each backend has: `keyreeve status`".to_owned()
        }
        (_, Code::NotFound) if object.matches('/').count() == 2 => {
            format!("see which versions there are: `keyreeve key versions {key}`")
        }
        (_, Code::NotFound) => {
            let vault = object.split('/').next().unwrap_or(object);
            format!(
                "see which keys there are: `keyreeve key list {vault}`, and which vaults: \
                 `keyreeve vault list`"
            )
        }
        (_, Code::Aborted) => format!("read it, `keyreeve key show {name}`, and repeat the change"),
        (_, Code::FailedPrecondition) => format!("look at the key: `keyreeve key show {name}`"),
        _ => return None,
    })
}

fn about_vault(code: Code, vault: &str) -> Option<String> {
    match code {
        Code::NotFound => Some(format!(
            "see which vaults there are, `keyreeve vault list`, or make it: `keyreeve vault create \
             {vault} --tier standard`"
        )),
        Code::AlreadyExists => Some(format!("look at what is there: `keyreeve key list {vault}`")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against advice that leaves the reader to find the command, or names a
    /// command for another object.
    #[test]
    fn the_next_step_is_a_command_for_this_object() {
        let version = "prod/jwt/0123456789abcdef0123456789abcdef";
        for (code, reason, object, command) in [
            (
                Code::FailedPrecondition,
                "KEY_DISABLED",
                version,
                format!("update {version} --enabled true"),
            ),
            (Code::FailedPrecondition, "KEY_EXPIRED", version, "key rotate prod/jwt`".to_owned()),
            (
                Code::FailedPrecondition,
                "SOMETHING_NEW",
                "prod/jwt",
                "key show prod/jwt`".to_owned(),
            ),
            (Code::NotFound, "NOT_FOUND", version, "key versions prod/jwt`".to_owned()),
            (Code::NotFound, "NOT_FOUND", "prod/jwt", "key list prod`".to_owned()),
            (Code::NotFound, "NOT_FOUND", "prod", "vault create prod ".to_owned()),
        ] {
            let said = step(code, Some(reason), object).expect("a step");
            assert!(said.contains(&command), "{reason} {object}: {said}");
        }
        assert_eq!(step(Code::Unavailable, Some("STORE_STOPPED"), "prod/jwt"), None);
    }
}
