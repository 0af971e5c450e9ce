//! Who may do what: the front door of every service.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::domain::access::{
    Action, Actor, Company, CompanyScope, Grants, PlatformScope, Role, User, authorize, authorize_platform,
};
use crate::ids::CompanyId;
use crate::ports::store::Store;
use crate::services::{Ports, ServiceError};

/// Grants scopes, and keeps companies, users and roles.
#[derive(Debug, Clone)]
pub struct Access {
    store: Arc<dyn Store>,
}

impl Access {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// The scope to do one action for one company. Reads a user's roles anew each time, so a change holds at once.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a grant says otherwise; [`ServiceError::Store`].
    pub async fn authorize(
        &self,
        actor: Actor,
        action: Action,
        company: CompanyId,
    ) -> Result<CompanyScope, ServiceError> {
        let grants = match actor {
            Actor::User(user) => self.store.grants_across_companies(user).await?,
            Actor::Worker | Actor::Gateway | Actor::Operator => Grants::default(),
        };
        Ok(authorize(actor, action, company, &grants)?)
    }

    /// The scope to work across companies.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] for users and gateways.
    pub fn authorize_platform(&self, actor: Actor) -> Result<PlatformScope, ServiceError> {
        Ok(authorize_platform(actor)?)
    }

    /// Stores a company, replacing what its id named.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`].
    pub async fn save_company(&self, scope: &PlatformScope, company: &Company) -> Result<(), ServiceError> {
        scope.require_operator()?;
        Ok(self.store.save_company_across_companies(company).await?)
    }

    /// Stores a user, replacing what the id named.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`].
    pub async fn save_user(&self, scope: &PlatformScope, user: &User) -> Result<(), ServiceError> {
        scope.require_operator()?;
        Ok(self.store.save_user_across_companies(user).await?)
    }

    /// Stores a role, replacing what the id named. Its companies are the only ones that its users may touch.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless the operator asks; [`ServiceError::Store`].
    pub async fn save_role(&self, scope: &PlatformScope, role: &Role) -> Result<(), ServiceError> {
        scope.require_operator()?;
        Ok(self.store.save_role_across_companies(role).await?)
    }
}
