//! `AccessService`.

mod assignment;
mod principal;
mod role;
mod vault;

use std::str::FromStr;

use keyreeve_authz::Scope;
use keyreeve_proto::v1::{
    Assignment, CreateAssignmentRequest, CreateRoleRequest, DeleteAssignmentRequest,
    DeleteRoleRequest, GetAssignmentRequest, GetRoleRequest, GetVaultAccessRequest,
    ListAssignmentsRequest, ListAssignmentsResponse, ListRolesRequest, ListRolesResponse, Role,
    UpdateNetworkRulesRequest, UpdateRoleRequest, UpdateVaultAccessRequest, VaultAccess,
    WhoAmIRequest, WhoAmIResponse, access_service_server::AccessService,
};
use keyreeve_service::{
    Error, PageRequest, Service,
    assignments::{CreateAssignment, ListAssignments},
    roles::{CreateRole, UpdateRole},
    vaults::{SetAccess, SetNetwork},
};
use tonic::{Request, Response, Status};

use crate::{call::Call, timestamp, to_status};

/// The door to roles, assignments and what vaults say about access.
pub(crate) struct AccessDoor {
    service: Service,
}

impl AccessDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    async fn who(&self, call: Call<WhoAmIRequest>) -> Result<WhoAmIResponse, Error> {
        let Call { caller, deadline, .. } = call;
        let who = self.service.who_am_i(&caller, deadline).await?;
        Ok(WhoAmIResponse {
            principal: Some(principal::to_proto(&who.principal)),
            groups: who.groups.iter().map(principal::to_proto).collect(),
            method: who.method.name().to_owned(),
            assignments: who.assignments.iter().map(assignment::to_proto).collect(),
        })
    }

    async fn make_role(&self, call: Call<CreateRoleRequest>) -> Result<Role, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.role.unwrap_or_default();
        let id = new_id("role_id", &message.role_id)?;
        let request = CreateRole { id, name: &wanted.title, lists: role::lists(&wanted) };
        let made = self.service.create_role(&caller, request, deadline).await?;
        Ok(role::to_proto(&made))
    }

    async fn read_role(&self, call: Call<GetRoleRequest>) -> Result<Role, Error> {
        let Call { caller, deadline, message } = call;
        let id = id("name", "roles", &message.name)?;
        let read = self.service.get_role(&caller, id, deadline).await?;
        Ok(role::to_proto(&read))
    }

    async fn roles(&self, call: Call<ListRolesRequest>) -> Result<ListRolesResponse, Error> {
        let Call { caller, deadline, message } = call;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_roles(&caller, page, deadline).await?;
        Ok(ListRolesResponse {
            roles: page.items.iter().map(role::to_proto).collect(),
            next_page_token: page.next,
        })
    }

    async fn change_role(&self, call: Call<UpdateRoleRequest>) -> Result<Role, Error> {
        let Call { caller, deadline, message } = call;
        let wanted =
            message.role.ok_or_else(|| Error::invalid("role", "there is nothing to set"))?;
        let id = id("role.name", "roles", &wanted.name)?;
        let changes = role::changes(&wanted, message.update_mask.as_ref())?;
        let request = UpdateRole { id, changes, etag: &wanted.etag };
        let changed = self.service.update_role(&caller, request, deadline).await?;
        Ok(role::to_proto(&changed))
    }

    async fn drop_role(&self, call: Call<DeleteRoleRequest>) -> Result<(), Error> {
        let Call { caller, deadline, message } = call;
        let id = id("name", "roles", &message.name)?;
        self.service.delete_role(&caller, id, &message.etag, deadline).await
    }

    async fn assign(&self, call: Call<CreateAssignmentRequest>) -> Result<Assignment, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.assignment.unwrap_or_default();
        let request = CreateAssignment {
            id: new_id("assignment_id", &message.assignment_id)?,
            role: id("assignment.role", "roles", &wanted.role)?,
            holder: principal::from_proto("assignment.principal", wanted.principal.as_ref())?,
            scope: scope("assignment.scope", &wanted.scope)?,
            expires: wanted.expire_time.map(timestamp::from_proto),
        };
        let made = self.service.create_assignment(&caller, request, deadline).await?;
        Ok(assignment::to_proto(&made))
    }

    async fn read_assignment(&self, call: Call<GetAssignmentRequest>) -> Result<Assignment, Error> {
        let Call { caller, deadline, message } = call;
        let id = id("name", "assignments", &message.name)?;
        let read = self.service.get_assignment(&caller, id, deadline).await?;
        Ok(assignment::to_proto(&read))
    }

    async fn assignments(
        &self,
        call: Call<ListAssignmentsRequest>,
    ) -> Result<ListAssignmentsResponse, Error> {
        let Call { caller, deadline, message } = call;
        let holder = message.principal.as_ref();
        let request = ListAssignments {
            scope: match message.scope.as_str() {
                "" => Scope::Service,
                text => scope("scope", text)?,
            },
            holder: holder.map(|p| principal::from_proto("principal", Some(p))).transpose()?,
        };
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_assignments(&caller, request, page, deadline).await?;
        Ok(ListAssignmentsResponse {
            assignments: page.items.iter().map(assignment::to_proto).collect(),
            next_page_token: page.next,
        })
    }

    async fn unassign(&self, call: Call<DeleteAssignmentRequest>) -> Result<(), Error> {
        let Call { caller, deadline, message } = call;
        let id = id("name", "assignments", &message.name)?;
        self.service.delete_assignment(&caller, id, deadline).await
    }

    async fn read_access(&self, call: Call<GetVaultAccessRequest>) -> Result<VaultAccess, Error> {
        let Call { caller, deadline, message } = call;
        let vault = vault::name("name", &message.name)?;
        let read = self.service.get_vault_access(&caller, vault, deadline).await?;
        Ok(vault::to_proto(&read))
    }

    async fn change_access(
        &self,
        call: Call<UpdateVaultAccessRequest>,
    ) -> Result<VaultAccess, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message
            .vault_access
            .ok_or_else(|| Error::invalid("vault_access", "there is nothing to set"))?;
        let (model, access_policies) = vault::changes(&wanted, message.update_mask.as_ref())?;
        let request = SetAccess {
            vault: vault::name("vault_access.name", &wanted.name)?,
            model,
            access_policies,
            etag: &wanted.etag,
        };
        let changed = self.service.set_vault_access(&caller, request, deadline).await?;
        Ok(vault::to_proto(&changed))
    }

    async fn change_network(
        &self,
        call: Call<UpdateNetworkRulesRequest>,
    ) -> Result<VaultAccess, Error> {
        let Call { caller, deadline, message } = call;
        let rules = message
            .network_rules
            .ok_or_else(|| Error::invalid("network_rules", "there are no rules to set"))?;
        let request = SetNetwork {
            vault: vault::name("name", &message.name)?,
            rules: vault::rules(&rules)?,
            etag: &message.etag,
        };
        let changed = self.service.set_vault_network(&caller, request, deadline).await?;
        Ok(vault::to_proto(&changed))
    }
}

