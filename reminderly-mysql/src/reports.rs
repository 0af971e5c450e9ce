use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::answers::ContactOutcome;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::forecast::WaitingWindow;
use reminderly_core::domain::packet::Packet;
use reminderly_core::domain::report::{IncomingCounts, PacketCounts};
use reminderly_core::domain::row::RejectedRow;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{OutcomeCursor, ReportStore, StoreError};
use reminderly_core::storage::{self, Records, Recount, RejectedAt, Slot};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::apply::{apply, part};
use crate::message_reads::{place_of, slots_after};
use crate::packets::PACKET;
use crate::reading::{Locks, Reader, Stored, column};
use crate::reading_packet::messages;
use crate::reads::{Question, Reads as _};
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::tally::Tally;
use crate::transaction::{Connection, TxError};
use crate::values::{Values as _, count_of, page, undecodable};

const COUNTS: Statement = statement(
    "SELECT counter, CAST(SUM(count) AS SIGNED) AS count FROM packet_counts WHERE packet_number = ? GROUP BY counter",
);
/// The methods in the order of the domain.
const WINDOWS: Statement = statement(
    "SELECT closes_at, GREATEST(CAST(opens_at AS DATETIME(6)), CAST(? AS DATETIME(6))) AS opens, method, \
     CAST(SUM(count) AS SIGNED) AS messages FROM packet_windows WHERE packet_number = ? AND opens_at < ? \
     GROUP BY closes_at, opens, method HAVING messages > 0 \
     ORDER BY closes_at, opens, FIELD(method, 'sms', 'email', 'phone') LIMIT ?",
);
const INCOMING: Statement = statement(
    "SELECT kind, needs_review, CAST(SUM(count) AS SIGNED) AS count FROM incoming_counts \
     WHERE company_id = ? GROUP BY kind, needs_review",
);
const LOADED: Statement = statement(
    "SELECT COUNT(*) AS count FROM {set}_data WHERE packet_number = ? AND fields IS NOT NULL AND rejected IS NULL",
);
const REJECTED: Statement = statement(
    "SELECT row_number_in_packet, fields IS NOT NULL AS is_read, rejected FROM {set}_data \
     WHERE packet_number = ? AND row_number_in_packet > ? AND rejected IS NOT NULL ORDER BY row_number_in_packet LIMIT ?",
);
const PACKETS_FROM: Statement =
    statement("SELECT id FROM data_packet WHERE company_id = ? AND id >= ? ORDER BY id LIMIT ?");

/// So many rows or messages are counted at a time.
const PAGE: usize = 1_000;

#[async_trait]
impl ReportStore for MySqlStore {
    async fn packet_counts(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError> {
        self.ask(Counts { company, packet }).await
    }

    async fn recount_packet(&self, company: CompanyId, packet: PacketId) -> Result<PacketCounts, StoreError> {
        self.ask(CountAnew { company, packet }).await
    }

    async fn waiting_windows(
        &self,
        company: CompanyId,
        packet: PacketId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<WaitingWindow>, StoreError> {
        let Some(stored) = self.stored(company, packet).await? else { return Ok(Vec::new()) };
        let select = WINDOWS.bind(now).bind(stored.number).bind(until).bind(count_of(limit));
        self.all(select).await?.iter().map(window).collect()
    }

    async fn incoming_counts(&self, company: CompanyId) -> Result<IncomingCounts, StoreError> {
        let mut counts = IncomingCounts::default();
        for row in self.all(INCOMING.bind(company.as_uuid())).await? {
            let kind: String = row.value("incoming_counts", "kind")?;
            let count = count(&row, "incoming_counts", "count")?;
            let counter = counter(&mut counts, &kind);
            *counter.ok_or_else(|| undecodable(&row, "incoming_counts", "kind"))? += count;
            if row.value("incoming_counts", "needs_review")? {
                counts.needs_review += count;
            }
        }
        Ok(counts)
    }

    async fn contact_outcomes(
        &self,
        company: CompanyId,
        since: DateTime<Utc>,
        after: Option<OutcomeCursor>,
        limit: usize,
    ) -> Result<Page<ContactOutcome, OutcomeCursor>, StoreError> {
        self.ask(Outcomes { company, since, after, limit }).await
    }
}

/// The counters of a packet, as they are kept.
struct Counts {
    company: CompanyId,
    packet: PacketId,
}

#[async_trait]
impl Question for Counts {
    type Answer = PacketCounts;

    async fn ask(&self, reads: &mut Connection) -> Result<PacketCounts, TxError> {
        let (packet, stored) = packet(reads, self.company, self.packet).await?;
        let mut counts = PacketCounts { rows: packet.rows, ..PacketCounts::default() };
        for row in reads.all(COUNTS.bind(stored.number)).await? {
            let name: String = row.value("packet_counts", "counter")?;
            let tally = Tally::named(&name).ok_or_else(|| undecodable(&row, "packet_counts", "counter"))?;
            tally.add_to(&mut counts, count(&row, "packet_counts", "count")?);
        }
        counts.drop_zeros();
        Ok(counts)
    }
}

/// The counters of a packet, from its rows and messages.
struct CountAnew {
    company: CompanyId,
    packet: PacketId,
}

#[async_trait]
impl Question for CountAnew {
    type Answer = PacketCounts;

    async fn ask(&self, reads: &mut Connection) -> Result<PacketCounts, TxError> {
        let (packet, stored) = packet(reads, self.company, self.packet).await?;
        let mut recount = Recount::new(packet.mapped_through);
        let loaded = reads.one(LOADED.on(stored.set).bind(stored.number)).await?;
        recount.add_loaded(loaded.map_or(Ok(0), |row| count(&row, "data", "count"))?);
        let mut after = 0_u64;
        loop {
            let select = REJECTED.on(stored.set).bind(stored.number).bind(after).bind(count_of(PAGE));
            let rows = reads.all(select).await?;
            for row in &rows {
                after = row.value("data", "row_number_in_packet")?;
                let Json(rejected): Json<RejectedRow> = row.value("data", "rejected")?;
                let is_read: bool = row.value("data", "is_read")?;
                let at = if is_read { RejectedAt::Mapping } else { RejectedAt::Reading };
                recount.add_rejected(at(&rejected));
            }
            if rows.is_empty() {
                break;
            }
        }
        let mut after = None;
        loop {
            let slots = slots_after(reads, stored, after, count_of(PAGE)).await?;
            let Some(last) = slots.last() else { break };
            after = Some(column(*last).into());
            for written in messages(reads, stored, &slots, Lock::Not).await?.values() {
                recount.add_message(&written.message);
            }
        }
        Ok(recount.finish())
    }
}

async fn packet(
    reads: &mut Connection,
    company: CompanyId,
    id: PacketId,
) -> Result<(Packet, Stored), TxError> {
    let missing = StoreError::Missing { what: "packet" };
    let row = reads.one(PACKET.bind(company.as_uuid()).bind(id.as_uuid())).await?;
    let (Some(row), Some(stored)) = (row, place_of(reads, company, id).await?) else {
        return Err(missing.into());
    };
    let Json(packet) = row.value("data_packet", "packet")?;
    Ok((packet, stored))
}

/// What became of messages that asked and arrived.
struct Outcomes {
    company: CompanyId,
    since: DateTime<Utc>,
    after: Option<OutcomeCursor>,
    limit: usize,
}

#[async_trait]
impl Question for Outcomes {
    type Answer = Page<ContactOutcome, OutcomeCursor>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let mut found: Vec<(OutcomeCursor, ContactOutcome)> = Vec::new();
        let mut after = self.after;
        'packets: while let Some(packet) = self.packet_from(reads, after).await? {
            let Some(stored) = place_of(reads, self.company, packet).await? else { break };
            loop {
                let position = after.filter(|after| after.packet == packet).map(|after| after.position);
                let slots = slots_after(reads, stored, position, count_of(PAGE)).await?;
                let Some(last) = slots.last() else { break };
                after = Some(OutcomeCursor { packet, position: column(*last).into() });
                found.extend(self.outcomes(reads, packet, &slots).await?);
                if found.len() > self.limit {
                    break 'packets;
                }
            }
            // Behind the last one.
            after = Some(OutcomeCursor { packet, position: u64::MAX });
        }
        let found = page(found, self.limit, |(cursor, _)| *cursor);
        Ok(Page { items: found.items.into_iter().map(|(_, outcome)| outcome).collect(), next: found.next })
    }
}

