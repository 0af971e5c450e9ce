//! The logs of companies, in a table for each day: what is old goes as a whole.

use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::access::Actor;
use reminderly_core::domain::log_entry::{CampaignDeed, Deed, LogEntry, LogPlace, PacketDeed};
use reminderly_core::ids::{CampaignId, CompanyId, LogEntryId, PacketId, UserId};
use reminderly_core::ports::store::{LogStore, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::mysql::MySqlRow;
use sqlx::types::Uuid;

use crate::log_tables::{LogTable, LogTables};
use crate::reads::{Question, Reads as _};
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::{Values as _, one_more, page, undecodable};

const TABLE: &str = "company_log";

/// Nothing, if there is no such company.
const APPEND: Statement = statement(
    "INSERT INTO {log} (company_id, at, id, actor, user_id, deed, campaign_id, packet_id) \
     SELECT id, ?, ?, ?, ?, ?, ?, ? FROM company WHERE id = ? ON DUPLICATE KEY UPDATE at = VALUES(at)",
);
const ENTRIES: Statement = statement(
    "SELECT at, id, actor, user_id, deed, campaign_id, packet_id FROM {log} \
     WHERE company_id = ? AND at >= ? AND at < ? AND (at > ? OR id > ?) ORDER BY at, id LIMIT ?",
);

/// An entry, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoggedEntry {
    pub(crate) company: CompanyId,
    #[serde(flatten)]
    pub(crate) entry: LogEntry,
}

#[async_trait]
impl LogStore for MySqlStore {
    async fn append_to_log(&self, company: CompanyId, entry: LogEntry) -> Result<(), StoreError> {
        self.write_log(entry.at.date_naive(), || Append { company, entry }).await
    }

    async fn log(
        &self,
        company: CompanyId,
        during: Range<DateTime<Utc>>,
        after: Option<LogPlace>,
        limit: usize,
    ) -> Result<Page<LogEntry, LogPlace>, StoreError> {
        self.ask(Entries { company, during, after, limit }).await
    }
}

impl MySqlStore {
    /// Entries of all companies behind one of a table, in the order of their keys.
    pub(crate) async fn logged_after(
        &self,
        table: LogTable,
        after: Option<&LoggedEntry>,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        let (company, place) = match after {
            Some(LoggedEntry { company, entry }) => (company.as_uuid(), entry.place()),
            None => (Uuid::nil(), LogPlace { at: DateTime::<Utc>::MIN_UTC, id: Uuid::nil().into() }),
        };
        let select = LOGGED.of_log(table).bind(company).bind(company).bind(place.at);
        let select = select.bind(company).bind(place.at);
        let mut found = Vec::new();
        for row in self.all(select.bind(place.id.as_uuid()).bind(PAGE)).await? {
            let company: Uuid = row.value(TABLE, "company_id")?;
            found.push(LoggedEntry { company: company.into(), entry: entry(&row)? });
        }
        Ok(found)
    }

    /// How many entries a table has.
    pub(crate) async fn count_logged(&self, table: LogTable) -> Result<u64, StoreError> {
        let row = self.one(COUNT.of_log(table)).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.value(TABLE, "count"))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Writes entries of a day back. Those that are there stay as they are.
    pub(crate) async fn write_logged(
        &self,
        day: NaiveDate,
        entries: &[LoggedEntry],
    ) -> Result<(), StoreError> {
        let rows = entries.iter().map(|LoggedEntry { company, entry }| {
            let (actor, user) = columns_of_actor(entry.actor);
            let (deed, campaign, packet) = columns_of_deed(entry.deed);
            [
                company.as_uuid().into(),
                entry.at.into(),
                entry.id.as_uuid().into(),
                actor.into(),
                user.into(),
                deed.into(),
                campaign.into(),
                packet.into(),
            ]
        });
        let statements = WRITE_BACK.of_log(LogTable::of(day)).each(rows);
        self.write_log(day, || statements.clone()).await
    }
}

/// So many entries are read together.
const PAGE: u64 = 2_000;

const COUNT: Statement = statement("SELECT COUNT(*) AS count FROM {log}");
const LOGGED: Statement = statement(
    "SELECT company_id, at, id, actor, user_id, deed, campaign_id, packet_id FROM {log} \
     WHERE company_id > ? OR company_id = ? AND at > ? OR company_id = ? AND at = ? AND id > ? \
     ORDER BY company_id, at, id LIMIT ?",
);
const WRITE_BACK: Statement = statement(
    "INSERT INTO {log} (company_id, at, id, actor, user_id, deed, campaign_id, packet_id) VALUES {rows} \
     ON DUPLICATE KEY UPDATE at = VALUES(at)",
);

