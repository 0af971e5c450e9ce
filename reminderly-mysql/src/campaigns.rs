use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::campaign::definition::CampaignDefinition;
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::ids::{CampaignId, CompanyId};
use reminderly_core::ports::store::{CampaignChange, CampaignStore, NewCampaign, StoreError};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::parameter::Parameter;
use crate::reads::Reads as _;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Tx, TxError, Work};
use crate::values::{Values as _, one_more, page, undecodable};

const TABLE: &str = "company_campaigns";
const SHARE_COMPANY: Statement = statement("SELECT id FROM company WHERE id = ? LOCK IN SHARE MODE");
const OWNER: Statement = statement("SELECT company_id FROM company_campaigns WHERE id = ?");
const ADD: Statement = statement(
    "INSERT INTO company_campaigns (id, company_id, state, version, created_at) VALUES (?, ?, ?, 1, ?)",
);
const ADD_DOCUMENT: Statement =
    statement("INSERT INTO campaign_documents (campaign_id, version, document) VALUES (?, ?, ?)");
const LOCK: Statement =
    statement("SELECT state, version FROM company_campaigns WHERE company_id = ? AND id = ? FOR UPDATE");
const SET_VERSION: Statement =
    statement("UPDATE company_campaigns SET version = ? WHERE id = ? AND version = ?");
const SET_STATE: Statement = statement("UPDATE company_campaigns SET state = ? WHERE id = ? AND state = ?");
const CAMPAIGN: Statement = statement(
    "SELECT id, number, state, company_campaigns.version, created_at, document FROM company_campaigns \
     JOIN campaign_documents ON campaign_id = id AND campaign_documents.version = company_campaigns.version \
     WHERE company_id = ? AND id = ?",
);
const CAMPAIGNS: Statement = statement(
    "SELECT id, number, state, company_campaigns.version, created_at, document FROM company_campaigns \
     JOIN campaign_documents ON campaign_id = id AND campaign_documents.version = company_campaigns.version \
     WHERE company_id = ? AND id > ? ORDER BY id LIMIT ?",
);
const DOCUMENT: Statement = statement(
    "SELECT document FROM company_campaigns JOIN campaign_documents ON campaign_id = id \
     WHERE company_id = ? AND id = ? AND campaign_documents.version = ?",
);

#[async_trait]
impl CampaignStore for MySqlStore {
    async fn create_campaign(&self, company: CompanyId, new: NewCampaign) -> Result<Campaign, StoreError> {
        self.transact(Create { company, new }).await
    }

    async fn campaign(&self, company: CompanyId, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        let row = self.one(CAMPAIGN.bind(company.as_uuid()).bind(id.as_uuid())).await?;
        row.map(|row| campaign(company, &row)).transpose()
    }

    async fn definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        version: u32,
    ) -> Result<Option<Arc<CampaignDefinition>>, StoreError> {
        let row = self.one(DOCUMENT.bind(company.as_uuid()).bind(id.as_uuid()).bind(version)).await?;
        row.map(|row| document(&row)).transpose()
    }

    async fn save_definition(
        &self,
        company: CompanyId,
        id: CampaignId,
        expected: u32,
        definition: Arc<CampaignDefinition>,
    ) -> Result<CampaignChange, StoreError> {
        self.transact(SaveDefinition { company, id, expected, definition }).await
    }

    async fn change_campaign_state(
        &self,
        company: CompanyId,
        id: CampaignId,
        from: CampaignState,
        to: CampaignState,
    ) -> Result<CampaignChange, StoreError> {
        self.transact(ChangeState { company, id, from, to }).await
    }

    async fn campaigns(
        &self,
        company: CompanyId,
        after: Option<CampaignId>,
        limit: usize,
    ) -> Result<Page<Campaign, CampaignId>, StoreError> {
        let after = after.map_or(Uuid::nil(), CampaignId::as_uuid);
        let rows = self.all(CAMPAIGNS.bind(company.as_uuid()).bind(after).bind(one_more(limit))).await?;
        let campaigns = rows.iter().map(|row| campaign(company, row)).collect::<Result<Vec<_>, _>>()?;
        Ok(page(campaigns, limit, |campaign| campaign.id))
    }
}

struct Create {
    company: CompanyId,
    new: NewCampaign,
}

