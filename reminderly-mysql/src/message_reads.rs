//! What is asked about messages.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::message_status::Transition;
use reminderly_core::ids::{AttemptId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::OpenAttempt;
use reminderly_core::storage::{MessageData, Place, Slot};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::apply::STORED;
use crate::finding::batch;
use crate::reading::{Stored, column, slot, stored};
use crate::reading_packet::{messages, slots_of};
use crate::reads::{Question, Reads};
use crate::statement::{Lock, Statement, statement};
use crate::transaction::{Connection, TxError};
use crate::values::{Values as _, one_more, page};

const SLOTS_AFTER: Statement =
    statement("SELECT slot FROM {set}_messages WHERE packet_number = ? AND slot > ? ORDER BY slot LIMIT ?");
const HISTORY: Statement = statement(
    "SELECT transitions FROM {set}_transitions WHERE packet_number = ? AND slot = ? ORDER BY number",
);
const NEXT_DUE: Statement = statement(
    "SELECT (SELECT MIN(at) FROM {set}_due WHERE packet_number = ? AND place = 'due') AS due, \
     (SELECT MIN(until) FROM packet_copies WHERE packet_number = ?) AS copied",
);
const OVERDUE: Statement = statement(
    "SELECT answer_by, slots, id, company_id, number, campaign_number, day, version, moving_to FROM open_claims \
     JOIN data_packet ON number = open_claims.packet_number \
     WHERE answer_by >= ? AND answer_by < ? AND (answer_by > ? OR open_claims.packet_number > ?) \
     ORDER BY answer_by, open_claims.packet_number LIMIT ?",
);
const UNKNOWN: Statement = statement(
    "SELECT attempt_id, slot, id, company_id, number, campaign_number, day, version, moving_to FROM unknown_attempts \
     JOIN data_packet ON number = unknown_attempts.packet_number \
     WHERE attempt_id > ? ORDER BY attempt_id LIMIT ?",
);

/// Where a packet of a company is stored.
pub(crate) async fn place_of(
    reads: &mut dyn Reads,
    company: CompanyId,
    packet: PacketId,
) -> Result<Option<Stored>, TxError> {
    let row = reads.one(STORED.bind(company.as_uuid()).bind(packet.as_uuid())).await?;
    Ok(row.map(|row| stored(&row)).transpose()?)
}

/// Messages of a packet, with their attempts.
pub(crate) struct Messages<'a> {
    pub(crate) company: CompanyId,
    pub(crate) packet: PacketId,
    pub(crate) ids: &'a [MessageId],
}

#[async_trait]
impl Question for Messages<'_> {
    type Answer = BTreeMap<MessageId, MessageData>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let Some(stored) = place_of(reads, self.company, self.packet).await? else {
            return Ok(BTreeMap::new());
        };
        let slots: Vec<Slot> = slots_of(reads, stored, self.ids).await?.into_values().collect();
        let found = messages(reads, stored, &slots, Lock::Not).await?;
        let found = found.into_values().map(|written| written.message);
        Ok(found.map(|message| (message.record.message.id, message)).collect())
    }
}

/// The messages of a packet after a position.
pub(crate) struct MessagePage {
    pub(crate) company: CompanyId,
    pub(crate) packet: PacketId,
    pub(crate) after: Option<u64>,
    pub(crate) limit: usize,
}

#[async_trait]
impl Question for MessagePage {
    type Answer = Page<MessageRecord, u64>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let Some(stored) = place_of(reads, self.company, self.packet).await? else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let slots = slots_after(reads, stored, self.after, one_more(self.limit)).await?;
        let page = page(slots, self.limit, |slot| u64::from(column(*slot)));
        let found = messages(reads, stored, &page.items, Lock::Not).await?;
        let items = found.into_values().map(|written| written.message.record).collect();
        Ok(Page { items, next: page.next })
    }
}

/// The positions of messages after one, in their order.
pub(crate) async fn slots_after(
    reads: &mut dyn Reads,
    stored: Stored,
    after: Option<u64>,
    limit: u64,
) -> Result<Vec<Slot>, TxError> {
    // Before the first one there is none.
    let after = after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
    let rows = reads.all(SLOTS_AFTER.on(stored.set).bind(stored.number).bind(after).bind(limit)).await?;
    Ok(rows.iter().map(|row| slot(row, "messages")).collect::<Result<_, _>>()?)
}

/// The history of a message.
pub(crate) struct History {
    pub(crate) company: CompanyId,
    pub(crate) packet: PacketId,
    pub(crate) message: MessageId,
}

#[async_trait]
impl Question for History {
    type Answer = Vec<Transition>;

    async fn ask(&self, reads: &mut Connection) -> Result<Vec<Transition>, TxError> {
        let Some(stored) = place_of(reads, self.company, self.packet).await? else { return Ok(Vec::new()) };
        let Some(slot) = slots_of(reads, stored, &[self.message]).await?.remove(&self.message) else {
            return Ok(Vec::new());
        };
        let mut history = Vec::new();
        for row in reads.all(HISTORY.on(stored.set).bind(stored.number).bind(column(slot))).await? {
            let Json(transitions): Json<Vec<Transition>> = row.value("transitions", "transitions")?;
            history.extend(transitions);
        }
        Ok(history)
    }
}

