//! Assignments, as they are written on the wire.

use keyreeve_proto::v1;
use keyreeve_service::assignments::AssignmentEntry;

use super::principal;
use crate::timestamp;

pub(super) fn to_proto(entry: &AssignmentEntry) -> v1::Assignment {
    let assignment = &entry.assignment;
    v1::Assignment {
        name: format!("assignments/{}", assignment.id),
        role: format!("roles/{}", assignment.role),
        role_title: entry.role_name.clone(),
        principal: Some(principal::to_proto(&assignment.holder)),
        scope: assignment.scope.to_string(),
        expire_time: assignment.expires.map(timestamp::to_proto),
        configured: assignment.configured,
        create_time: entry.created.map(timestamp::to_proto),
    }
}
