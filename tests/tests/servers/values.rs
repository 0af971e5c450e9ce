//! What is stored.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::access::{Action, Company, Role, User};
use reminderly_core::domain::campaign::definition::CampaignDefinition;
use reminderly_core::domain::campaign::document::parse;
use reminderly_core::ids::{CompanyId, IdSourceExt as _, RandomIds, RoleId};
use reminderly_core::ports::store::NewCampaign;
use reminderly_tests::material;
use serde_json::json;
use uuid::Uuid;

pub(crate) fn id<Id: From<Uuid>>() -> Id {
    RandomIds.next(now())
}

/// With all the digits that a store keeps.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::microseconds(1)
}

pub(crate) fn company() -> Company {
    Company { id: id(), name: "Smith Clinic, Zürich 🦷".to_owned(), server_name: "one".to_owned() }
}

pub(crate) fn role(action: Action, companies: &[CompanyId]) -> Role {
    let (actions, companies) = (BTreeSet::from([action]), companies.iter().copied().collect());
    Role { id: id(), name: "desk".to_owned(), actions, companies }
}

pub(crate) fn user(roles: &[RoleId]) -> User {
    User { id: id(), name: "Ann".to_owned(), roles: roles.iter().copied().collect(), suspended: false }
}

pub(crate) fn definition(name: &str) -> Arc<CampaignDefinition> {
    let document = material::document_with(&[("/name", json!(name))]);
    Arc::new(parse(&document.to_string()).expect("a campaign"))
}

pub(crate) fn campaign(name: &str) -> NewCampaign {
    NewCampaign { id: id(), definition: definition(name), created_at: now() }
}
