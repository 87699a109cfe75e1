//! `StatusService`. What it reports is known to whoever runs the processes.

use std::sync::Arc;

use keyreeve_proto::v1::{self, GetStatusRequest, status_service_server::StatusService};
use keyreeve_service::Service;
use tonic::{Request, Response, Status};

use crate::{call::Call, to_status};

/// Reads how the service is. Cheap to clone.
#[derive(Clone)]
pub struct StatusSource(Arc<dyn Fn() -> v1::Status + Send + Sync>);

impl StatusSource {
    /// A source that asks `read`, which must not block.
    pub fn new(read: impl Fn() -> v1::Status + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }
}

/// The door to the status.
pub(crate) struct StatusDoor {
    service: Service,
    source: StatusSource,
}

impl StatusDoor {
    pub(crate) fn new(service: Service, source: StatusSource) -> Self {
        Self { service, source }
    }
}

#[tonic::async_trait]
impl StatusService for StatusDoor {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<v1::Status>, Status> {
        let Call { caller, deadline, .. } = Call::new(request)?;
        let status = self.service.get_status(&caller, || (self.source.0)(), deadline).await;
        status.map(Response::new).map_err(|e| to_status(&e))
    }
}
