use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::access::{Company, Grants, Role, User};
use crate::ids::{CompanyId, UserId};
use crate::ports::store::{AccessStore, StoreError};

#[async_trait]
impl AccessStore for MemoryStore {
    async fn save_company_across_companies(&self, company: &Company) -> Result<(), StoreError> {
        self.transact(|data| {
            data.companies.insert(company.id, company.clone());
            data.records.add_company(company.id);
        })
        .await;
        Ok(())
    }

    async fn company(&self, company: CompanyId) -> Result<Option<Company>, StoreError> {
        Ok(self.transact(|data| data.companies.get(&company).cloned()).await)
    }

    async fn save_user_across_companies(&self, user: &User) -> Result<(), StoreError> {
        self.transact(|data| data.users.insert(user.id, user.clone())).await;
        Ok(())
    }

    async fn save_role_across_companies(&self, role: &Role) -> Result<(), StoreError> {
        self.transact(|data| data.roles.insert(role.id, role.clone())).await;
        Ok(())
    }

    async fn grants_across_companies(&self, user: UserId) -> Result<Grants, StoreError> {
        Ok(self
            .transact(|data| {
                let user = data.users.get(&user).filter(|user| !user.suspended);
                let ids = user.map(|user| user.roles.clone()).unwrap_or_default();
                Grants { roles: ids.iter().filter_map(|id| data.roles.get(id).cloned()).collect() }
            })
            .await)
    }
}