impl Outcomes {
    /// The packet to look at after a position: the one of the position, unless that is its end.
    async fn packet_from(
        &self,
        reads: &mut Connection,
        after: Option<OutcomeCursor>,
    ) -> Result<Option<PacketId>, TxError> {
        let first = after.map_or(Uuid::nil(), |after| after.packet.as_uuid());
        for row in reads.all(PACKETS_FROM.bind(self.company.as_uuid()).bind(first).bind(2_u32)).await? {
            let id = PacketId::from(row.value::<Uuid>("data_packet", "id")?);
            let is_done = after.is_some_and(|after| after.packet == id && after.position == u64::MAX);
            if !is_done {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    async fn outcomes(
        &self,
        reads: &mut Connection,
        packet: PacketId,
        slots: &[Slot],
    ) -> Result<Vec<(OutcomeCursor, ContactOutcome)>, TxError> {
        let mut reader = Reader::new(self.company, Locks::NONE);
        let mut part = part(reads, self.company, Lock::Not).await?;
        let rule = |records: &mut Records| {
            let outcome = |slot: &Slot| {
                let cursor = OutcomeCursor { packet, position: column(*slot).into() };
                Some((cursor, storage::contact_outcome(records, packet, *slot, self.since)?))
            };
            slots.iter().filter_map(outcome).collect()
        };
        Ok(apply(reads, &mut reader, &mut part, rule).await?.0)
    }
}

fn window(row: &MySqlRow) -> Result<WaitingWindow, StoreError> {
    let method: String = row.value("packet_windows", "method")?;
    let method: Option<ContactMethod> = method.parse().ok();
    Ok(WaitingWindow {
        method: method.ok_or_else(|| undecodable(row, "packet_windows", "method"))?,
        opens_at: row.value("packet_windows", "opens")?,
        closes_at: row.value("packet_windows", "closes_at")?,
        messages: count(row, "packet_windows", "messages")?,
    })
}

/// A counter. One that has lost something is not below zero.
fn count(row: &MySqlRow, table: &'static str, column: &'static str) -> Result<u64, StoreError> {
    let count: i64 = row.value(table, column)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn counter<'a>(counts: &'a mut IncomingCounts, kind: &str) -> Option<&'a mut u64> {
    Some(match kind {
        "opt_out" => &mut counts.opt_out,
        "opt_in" => &mut counts.opt_in,
        "help" => &mut counts.help,
        "confirm" => &mut counts.confirm,
        "cancel" => &mut counts.cancel,
        "reschedule" => &mut counts.reschedule,
        "answer" => &mut counts.answer,
        "unclear" => &mut counts.unclear,
        _ => return None,
    })
}
