//! Who may do what: roles and their assignments.

use crate::{Client, Error, v1};

impl Client {
    /// Who the service takes this client for, and what that holds.
    ///
    /// # Errors
    /// As every call; see [`Error`].
    pub async fn who_am_i(&self) -> Result<v1::WhoAmIResponse, Error> {
        self.call(v1::WhoAmIRequest {}).await
    }

    /// All roles, built-in ones and others, in the order of their ids.
    ///
    /// # Errors
    /// As every call; see [`Error`].
    pub async fn roles(&self) -> Result<Vec<v1::Role>, Error> {
        let mut request = v1::ListRolesRequest::default();
        let mut roles = Vec::new();
        loop {
            let page = self.call(request.clone()).await?;
            roles.extend(page.roles);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(roles);
            }
        }
    }

    /// All assignments that `request` asks for, from the page on that it names.
    ///
    /// # Errors
    /// As every call; see [`Error`].
    pub async fn assignments(
        &self,
        mut request: v1::ListAssignmentsRequest,
    ) -> Result<Vec<v1::Assignment>, Error> {
        let mut assignments = Vec::new();
        loop {
            let page = self.call(request.clone()).await?;
            assignments.extend(page.assignments);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(assignments);
            }
        }
    }
}
