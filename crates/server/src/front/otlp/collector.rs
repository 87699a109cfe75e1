//! The way to a collector: one HTTP/2 connection, with TLS unless it is on this host.

use std::{path::Path, time::Duration};

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tonic::{
    Request,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use super::message::ExportResponse;
use crate::{config::CollectorAddress, tls};

/// How long the collector may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// A collector, not yet connected to. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Collector {
    channel: Channel,
    /// For the log.
    pub(super) address: String,
}

impl Collector {
    /// The collector at `address`. Reads the authorities it may have its certificate
    /// from, so it is to be called while files can be read. On a runtime.
    pub(crate) fn new(address: &CollectorAddress, ca: Option<&Path>) -> Result<Self, String> {
        let CollectorAddress { host, port, tls: sealed } = address.clone();
        let name = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let scheme = if sealed { "https" } else { "http" };
        let uri = |scheme| format!("{scheme}://{name}:{port}").parse::<Uri>();
        // The connector does the TLS, so the channel is not told of it.
        let endpoint = Endpoint::from(uri("http").map_err(|error| error.to_string())?)
            .origin(uri(scheme).map_err(|error| error.to_string())?)
            .connect_timeout(LIMIT)
            .timeout(LIMIT);
        let address = format!("{scheme}://{name}:{port}");
        if !sealed {
            return Ok(Self { channel: endpoint.connect_lazy(), address });
        }
        let tls = tls::client(ca, &[b"h2"])?;
        let server = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
        let channel = endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
            let (host, tls, server) = (host.clone(), tls.clone(), server.clone());
            async move {
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                tls.connect(server, stream).await.map(TokioIo::new)
            }
        }));
        Ok(Self { channel, address })
    }

    /// Sends `request` to the method at `path`; how many of what is in it the collector
    /// would not have.
    pub(super) async fn send<M>(&self, path: &'static str, request: M) -> Result<u64, tonic::Status>
    where
        M: prost::Message + Send + Sync + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| tonic::Status::unavailable(error.to_string()))?;
        let codec = tonic_prost::ProstCodec::<M, ExportResponse>::default();
        let path = PathAndQuery::from_static(path);
        let answer = client.unary(Request::new(request), path, codec).await?;
        let partial = answer.into_inner().partial_success.unwrap_or_default();
        Ok(u64::try_from(partial.rejected).unwrap_or_default())
    }
}
