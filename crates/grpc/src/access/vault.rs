//! What a vault says about access to it, as it is written on the wire.

use keyreeve_authz::{
    AccessPolicies, DefaultAction, IpRange, NetworkRules, ObjectKind, PermissionModel, Permissions,
    Principal,
};
use keyreeve_proto::v1::{
    self, network_rules::DefaultAction as WireDefault, vault_access::PermissionModel as WireModel,
};
use keyreeve_service::{Error, VaultName, vaults::VaultAccess};
use keyreeve_types::Name;
use prost_types::FieldMask;

use super::principal;
use crate::timestamp;

/// Reads `vaults/{vault}/access`.
pub(super) fn name<'a>(field: &'static str, text: &'a str) -> Result<VaultName<'a>, Error> {
    let vault = text.strip_prefix("vaults/").and_then(|rest| rest.strip_suffix("/access"));
    vault.and_then(|vault| VaultName::new(vault).ok()).ok_or_else(|| {
        Error::invalid(
            field,
            format!(
                "{field} must be vaults/VAULT/access, where names are 1 to 127 characters of 0-9, \
                 a-z, A-Z and '-'"
            ),
        )
    })
}

pub(super) fn to_proto(access: &VaultAccess) -> v1::VaultAccess {
    let policy = &access.policy;
    let model = match policy.model {
        PermissionModel::Roles => WireModel::Roles,
        PermissionModel::AccessPolicies => WireModel::AccessPolicies,
    };
    let default = match policy.network.default_action() {
        DefaultAction::Allow => WireDefault::Allow,
        DefaultAction::Deny => WireDefault::Deny,
    };
    v1::VaultAccess {
        name: format!("{}/access", access.vault),
        permission_model: model.into(),
        access_policies: policy.access_policies.iter().map(entry).collect(),
        network_rules: Some(v1::NetworkRules {
            default_action: default.into(),
            ip_ranges: policy.network.ranges().iter().map(ToString::to_string).collect(),
            listeners: policy.network.listeners().iter().map(ToString::to_string).collect(),
        }),
        update_time: access.updated.map(timestamp::to_proto),
        etag: access.etag.clone(),
    }
}

fn entry((holder, permissions): (&Principal, Permissions)) -> v1::AccessPolicy {
    let of = |kind: ObjectKind| {
        let of_kind = permissions.iter().filter(|permission| permission.kind() == kind);
        of_kind.map(|permission| permission.name().to_owned()).collect()
    };
    v1::AccessPolicy {
        principal: Some(principal::to_proto(holder)),
        keys: of(ObjectKind::Key),
        secrets: of(ObjectKind::Secret),
        certificates: of(ObjectKind::Certificate),
    }
}

/// Reads what `mask` names: the model, and the access policies.
pub(super) fn changes(
    wanted: &v1::VaultAccess,
    mask: Option<&FieldMask>,
) -> Result<(Option<PermissionModel>, Option<AccessPolicies>), Error> {
    let wrong =
        || Error::invalid("update_mask", "name what to set: permission_model, access_policies");
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        return Err(wrong());
    }
    let (mut model, mut policies) = (None, None);
    for path in paths {
        match path.as_str() {
            "permission_model" => model = Some(read_model(wanted)?),
            "access_policies" => policies = Some(read_policies(&wanted.access_policies)?),
            _ => return Err(wrong()),
        }
    }
    Ok((model, policies))
}

fn read_model(wanted: &v1::VaultAccess) -> Result<PermissionModel, Error> {
    match WireModel::try_from(wanted.permission_model) {
        Ok(WireModel::Roles) => Ok(PermissionModel::Roles),
        Ok(WireModel::AccessPolicies) => Ok(PermissionModel::AccessPolicies),
        Ok(WireModel::Unspecified) | Err(_) => Err(Error::invalid(
            "vault_access.permission_model",
            "permission_model must be ROLES or ACCESS_POLICIES",
        )),
    }
}

