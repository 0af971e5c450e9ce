//! The office: companies, somebody who works for each, and their campaigns, as the configuration names them.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::sync::Arc;

use reminderly_core::domain::access::{Action, Actor, Company, CompanyScope, Role, User};
use reminderly_core::domain::campaign::document;
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::ids::{CompanyId, RoleId, UserId};
use reminderly_core::services::{Access, Campaigns, Inbox, Ports, ServiceError};
use reminderly_core::sources::DirectorySource;
use tracing::info;

use crate::config::{CampaignEntry, CompanyEntry, Config};
use crate::failure::Failure;

const CAMPAIGNS_PER_PAGE: usize = 200;

/// Does things in the name of the companies' people.
#[derive(Debug)]
pub(crate) struct Office {
    access: Access,
    campaigns: Campaigns,
    ports: Ports,
}

impl Office {
    pub(crate) fn new(ports: &Ports) -> Self {
        Self { access: Access::new(ports), campaigns: Campaigns::new(ports), ports: ports.clone() }
    }

    /// Stores companies, their people and their campaigns. Repeated, it stores what the configuration has changed.
    ///
    /// A campaign is known by its name: under another one it is another campaign. One that somebody paused stays paused.
    pub(crate) async fn set_up(&self, config: &Config) -> Result<(), Failure> {
        let operator = self.access.authorize_platform(Actor::Operator)?;
        for company in &config.companies {
            let (id, name) = (company.id, company.name.clone());
            let stored = Company { id, name, server_name: "main".to_owned() };
            self.access.save_company(&operator, &stored).await?;
            let role = role(id);
            let user = User {
                id: user(id),
                name: "Configuration".to_owned(),
                roles: BTreeSet::from([role.id]),
                suspended: false,
            };
            self.access.save_role(&operator, &role).await?;
            self.access.save_user(&operator, &user).await?;
            let mut names = HashSet::new();
            for entry in &company.campaigns {
                let campaign = self.set_up_campaign(id, entry).await?;
                if !names.insert(campaign.definition.name.clone()) {
                    let (name, company) = (&campaign.definition.name, &company.name);
                    return Err(Failure::new(format!("two campaigns of {company:?} are called {name:?}")));
                }
            }
        }
        Ok(())
    }

    /// Where files arrive, for the worker.
    pub(crate) async fn inboxes(&self, config: &Config) -> Result<Vec<Inbox>, Failure> {
        let mut inboxes = Vec::new();
        for CompanyEntry { id, campaigns, .. } in &config.companies {
            for entry in campaigns {
                let campaign = self.stored(*id, entry).await?;
                let source = Arc::new(DirectorySource::new(&entry.inbox));
                inboxes.push(Inbox { company: *id, campaign: campaign.id, source });
            }
        }
        Ok(inboxes)
    }

    /// The campaign that an entry of the configuration names, as the entry has it.
    pub(crate) async fn stored(
        &self,
        company: CompanyId,
        entry: &CampaignEntry,
    ) -> Result<Campaign, Failure> {
        let (_, definition) = definition(entry)?;
        let name = &definition.name;
        match self.named(company, name).await? {
            Some(campaign) if *campaign.definition == definition => Ok(campaign),
            Some(_) => {
                let document = entry.document.display();
                Err(Failure::new(format!("{document} is not what is stored of {name:?}: run worker --init")))
            }
            None => {
                Err(Failure::new(format!("the campaign {name:?} is not stored: run worker --init first")))
            }
        }
    }

    /// What a user of the company may do.
    pub(crate) async fn scope(
        &self,
        company: CompanyId,
        action: Action,
    ) -> Result<CompanyScope, ServiceError> {
        self.access.authorize(Actor::User(user(company)), action, company).await
    }

    async fn set_up_campaign(&self, company: CompanyId, entry: &CampaignEntry) -> Result<Campaign, Failure> {
        let (text, definition) = definition(entry)?;
        let edit = self.scope(company, Action::EditCampaign).await?;
        let refused = |error| unusable(entry, error);
        let campaign = match self.named(company, &definition.name).await? {
            None => self.campaigns.create(&edit, &text).await.map_err(refused)?,
            Some(known) if *known.definition == definition => known,
            Some(known) => {
                self.campaigns.edit(&edit, known.id, known.version, &text).await.map_err(refused)?
            }
        };
        if campaign.state == CampaignState::Draft {
            let run = self.scope(company, Action::RunCampaign).await?;
            self.campaigns.activate(&run, campaign.id).await?;
        }
        info!(company.id = %company, campaign.id = %campaign.id, campaign.version = campaign.version, "campaign is stored");
        Ok(campaign)
    }

    async fn named(&self, company: CompanyId, name: &str) -> Result<Option<Campaign>, Failure> {
        let mut after = None;
        loop {
            let page = self.ports.store.campaigns(company, after, CAMPAIGNS_PER_PAGE).await;
            let page = page.map_err(|error| Failure::because("the campaigns cannot be listed", &error))?;
            let is_it = |campaign: &Campaign| {
                *campaign.definition.name == *name && campaign.state != CampaignState::Archived
            };
            if let Some(found) = page.items.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }
}

/// The only user of a company has its number.
fn user(company: CompanyId) -> UserId {
    company.as_uuid().into()
}

fn role(company: CompanyId) -> Role {
    let actions = [Action::EditCampaign, Action::RunCampaign, Action::ViewReports];
    Role {
        id: RoleId::from(company.as_uuid()),
        name: "Configuration".to_owned(),
        actions: BTreeSet::from(actions),
        companies: BTreeSet::from([company]),
    }
}

/// A campaign's document, as text and understood.
fn definition(
    entry: &CampaignEntry,
) -> Result<(String, reminderly_core::domain::campaign::definition::CampaignDefinition), Failure> {
    let what = format!("the campaign {} cannot be read", entry.document.display());
    let text = fs::read_to_string(&entry.document).map_err(|error| Failure::because(&what, &error))?;
    let definition = document::parse(&text)
        .map_err(|invalid| Failure::new(format!("the campaign {}\n{invalid}", entry.document.display())))?;
    Ok((text, definition))
}

fn unusable(entry: &CampaignEntry, error: ServiceError) -> Failure {
    match error {
        ServiceError::InvalidCampaign(invalid) => {
            Failure::new(format!("the campaign {}\n{invalid}", entry.document.display()))
        }
        error => error.into(),
    }
}
