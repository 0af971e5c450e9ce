//! The office: a company, somebody who works there, and the campaign.

use std::collections::BTreeSet;

use reminderly_core::domain::access::{Action, Actor, Company, CompanyScope, Role, User};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::ids::{CompanyId, IdSourceExt as _, RoleId, UserId};
use reminderly_core::services::{Access, Campaigns, Ports, ServiceError};

use crate::failure::Failure;
use crate::scenario::Document;

/// A company with one user and one campaign. What is done is done in the user's name, with the rights of the user's role.
#[derive(Debug)]
pub(crate) struct Office {
    access: Access,
    campaigns: Campaigns,
    company: CompanyId,
    user: UserId,
    pub(crate) campaign: Campaign,
}

impl Office {
    /// Makes company, role and user as the operator, and the campaign as the user: a draft, which sends nothing yet.
    pub(crate) async fn open(ports: &Ports, document: &Document) -> Result<Self, Failure> {
        let (access, campaigns) = (Access::new(ports), Campaigns::new(ports));
        let now = ports.clock.now();
        let (company, role, user) =
            (ports.ids.next(now), ports.ids.next::<RoleId>(now), ports.ids.next::<UserId>(now));
        let operator = access.authorize_platform(Actor::Operator)?;
        access
            .save_company(
                &operator,
                &Company { id: company, name: "The office".to_owned(), server_name: "memory".to_owned() },
            )
            .await?;
        access.save_role(&operator, &front_desk(role, company)).await?;
        access
            .save_user(
                &operator,
                &User {
                    id: user,
                    name: "Front desk".to_owned(),
                    roles: BTreeSet::from([role]),
                    suspended: false,
                },
            )
            .await?;
        let edit = access.authorize(Actor::User(user), Action::EditCampaign, company).await?;
        let campaign =
            campaigns.create(&edit, &document.text).await.map_err(|error| unusable(document, error))?;
        Ok(Self { access, campaigns, company, user, campaign })
    }

    /// Lets the campaign send.
    pub(crate) async fn activate(&self) -> Result<(), ServiceError> {
        let scope = self.scope(Action::RunCampaign).await?;
        self.campaigns.activate(&scope, self.campaign.id).await.map(drop)
    }

    /// What the user may do: asked anew each time, so that a role that is changed holds at once.
    pub(crate) async fn scope(&self, action: Action) -> Result<CompanyScope, ServiceError> {
        self.access.authorize(Actor::User(self.user), action, self.company).await
    }

    /// What a worker of the host may do for the company.
    pub(crate) async fn worker_scope(&self) -> Result<CompanyScope, ServiceError> {
        self.access.authorize(Actor::Worker, Action::Operate, self.company).await
    }
}

fn front_desk(id: RoleId, company: CompanyId) -> Role {
    let actions = [
        Action::EditCampaign,
        Action::RunCampaign,
        Action::Ingest,
        Action::ViewReports,
        Action::ViewMessages,
    ];
    Role {
        id,
        name: "Front desk".to_owned(),
        actions: BTreeSet::from(actions),
        companies: BTreeSet::from([company]),
    }
}

pub(crate) fn unusable(document: &Document, error: ServiceError) -> Failure {
    match error {
        ServiceError::InvalidCampaign(invalid) => {
            let (name, count) = (&document.name, invalid.problems.len());
            let noun = if count == 1 { "problem" } else { "problems" };
            Failure::work(format!("campaign {name} has {count} {noun}\n{invalid}"))
        }
        error => error.into(),
    }
}
