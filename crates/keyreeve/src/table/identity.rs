//! Principals and tokens as tables for people.

use keyreeve_client::v1::{self, credential::Kind, token::Owner};

use super::{fields, finish, table, time, yes};

/// One principal with its credentials.
pub(crate) fn principal(principal: &v1::Principal) -> String {
    let mut shown = fields([
        ("id", id(&principal.name)),
        ("display name", principal.display_name.clone()),
        ("kind", kind(principal).to_owned()),
        ("enabled", yes(!principal.disabled).to_owned()),
        ("created", time(principal.create_time)),
    ]);
    if !principal.credentials.is_empty() {
        let mut table = table(&["CREDENTIAL", "KIND", "WHAT", "CREATED", "EXPIRES"]);
        for one in &principal.credentials {
            let (kind, what) = match &one.kind {
                Some(Kind::ClientSecret(_)) => ("secret", String::new()),
                Some(Kind::Certificate(one)) => ("certificate", one.thumbprint.clone()),
                Some(Kind::Federated(one)) => {
                    ("federated", format!("{} of {} for {}", one.subject, one.issuer, one.audience))
                }
                None => ("unknown", String::new()),
            };
            let (created, expires) = (time(one.create_time), time(one.expire_time));
            table.add_row([one.id.clone(), kind.to_owned(), what, created, expires]);
        }
        shown = format!("{shown}\n\n{}", finish(&table));
    }
    shown
}

/// Principals, a line each.
pub(crate) fn principals(list: &v1::ListPrincipalsResponse) -> String {
    let mut table = table(&["ID", "DISPLAY NAME", "KIND", "ENABLED", "CREATED"]);
    for principal in &list.principals {
        table.add_row([
            id(&principal.name),
            principal.display_name.clone(),
            kind(principal).to_owned(),
            yes(!principal.disabled).to_owned(),
            time(principal.create_time),
        ]);
    }
    finish(&table)
}

/// A client secret that was just made.
pub(crate) fn new_client_secret(made: &v1::AddClientSecretResponse) -> String {
    let principal = made.principal.clone().unwrap_or_default();
    fields([
        ("client id", id(&principal.name)),
        ("secret id", made.credential_id.clone()),
        ("secret", made.secret_text.clone()),
    ])
}

/// A token that was just issued.
pub(crate) fn new_token(made: &v1::CreateTokenResponse) -> String {
    let token = made.token.clone().unwrap_or_default();
    fields([
        ("id", id(&token.name)),
        ("proves", owner(&token)),
        ("expires", time(token.expire_time)),
        ("token", made.secret_text.clone()),
    ])
}

/// Tokens, a line each.
pub(crate) fn tokens(list: &v1::ListTokensResponse) -> String {
    let mut table = table(&["ID", "PROVES", "CREATED", "EXPIRES", "REVOKED"]);
    for token in &list.tokens {
        let (created, expires) = (time(token.create_time), time(token.expire_time));
        let revoked = time(token.revoke_time);
        table.add_row([id(&token.name), owner(token), created, expires, revoked]);
    }
    finish(&table)
}

fn owner(token: &v1::Token) -> String {
    match &token.owner {
        Some(Owner::Principal(name)) => format!("principal {}", id(name)),
        Some(Owner::Bearer(name)) => format!("token {name}"),
        None => String::new(),
    }
}

fn kind(principal: &v1::Principal) -> &'static str {
    match principal.kind() {
        v1::principal::Kind::ManagedIdentity => "managed identity",
        _ => "service principal",
    }
}

fn id(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}
