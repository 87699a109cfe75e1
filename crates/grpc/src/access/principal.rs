//! Principals, as they are written on the wire: three fields, never one text.

use keyreeve_authz::{Principal, PrincipalKind};
use keyreeve_proto::v1;
use keyreeve_service::Error;

pub(super) fn to_proto(principal: &Principal) -> v1::Holder {
    v1::Holder {
        kind: principal.kind().name().to_owned(),
        name: principal.name().to_owned(),
        issuer: principal.issuer().unwrap_or_default().to_owned(),
    }
}

pub(super) fn from_proto(
    field: &'static str,
    wanted: Option<&v1::Holder>,
) -> Result<Principal, Error> {
    let wanted = wanted.ok_or_else(|| Error::invalid(field, "name a principal or a group"))?;
    let kind = PrincipalKind::parse(&wanted.kind).ok_or_else(|| {
        let kinds: Vec<_> = PrincipalKind::ALL.iter().map(|kind| kind.name()).collect();
        Error::invalid(field, format!("the kind of a principal is one of {}", kinds.join(", ")))
    })?;
    let issuer = Some(wanted.issuer.as_str()).filter(|issuer| !issuer.is_empty());
    Principal::new(kind, issuer, &wanted.name).map_err(|bad| Error::invalid(field, bad.to_string()))
}
