//! Reading the audit log.

use http::uri::PathAndQuery;
use tonic::{Request, Status, Streaming, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{Client, Error, connections::Lease, v1};

/// Records, as they come.
pub struct AuditRecords {
    records: Streaming<v1::AuditRecord>,
    _lease: Lease,
}

impl Client {
    /// Asks for records of the audit log. With `follow` set they go on until this is
    /// dropped.
    ///
    /// # Errors
    /// As every call; see [`Error`]. Nothing is repeated.
    pub async fn audit_records(
        &self,
        request: v1::QueryAuditRecordsRequest,
    ) -> Result<AuditRecords, Error> {
        let lease = self.connections().lease();
        let request = self.authorized(Request::new(request));
        let opened = open(&lease, request).await.map_err(|status| Error::from_status(&status))?;
        Ok(AuditRecords { records: opened, _lease: lease })
    }
}

impl AuditRecords {
    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// If the service or the way to it fails. Ask again from the index after the last
    /// record.
    pub async fn next(&mut self) -> Result<Option<v1::AuditRecord>, Error> {
        self.records.message().await.map_err(|status| Error::from_status(&status))
    }
}

async fn open(
    lease: &Lease,
    request: Request<v1::QueryAuditRecordsRequest>,
) -> Result<Streaming<v1::AuditRecord>, Status> {
    let mut grpc = Grpc::new(lease.channel.clone());
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static("/keyreeve.v1.AuditService/QueryAuditRecords");
    let codec = ProstCodec::<v1::QueryAuditRecordsRequest, v1::AuditRecord>::default();
    Ok(grpc.server_streaming(request, path, codec).await?.into_inner())
}
