//! Roles, as they are written on the wire.

use keyreeve_authz::Pattern;
use keyreeve_proto::v1;
use keyreeve_service::{
    Error,
    roles::{RoleChanges, RoleEntry, RoleLists},
};
use prost_types::FieldMask;

use crate::timestamp;

pub(super) fn to_proto(entry: &RoleEntry) -> v1::Role {
    let list =
        |patterns: &[Pattern]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    let (role, definition) = (&entry.role, entry.role.definition());
    v1::Role {
        name: format!("roles/{}", role.id()),
        title: role.name().to_owned(),
        custom: role.is_custom(),
        actions: list(definition.actions()),
        not_actions: list(definition.not_actions()),
        data_actions: list(definition.data_actions()),
        not_data_actions: list(definition.not_data_actions()),
        create_time: entry.created.map(timestamp::to_proto),
        update_time: entry.updated.map(timestamp::to_proto),
        etag: entry.etag.clone(),
    }
}

pub(super) fn lists(wanted: &v1::Role) -> RoleLists {
    RoleLists {
        actions: wanted.actions.clone(),
        not_actions: wanted.not_actions.clone(),
        data_actions: wanted.data_actions.clone(),
        not_data_actions: wanted.not_data_actions.clone(),
    }
}

/// Reads the fields of `wanted` that `mask` names.
pub(super) fn changes(wanted: &v1::Role, mask: Option<&FieldMask>) -> Result<RoleChanges, Error> {
    let wrong = || {
        Error::invalid(
            "update_mask",
            "name what to set: title, actions, not_actions, data_actions, not_data_actions",
        )
    };
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        return Err(wrong());
    }
    let mut changes = RoleChanges::default();
    for path in paths {
        match path.as_str() {
            "title" => changes.name = Some(wanted.title.clone()),
            "actions" => changes.actions = Some(wanted.actions.clone()),
            "not_actions" => changes.not_actions = Some(wanted.not_actions.clone()),
            "data_actions" => changes.data_actions = Some(wanted.data_actions.clone()),
            "not_data_actions" => changes.not_data_actions = Some(wanted.not_data_actions.clone()),
            _ => return Err(wrong()),
        }
    }
    Ok(changes)
}
