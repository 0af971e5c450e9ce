use std::collections::BTreeMap;

use async_trait::async_trait;
use reminderly_core::domain::access::{Company, Grants, Role, User};
use reminderly_core::ids::{CompanyId, RoleId, UserId};
use reminderly_core::ports::store::{AccessStore, StoreError};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::parameter::Parameter;
use crate::reading_company::LOCKS;
use crate::reads::Reads as _;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Tx, TxError, Work};
use crate::values::Values as _;

const SAVE_COMPANY: Statement = statement(
    "INSERT INTO company (id, name, server_name) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE name = VALUES(name), server_name = VALUES(server_name)",
);
const COMPANY: Statement = statement("SELECT id, name, server_name FROM company WHERE id = ?");
const LAST_LOCK: Statement =
    statement("SELECT number FROM company_locks WHERE company_id = ? AND number = ?");
const ADD_LOCKS: Statement = statement("INSERT INTO company_locks (company_id, number) VALUES {rows}");
const SAVE_USER: Statement = statement(
    "INSERT INTO users (id, name, suspended) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE name = VALUES(name), suspended = VALUES(suspended)",
);
const TAKE_ROLES: Statement = statement("DELETE FROM user_roles WHERE user_id = ?");
const GIVE_ROLES: Statement = statement("INSERT INTO user_roles (user_id, role_id) VALUES {rows}");
const SAVE_ROLE: Statement = statement(
    "INSERT INTO roles (id, name, actions) VALUES (?, ?, ?) \
     ON DUPLICATE KEY UPDATE name = VALUES(name), actions = VALUES(actions)",
);
const TAKE_COMPANIES: Statement = statement("DELETE FROM role_companies WHERE role_id = ?");
const GIVE_COMPANIES: Statement = statement("INSERT INTO role_companies (role_id, company_id) VALUES {rows}");
const ROLES: Statement = statement(
    "SELECT roles.id, roles.name, roles.actions, role_companies.company_id FROM users \
     JOIN user_roles ON user_roles.user_id = users.id \
     JOIN roles ON roles.id = user_roles.role_id \
     LEFT JOIN role_companies ON role_companies.role_id = roles.id \
     WHERE users.id = ? AND NOT users.suspended",
);

#[async_trait]
impl AccessStore for MySqlStore {
    async fn save_company_across_companies(&self, company: &Company) -> Result<(), StoreError> {
        self.transact(SaveCompany(company)).await
    }

    async fn company(&self, company: CompanyId) -> Result<Option<Company>, StoreError> {
        let row = self.one(COMPANY.bind(company.as_uuid())).await?;
        row.map(|row| {
            let text = |column| row.value("company", column);
            Ok(Company { id: company, name: text("name")?, server_name: text("server_name")? })
        })
        .transpose()
    }

    async fn save_user_across_companies(&self, user: &User) -> Result<(), StoreError> {
        self.transact(SaveUser(user)).await
    }

    async fn save_role_across_companies(&self, role: &Role) -> Result<(), StoreError> {
        self.transact(SaveRole(role)).await
    }

    async fn grants_across_companies(&self, user: UserId) -> Result<Grants, StoreError> {
        let mut roles: BTreeMap<RoleId, Role> = BTreeMap::new();
        for row in self.all(ROLES.bind(user.as_uuid())).await? {
            let role = role(&row)?;
            let company: Option<Uuid> = row.value("role_companies", "company_id")?;
            roles.entry(role.id).or_insert(role).companies.extend(company.map(CompanyId::from));
        }
        Ok(Grants { roles: roles.into_values().collect() })
    }
}

struct SaveCompany<'a>(&'a Company);

#[async_trait]
impl Work for SaveCompany<'_> {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        let Self(company) = self;
        let save = SAVE_COMPANY.bind(company.id.as_uuid());
        tx.write(save.bind(&*company.name).bind(&*company.server_name)).await?;
        // The last one is there when all are.
        if tx.one(LAST_LOCK.bind(company.id.as_uuid()).bind(LOCKS - 1)).await?.is_none() {
            let locks = (0..LOCKS).map(|number| [company.id.as_uuid().into(), number.into()]);
            tx.write_each(ADD_LOCKS.each(locks)).await?;
        }
        Ok(())
    }
}

struct SaveUser<'a>(&'a User);

#[async_trait]
impl Work for SaveUser<'_> {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        let Self(user) = self;
        let id = user.id.as_uuid();
        tx.write(SAVE_USER.bind(id).bind(&*user.name).bind(user.suspended)).await?;
        tx.write(TAKE_ROLES.bind(id)).await?;
        let roles = user.roles.iter().map(|role| [id.into(), role.as_uuid().into()]);
        tx.write_each(GIVE_ROLES.each(roles)).await
    }
}

struct SaveRole<'a>(&'a Role);

#[async_trait]
impl Work for SaveRole<'_> {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        let Self(role) = self;
        let id = role.id.as_uuid();
        tx.write(SAVE_ROLE.bind(id).bind(&*role.name).bind(Parameter::json(&role.actions))).await?;
        tx.write(TAKE_COMPANIES.bind(id)).await?;
        let companies = role.companies.iter().map(|company| [id.into(), company.as_uuid().into()]);
        tx.write_each(GIVE_COMPANIES.each(companies)).await
    }
}

/// A role, without its companies.
fn role(row: &MySqlRow) -> Result<Role, StoreError> {
    let id: Uuid = row.value("roles", "id")?;
    let Json(actions) = row.value("roles", "actions")?;
    Ok(Role { id: id.into(), name: row.value("roles", "name")?, actions, companies: [].into() })
}