#[async_trait]
impl Work for Create {
    type Done = Campaign;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Campaign, TxError> {
        let Self { company, new } = self;
        let there = tx.one(SHARE_COMPANY.bind(company.as_uuid())).await?;
        there.ok_or(StoreError::Missing { what: "company" })?;
        // An id that another company has is not there either, by the answer of `find`.
        if tx.one(OWNER.bind(new.id.as_uuid())).await?.is_none() {
            let state = CampaignState::Draft.as_str();
            let add = ADD.bind(new.id.as_uuid()).bind(company.as_uuid()).bind(state).bind(new.created_at);
            tx.write(add).await?;
            add_document(tx, new.id, 1, &new.definition).await?;
        }
        find(tx, *company, new.id).await
    }
}

struct SaveDefinition {
    company: CompanyId,
    id: CampaignId,
    expected: u32,
    definition: Arc<CampaignDefinition>,
}

#[async_trait]
impl Work for SaveDefinition {
    type Done = CampaignChange;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<CampaignChange, TxError> {
        let (company, id) = (self.company, self.id);
        let (_, version) = lock(tx, company, id).await?;
        if version != self.expected {
            return Ok(CampaignChange::Conflict(find(tx, company, id).await?));
        }
        let next = version.saturating_add(1);
        add_document(tx, id, next, &self.definition).await?;
        tx.change(SET_VERSION.bind(next).bind(id.as_uuid()).bind(version)).await?;
        Ok(CampaignChange::Changed(find(tx, company, id).await?))
    }
}

struct ChangeState {
    company: CompanyId,
    id: CampaignId,
    from: CampaignState,
    to: CampaignState,
}

#[async_trait]
impl Work for ChangeState {
    type Done = CampaignChange;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<CampaignChange, TxError> {
        let Self { company, id, from, to } = *self;
        let (state, _) = lock(tx, company, id).await?;
        if state != from || !from.may_become(to) {
            return Ok(CampaignChange::Conflict(find(tx, company, id).await?));
        }
        tx.change(SET_STATE.bind(to.as_str()).bind(id.as_uuid()).bind(from.as_str())).await?;
        Ok(CampaignChange::Changed(find(tx, company, id).await?))
    }
}

/// State and version of a campaign, which nobody else changes meanwhile.
async fn lock(tx: &mut Tx<'_>, company: CompanyId, id: CampaignId) -> Result<(CampaignState, u32), TxError> {
    let row = tx.one(LOCK.bind(company.as_uuid()).bind(id.as_uuid())).await?;
    let row = row.ok_or(StoreError::Missing { what: "campaign" })?;
    Ok((state(&row)?, row.value(TABLE, "version")?))
}

async fn find(tx: &mut Tx<'_>, company: CompanyId, id: CampaignId) -> Result<Campaign, TxError> {
    let row = tx.one(CAMPAIGN.bind(company.as_uuid()).bind(id.as_uuid())).await?;
    Ok(campaign(company, &row.ok_or(StoreError::Missing { what: "campaign" })?)?)
}

async fn add_document(
    tx: &mut Tx<'_>,
    id: CampaignId,
    version: u32,
    definition: &CampaignDefinition,
) -> Result<(), TxError> {
    tx.write(ADD_DOCUMENT.bind(id.as_uuid()).bind(version).bind(Parameter::json(definition))).await
}

fn campaign(company: CompanyId, row: &MySqlRow) -> Result<Campaign, StoreError> {
    let id: Uuid = row.value(TABLE, "id")?;
    let created_at: DateTime<Utc> = row.value(TABLE, "created_at")?;
    Ok(Campaign {
        id: id.into(),
        company,
        number: row.value(TABLE, "number")?,
        state: state(row)?,
        version: row.value(TABLE, "version")?,
        definition: document(row)?,
        created_at,
    })
}

fn document(row: &MySqlRow) -> Result<Arc<CampaignDefinition>, StoreError> {
    let Json(definition) = row.value("campaign_documents", "document")?;
    Ok(Arc::new(definition))
}

pub(crate) fn state(row: &MySqlRow) -> Result<CampaignState, StoreError> {
    let name: String = row.value(TABLE, "state")?;
    let named = CampaignState::ALL.into_iter().find(|state| state.as_str() == name);
    named.ok_or_else(|| undecodable(row, TABLE, "state"))
}