fn read_policies(wanted: &[v1::AccessPolicy]) -> Result<AccessPolicies, Error> {
    const FIELD: &str = "vault_access.access_policies";
    let mut policies = AccessPolicies::default();
    for entry in wanted {
        let holder = principal::from_proto(FIELD, entry.principal.as_ref())?;
        if policies.of(&holder) != Permissions::NONE {
            return Err(Error::invalid(FIELD, format!("{holder} is there twice; join the two")));
        }
        let lists = [
            (ObjectKind::Key, &entry.keys),
            (ObjectKind::Secret, &entry.secrets),
            (ObjectKind::Certificate, &entry.certificates),
        ];
        let mut all = Permissions::NONE;
        for (kind, list) in lists {
            for text in list {
                let of = Permissions::parse(kind, text).ok_or_else(|| {
                    let shown: String = text.chars().take(32).collect();
                    let of = kind.collection();
                    Error::invalid(FIELD, format!("there is no permission {shown:?} on {of}"))
                })?;
                all = all.union(of);
            }
        }
        let with = policies.with(holder, all);
        policies = with.map_err(|bad| Error::invalid(FIELD, bad.to_string()))?;
    }
    Ok(policies)
}

pub(super) fn rules(wanted: &v1::NetworkRules) -> Result<NetworkRules, Error> {
    let default = match WireDefault::try_from(wanted.default_action) {
        Ok(WireDefault::Unspecified | WireDefault::Allow) => DefaultAction::Allow,
        Ok(WireDefault::Deny) => DefaultAction::Deny,
        Err(_) => {
            return Err(Error::invalid(
                "network_rules.default_action",
                "default_action must be ALLOW or DENY",
            ));
        }
    };
    let range = |text: &String| {
        text.parse::<IpRange>().map_err(|bad| {
            let shown: String = text.chars().take(64).collect();
            Error::invalid("network_rules.ip_ranges", format!("{shown:?}: {bad}"))
        })
    };
    let listener = |text: &String| {
        text.parse::<Name>()
            .map_err(|bad| Error::invalid("network_rules.listeners", bad.to_string()))
    };
    let ranges: Vec<IpRange> = wanted.ip_ranges.iter().map(range).collect::<Result<_, _>>()?;
    let listeners: Vec<Name> = wanted.listeners.iter().map(listener).collect::<Result<_, _>>()?;
    NetworkRules::new(default, ranges, listeners)
        .map_err(|bad| Error::invalid("network_rules", bad.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a mistyped permission that is passed over, one entry that hides
    /// another, and a model that is chosen by leaving it out.
    #[test]
    fn what_makes_no_sense_is_refused() {
        let principal = |name: &str| {
            Some(v1::Holder { kind: "user".into(), name: name.into(), issuer: String::new() })
        };
        let with = |keys: &[&str], name: &str| v1::AccessPolicy {
            principal: principal(name),
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            ..v1::AccessPolicy::default()
        };
        assert!(read_policies(&[with(&["Sign", "get"], "a"), with(&["all"], "b")]).is_ok());
        assert!(read_policies(&[with(&["sing"], "a")]).is_err());
        assert!(read_policies(&[with(&["get"], "a"), with(&["sign"], "a")]).is_err());
        assert!(read_policies(&[with(&["get"], "")]).is_err());
        assert!(read_model(&v1::VaultAccess::default()).is_err());
        for bad in ["vaults/a", "vaults//access", "vaults/a/b/access", "a/access"] {
            assert!(name("name", bad).is_err(), "{bad}");
        }
        let ranges = |text: &str| v1::NetworkRules {
            ip_ranges: vec![text.to_owned()],
            ..v1::NetworkRules::default()
        };
        assert!(rules(&ranges("203.0.113.0/24")).is_ok());
        assert!(rules(&ranges("203.0.113.1/24")).is_err());
    }
}