struct Append {
    company: CompanyId,
    entry: LogEntry,
}

#[async_trait]
impl Work for Append {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        let LogEntry { id, at, actor, deed } = self.entry;
        let (actor, user) = columns_of_actor(actor);
        let (deed, campaign, packet) = columns_of_deed(deed);
        let append =
            APPEND.of_log(LogTable::of(at.date_naive())).bind(at).bind(id.as_uuid()).bind(actor).bind(user);
        let append = append.bind(deed).bind(campaign).bind(packet).bind(self.company.as_uuid());
        match tx.count(append).await? {
            0 => Err(StoreError::Missing { what: "company" }.into()),
            _ => Ok(()),
        }
    }
}

struct Entries {
    company: CompanyId,
    during: Range<DateTime<Utc>>,
    after: Option<LogPlace>,
    limit: usize,
}

#[async_trait]
impl Question for Entries {
    type Answer = Page<LogEntry, LogPlace>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let Range { start, end } = self.during;
        let first = LogPlace { at: start, id: Uuid::nil().into() };
        let after = self.after.map_or(first, |after| after.max(first));
        let mut found = Vec::new();
        let days = after.at.date_naive()..=end.date_naive();
        let is_wanted = |table: &LogTable| !table.is_retired() && days.contains(&table.day);
        for LogTable { day, .. } in LogTables.ask(reads).await?.into_iter().filter(is_wanted) {
            let missing = one_more(self.limit).saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
            if missing == 0 {
                break;
            }
            let select =
                ENTRIES.of_log(LogTable::of(day)).bind(self.company.as_uuid()).bind(after.at).bind(end);
            let select = select.bind(after.at).bind(after.id.as_uuid()).bind(missing);
            for row in reads.all(select).await? {
                found.push(entry(&row)?);
            }
        }
        Ok(page(found, self.limit, LogEntry::place))
    }
}

fn entry(row: &MySqlRow) -> Result<LogEntry, StoreError> {
    let id: Uuid = row.value(TABLE, "id")?;
    Ok(LogEntry {
        id: LogEntryId::from(id),
        at: row.value(TABLE, "at")?,
        actor: actor(row)?,
        deed: deed(row)?,
    })
}

fn columns_of_actor(actor: Actor) -> (&'static str, Option<Uuid>) {
    match actor {
        Actor::User(id) => ("user", Some(id.as_uuid())),
        Actor::Worker => ("worker", None),
        Actor::Gateway => ("gateway", None),
        Actor::Operator => ("operator", None),
    }
}

fn actor(row: &MySqlRow) -> Result<Actor, StoreError> {
    let (actor, user): (String, Option<Uuid>) = (row.value(TABLE, "actor")?, row.value(TABLE, "user_id")?);
    match (actor.as_str(), user) {
        ("user", Some(id)) => Ok(Actor::User(UserId::from(id))),
        ("worker", None) => Ok(Actor::Worker),
        ("gateway", None) => Ok(Actor::Gateway),
        ("operator", None) => Ok(Actor::Operator),
        _ => Err(undecodable(row, TABLE, "actor")),
    }
}

fn columns_of_deed(deed: Deed) -> (&'static str, Option<Uuid>, Option<Uuid>) {
    match deed {
        Deed::Campaign(id, deed) => (deed.as_str(), Some(id.as_uuid()), None),
        Deed::Packet(id, deed) => (deed.as_str(), None, Some(id.as_uuid())),
    }
}

fn deed(row: &MySqlRow) -> Result<Deed, StoreError> {
    let deed: String = row.value(TABLE, "deed")?;
    let of: (Option<Uuid>, Option<Uuid>) = (row.value(TABLE, "campaign_id")?, row.value(TABLE, "packet_id")?);
    let known = match of {
        (Some(campaign), None) => {
            let known = CampaignDeed::ALL.into_iter().find(|known| known.as_str() == deed);
            known.map(|deed| Deed::Campaign(CampaignId::from(campaign), deed))
        }
        (None, Some(packet)) => {
            let known = PacketDeed::ALL.into_iter().find(|known| known.as_str() == deed);
            known.map(|deed| Deed::Packet(PacketId::from(packet), deed))
        }
        _ => None,
    };
    known.ok_or_else(|| undecodable(row, TABLE, "deed"))
}
