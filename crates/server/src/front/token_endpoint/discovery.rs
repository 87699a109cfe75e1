//! Where clients of Azure learn the endpoint's address: the discovery documents of an
//! Entra ID tenant and of AD FS, with what those clients read in them.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Context, error, no_store};

pub(super) async fn of_entra(
    State(context): State<Context>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    document(&context, &tenant, &headers, "/v2.0", "/oauth2/v2.0")
}

pub(super) async fn of_ad_fs(
    State(context): State<Context>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    document(&context, &tenant, &headers, "", "/oauth2")
}

fn document(
    context: &Context,
    tenant: &str,
    headers: &HeaderMap,
    issuer: &str,
    oauth2: &str,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let configured = context.endpoint.url.clone();
    // Without a configured address, back to where the question came.
    let url =
        configured.or_else(|| host.filter(|host| is_host(host)).map(|h| format!("https://{h}")));
    let (Some(url), true) = (url, is_tenant(tenant)) else {
        return error(StatusCode::NOT_FOUND, "invalid_request", "there is no such tenant");
    };
    let base = format!("{url}/{tenant}");
    no_store(
        Json(json!({
            "issuer": format!("{base}{issuer}"),
            "authorization_endpoint": format!("{base}{oauth2}/authorize"),
            "token_endpoint": format!("{base}{oauth2}/token"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["token"],
        }))
        .into_response(),
    )
}

fn is_tenant(text: &str) -> bool {
    (1..=127).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
}