/// When the next message of a packet is due.
pub(crate) struct NextDue {
    pub(crate) company: CompanyId,
    pub(crate) packet: PacketId,
}

#[async_trait]
impl Question for NextDue {
    type Answer = Option<DateTime<Utc>>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let Some(stored) = place_of(reads, self.company, self.packet).await? else { return Ok(None) };
        let row = reads.one(NEXT_DUE.on(stored.set).bind(stored.number).bind(stored.number)).await?;
        let Some(row) = row else { return Ok(None) };
        let instants: [Option<DateTime<Utc>>; 2] =
            [row.value("due", "due")?, row.value("packet_copies", "copied")?];
        Ok(instants.into_iter().flatten().min())
    }
}

/// Claims that nobody has settled in time, the longest overdue first.
pub(crate) struct Overdue {
    pub(crate) before: DateTime<Utc>,
    pub(crate) limit: usize,
}

/// So many batches of claims are looked at together.
const BATCHES: u64 = 64;

#[async_trait]
impl Question for Overdue {
    type Answer = Vec<OpenAttempt>;

    async fn ask(&self, reads: &mut Connection) -> Result<Vec<OpenAttempt>, TxError> {
        let (mut overdue, mut after) = (Vec::new(), (DateTime::UNIX_EPOCH, 0_u32));
        while overdue.len() < self.limit {
            let select = OVERDUE.bind(after.0).bind(self.before).bind(after.0).bind(after.1);
            let rows = reads.all(select.bind(BATCHES)).await?;
            for row in &rows {
                let packet = PacketRow::of(row)?;
                after = (row.value("open_claims", "answer_by")?, packet.stored.number);
                let slots = batch(row, "open_claims")?;
                let is_overdue = |message: &MessageData| match Place::of(message) {
                    Place::Sending(answer_by) => answer_by < self.before,
                    _ => false,
                };
                overdue.extend(packet.open_attempts(reads, &slots, is_overdue).await?);
            }
            if rows.is_empty() {
                break;
            }
        }
        overdue.sort_by_key(|open| (open.attempt.answer_by, open.attempt.id));
        overdue.truncate(self.limit);
        Ok(overdue)
    }
}

/// Attempts of which nobody knows what became.
pub(crate) struct Unknown {
    pub(crate) after: Option<AttemptId>,
    pub(crate) limit: usize,
}

#[async_trait]
impl Question for Unknown {
    type Answer = Page<OpenAttempt, AttemptId>;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError> {
        let after = self.after.map_or(Uuid::nil(), AttemptId::as_uuid);
        let rows = reads.all(UNKNOWN.bind(after).bind(one_more(self.limit))).await?;
        let ids = rows.iter().map(|row| row.value::<Uuid>("unknown_attempts", "attempt_id"));
        let found = ids.zip(&rows).map(|(id, row)| Ok((AttemptId::from(id?), row)));
        let page = page(found.collect::<Result<Vec<_>, TxError>>()?, self.limit, |(id, _)| *id);
        let mut of_packets: BTreeMap<u32, (PacketRow, Vec<Slot>)> = BTreeMap::new();
        for (_, row) in page.items {
            let packet = PacketRow::of(row)?;
            let (_, slots) = of_packets.entry(packet.stored.number).or_insert_with(|| (packet, Vec::new()));
            slots.push(slot(row, "unknown_attempts")?);
        }
        let mut unknown = Vec::new();
        for (packet, slots) in of_packets.into_values() {
            let is_unknown = |message: &MessageData| matches!(Place::of(message), Place::Unknown(_));
            unknown.extend(packet.open_attempts(reads, &slots, is_unknown).await?);
        }
        unknown.sort_by_key(|open| open.attempt.id);
        Ok(Page { items: unknown, next: page.next })
    }
}

/// The packet that a row is about.
struct PacketRow {
    id: PacketId,
    company: CompanyId,
    stored: Stored,
}

impl PacketRow {
    fn of(row: &MySqlRow) -> Result<Self, TxError> {
        let id = |column| row.value::<Uuid>("data_packet", column);
        Ok(Self { id: id("id")?.into(), company: id("company_id")?.into(), stored: stored(row)? })
    }

    /// The latest attempts of messages that are still in question.
    async fn open_attempts(
        &self,
        reads: &mut dyn Reads,
        slots: &[Slot],
        is_open: impl Fn(&MessageData) -> bool + Send,
    ) -> Result<Vec<OpenAttempt>, TxError> {
        let found = messages(reads, self.stored, slots, Lock::Not).await?;
        let found = found.into_values().map(|written| written.message).filter(is_open);
        let open = found.filter_map(|mut found| {
            let message = &found.record.message;
            Some(OpenAttempt {
                location: AttemptLocation { company: self.company, packet: self.id, message: message.id },
                attempts: found.record.state.attempts,
                appointment_at: message.appointment.map(|appointment| appointment.at),
                attempt: found.attempts.pop()?,
            })
        });
        Ok(open.collect())
    }
}
