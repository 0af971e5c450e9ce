use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::access::{Company, Grants, Role, User};
use crate::ids::{CompanyId, UserId};

/// Companies, users and roles.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AccessStore: Debug + Send + Sync + 'static {
    /// Stores a company, replacing what its id named. Not scoped to a company: it makes one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn save_company_across_companies(&self, company: &Company) -> Result<(), StoreError>;

    /// A company.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn company(&self, company: CompanyId) -> Result<Option<Company>, StoreError>;

    /// Stores a user, replacing what the id named.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn save_user_across_companies(&self, user: &User) -> Result<(), StoreError>;

    /// Stores a role, replacing what the id named.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::CommitUnknown`].
    async fn save_role_across_companies(&self, role: &Role) -> Result<(), StoreError>;

    /// The roles of a user; none for a user who is unknown or suspended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn grants_across_companies(&self, user: UserId) -> Result<Grants, StoreError>;
}