#[tonic::async_trait]
impl AccessService for AccessDoor {
    async fn who_am_i(
        &self,
        request: Request<WhoAmIRequest>,
    ) -> Result<Response<WhoAmIResponse>, Status> {
        answer(self.who(Call::new(request)?).await)
    }

    async fn create_role(
        &self,
        request: Request<CreateRoleRequest>,
    ) -> Result<Response<Role>, Status> {
        answer(self.make_role(Call::new(request)?).await)
    }

    async fn get_role(&self, request: Request<GetRoleRequest>) -> Result<Response<Role>, Status> {
        answer(self.read_role(Call::new(request)?).await)
    }

    async fn list_roles(
        &self,
        request: Request<ListRolesRequest>,
    ) -> Result<Response<ListRolesResponse>, Status> {
        answer(self.roles(Call::new(request)?).await)
    }

    async fn update_role(
        &self,
        request: Request<UpdateRoleRequest>,
    ) -> Result<Response<Role>, Status> {
        answer(self.change_role(Call::new(request)?).await)
    }

    async fn delete_role(
        &self,
        request: Request<DeleteRoleRequest>,
    ) -> Result<Response<()>, Status> {
        answer(self.drop_role(Call::new(request)?).await)
    }

    async fn create_assignment(
        &self,
        request: Request<CreateAssignmentRequest>,
    ) -> Result<Response<Assignment>, Status> {
        answer(self.assign(Call::new(request)?).await)
    }

    async fn get_assignment(
        &self,
        request: Request<GetAssignmentRequest>,
    ) -> Result<Response<Assignment>, Status> {
        answer(self.read_assignment(Call::new(request)?).await)
    }

    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Result<Response<ListAssignmentsResponse>, Status> {
        answer(self.assignments(Call::new(request)?).await)
    }

    async fn delete_assignment(
        &self,
        request: Request<DeleteAssignmentRequest>,
    ) -> Result<Response<()>, Status> {
        answer(self.unassign(Call::new(request)?).await)
    }

    async fn get_vault_access(
        &self,
        request: Request<GetVaultAccessRequest>,
    ) -> Result<Response<VaultAccess>, Status> {
        answer(self.read_access(Call::new(request)?).await)
    }

    async fn update_vault_access(
        &self,
        request: Request<UpdateVaultAccessRequest>,
    ) -> Result<Response<VaultAccess>, Status> {
        answer(self.change_access(Call::new(request)?).await)
    }

    async fn update_network_rules(
        &self,
        request: Request<UpdateNetworkRulesRequest>,
    ) -> Result<Response<VaultAccess>, Status> {
        answer(self.change_network(Call::new(request)?).await)
    }
}

fn answer<T>(outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|e| to_status(&e))
}

/// Reads `{collection}/{GUID}`.
fn id<I: FromStr>(field: &'static str, collection: &str, text: &str) -> Result<I, Error> {
    let id = text.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
    id.and_then(|id| id.parse().ok()).ok_or_else(|| {
        Error::invalid(
            field,
            format!(
                "{field} must be {collection}/ID, where the id is a GUID: 8-4-4-4-12 hex digits"
            ),
        )
    })
}

/// The id of something new, if the caller names one.
fn new_id<I: FromStr>(field: &'static str, text: &str) -> Result<Option<I>, Error> {
    let bad = |_| Error::invalid(field, format!("{field} is a GUID: 8-4-4-4-12 hex digits"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(bad) }
}

fn scope(field: &'static str, text: &str) -> Result<Scope, Error> {
    text.parse().map_err(|bad: keyreeve_authz::BadScope| Error::invalid(field, bad.to_string()))
}

#[cfg(test)]
mod tests {
    use keyreeve_authz::RoleId;

    use super::*;

    /// Guards against the id of one collection being read as that of another.
    #[test]
    fn ids_are_read_in_their_collection() {
        let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
        let read = |text: &str| id::<RoleId>("name", "roles", text).ok();
        assert_eq!(read(&format!("roles/{owner}")), Some(RoleId::OWNER));
        for bad in ["", "roles", "roles/", "roles/Owner", owner, "roles//", "assignments/x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read(&format!("roles/{owner}/")), None);
        assert_eq!(read(&format!("assignments/{owner}")), None);
        assert!(new_id::<RoleId>("role_id", "").is_ok_and(|id| id.is_none()));
        assert!(new_id::<RoleId>("role_id", "x").is_err());
    }
}
