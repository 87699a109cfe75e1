//! Asking an issuer's server: one GET over TLS.
//!
//! It follows no redirect, sends no cookie and no credential, speaks to the host it was
//! told and to no other, and gives up after ten seconds or 256 KiB.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use keyreeve_identity::KeySet;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// Longest time for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The document at `url`.
pub(super) async fn get(url: &Uri, tls: &TlsConnector) -> Result<Bytes, String> {
    let answer = timeout(PATIENCE, ask(url, tls)).await;
    answer.unwrap_or_else(|_| Err("no answer within 10 s".to_owned()))
}

async fn ask(url: &Uri, tls: &TlsConnector) -> Result<Bytes, String> {
    let host = url.host().ok_or("the URL has no host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_u16().unwrap_or(443);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    let stream = tls.connect(name, stream).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let authority = url.authority().ok_or("the URL has no host")?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(header::HOST, authority.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "keyreeve")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(format!("answered {status}; redirects are not followed"));
            }
            status => return Err(format!("answered {status}")),
        }
        let body = Limited::new(answer.into_body(), KeySet::MAX_LEN).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
    }
    .await;
    driver.abort();
    answer
}
