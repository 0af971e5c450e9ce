//! The logs of companies, in a table for each day: what is old goes as a whole.

use std::ops::Range;
use std::sync::PoisonError;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::access::Actor;
use reminderly_core::domain::log_entry::{CampaignDeed, Deed, LogEntry, LogPlace, PacketDeed};
use reminderly_core::ids::{CampaignId, CompanyId, LogEntryId, PacketId, UserId};
use reminderly_core::ports::store::{LogStore, StoreError};
use sqlx::mysql::MySqlRow;
use sqlx::types::Uuid;

use crate::reads::{Question, Reads as _};
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::table_set;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::{Values as _, one_more, page, undecodable};

const TABLE: &str = "company_log";

/// The table of a day; made again it stays as it is.
fn definition(day: NaiveDate) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS company_log_{} (
            company_id BINARY(16) NOT NULL,
            at DATETIME(6) NOT NULL,
            id BINARY(16) NOT NULL,
            actor VARCHAR(16) NOT NULL COMMENT 'user, worker, gateway or operator',
            user_id BINARY(16) NULL,
            deed VARCHAR(32) NOT NULL,
            campaign_id BINARY(16) NULL COMMENT 'to which it was done, unless it was to a packet',
            packet_id BINARY(16) NULL,
            PRIMARY KEY (company_id, at, id)
        ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        table_set::day(day)
    )
}

const MADE: Statement =
    statement("INSERT INTO log_tables (day) VALUES (?) ON DUPLICATE KEY UPDATE day = VALUES(day)");
const DAYS: Statement = statement("SELECT day FROM log_tables WHERE day >= ? AND day <= ? ORDER BY day");
/// Nothing, if there is no such company.
const APPEND: Statement = statement(
    "INSERT INTO company_log_{day} (company_id, at, id, actor, user_id, deed, campaign_id, packet_id) \
     SELECT id, ?, ?, ?, ?, ?, ?, ? FROM company WHERE id = ? ON DUPLICATE KEY UPDATE at = VALUES(at)",
);
const ENTRIES: Statement = statement(
    "SELECT at, id, actor, user_id, deed, campaign_id, packet_id FROM company_log_{day} \
     WHERE company_id = ? AND at >= ? AND at < ? AND (at > ? OR id > ?) ORDER BY at, id LIMIT ?",
);

#[async_trait]
impl LogStore for MySqlStore {
    async fn append_to_log(&self, company: CompanyId, entry: LogEntry) -> Result<(), StoreError> {
        let day = entry.at.date_naive();
        let was_known = self.make_log(day).await?;
        match self.transact(Append { company, entry }).await {
            // The server may be another one than it was, or restored: one that has no table of today yet.
            Err(StoreError::Unavailable { .. }) if was_known => {
                self.forget_log(day);
                self.make_log(day).await?;
                self.transact(Append { company, entry }).await
            }
            outcome => outcome,
        }
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
    /// Makes the table of a day, unless it is known to be there; whether it was.
    async fn make_log(&self, day: NaiveDate) -> Result<bool, StoreError> {
        let known = || self.log_days.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&day) {
            return Ok(true);
        }
        self.define(&definition(day)).await?;
        self.transact(vec![MADE.bind(day)]).await?;
        let mut known = known();
        known.insert(day);
        while known.len() > DAYS_KNOWN {
            known.pop_first();
        }
        Ok(false)
    }

    fn forget_log(&self, day: NaiveDate) {
        self.log_days.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }
}

/// Entries are of today, and sometimes of the days before.
const DAYS_KNOWN: usize = 8;

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
        let append = APPEND.of_day(at.date_naive()).bind(at).bind(id.as_uuid()).bind(actor).bind(user);
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
        for row in reads.all(DAYS.bind(after.at.date_naive()).bind(end.date_naive())).await? {
            let day: NaiveDate = row.value("log_tables", "day")?;
            let missing = one_more(self.limit).saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
            if missing == 0 {
                break;
            }
            let select = ENTRIES.of_day(day).bind(self.company.as_uuid()).bind(after.at).bind(end);
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
