//! What is of a packet, read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{SubsecRound as _, TimeDelta};
use reminderly_core::domain::attempt::{Attempt, ProviderName};
use reminderly_core::domain::message::{MessageRecord, MessageState};
use reminderly_core::ids::{MessageId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{Fact, MessageData, Nearness, PacketFact, PacketKey, Slot};
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::parameter::Parameter;
use crate::reading::{Reader, Stored, column, slot};
use crate::reads::Reads;
use crate::statement::{Lock, Statement, statement};
use crate::transaction::TxError;
use crate::values::Values as _;

const MESSAGES: Statement = statement(
    "SELECT slot, id, message, state FROM {set}_messages FORCE INDEX (PRIMARY) \
     WHERE packet_number = ? AND slot IN ({rows}) ORDER BY slot",
);
const TRANSITIONS: Statement = statement(
    "SELECT slot, number, state, attempts FROM {set}_transitions \
     WHERE packet_number = ? AND slot IN ({rows}) ORDER BY slot, number",
);
const SLOTS: Statement =
    statement("SELECT id, slot FROM {set}_messages WHERE packet_number = ? AND id IN ({rows})");
const RUNGS: Statement =
    statement("SELECT below, slot FROM {set}_messages WHERE packet_number = ? AND below IN ({rows})");
const DISPOSITIONS: Statement = statement(
    "SELECT slot, provider, event FROM {set}_dispositions WHERE packet_number = ? AND slot IN ({rows})",
);
const ASKING: Statement = statement(
    "SELECT ahead, at, slot FROM packet_asking WHERE packet_number = ? AND {any ahead = ? AND at = ? AND slot = ?}",
);

/// A message, and the number of the last write to it; 0 if nothing was done to it.
pub(crate) struct Written {
    pub(crate) message: MessageData,
    pub(crate) writes: u32,
}

/// Messages by their slots, without their histories.
pub(crate) async fn messages(
    reads: &mut dyn Reads,
    stored: Stored,
    slots: &[Slot],
    lock: Lock,
) -> Result<BTreeMap<Slot, Written>, TxError> {
    let rows = || slots.iter().map(|slot| [column(*slot).into()]);
    let mut found: BTreeMap<Slot, Written> = BTreeMap::new();
    for row in reads.each(MESSAGES.on(stored.set).bind(stored.number).locking(lock).each(rows())).await? {
        let Json(message) = row.value("messages", "message")?;
        let Json(state) = row.value("messages", "state")?;
        let record = MessageRecord { message, state };
        let message = MessageData { record, attempts: Vec::new(), history: Vec::new() };
        found.insert(slot(&row, "messages")?, Written { message, writes: 0 });
    }
    for row in reads.each(TRANSITIONS.on(stored.set).bind(stored.number).each(rows())).await? {
        let Some(Written { message, writes }) = found.get_mut(&slot(&row, "transitions")?) else { continue };
        let Json(state): Json<MessageState> = row.value("transitions", "state")?;
        let attempts: Option<Json<Vec<Attempt>>> = row.value("transitions", "attempts")?;
        message.record.state = state;
        for attempt in attempts.into_iter().flat_map(|Json(attempts)| attempts) {
            match message.attempts.iter_mut().find(|known| known.epoch == attempt.epoch) {
                Some(known) => *known = attempt,
                None => message.attempts.push(attempt),
            }
        }
        *writes = row.value("transitions", "number")?;
    }
    Ok(found)
}

/// The slots of messages.
pub(crate) async fn slots_of(
    reads: &mut dyn Reads,
    stored: Stored,
    ids: &[MessageId],
) -> Result<BTreeMap<MessageId, Slot>, TxError> {
    slots_by(reads, SLOTS, stored, ids, "id").await
}

impl Reader {
    pub(crate) async fn read_of_packet(
        &mut self,
        reads: &mut dyn Reads,
        id: PacketId,
        keys: Vec<PacketKey>,
    ) -> Result<Vec<Fact>, TxError> {
        // What is of no packet is not there: a rule does not look it up.
        let Some(stored) = self.stored.get(&id).copied() else { return Ok(Vec::new()) };
        let (mut slots, mut ids, mut below, mut events, mut asking) =
            (vec![], vec![], vec![], vec![], vec![]);
        for key in keys {
            match key {
                PacketKey::Message(slot) => slots.push(slot),
                PacketKey::SlotOf(message) => ids.push(message),
                PacketKey::RungAbove(message) => below.push(message),
                PacketKey::DispositionEvents(slot) => events.push(slot),
                PacketKey::Asking(nearness) => asking.push(nearness),
            }
        }
        let mut facts = Vec::new();
        let found = slots_of(reads, stored, &ids).await?;
        facts.extend(ids.into_iter().map(|id| PacketFact::SlotOf(id, found.get(&id).copied())));
        let found = slots_by(reads, RUNGS, stored, &below, "below").await?;
        facts.extend(below.into_iter().map(|id| PacketFact::RungAbove(id, found.get(&id).copied())));
        let mut found = messages(reads, stored, &slots, self.locks.others).await?;
        for slot in slots {
            let written = found.remove(&slot);
            self.writes.insert((id, slot), written.as_ref().map_or(0, |written| written.writes));
            facts.push(PacketFact::Message(slot, written.map(|written| Box::new(written.message))));
        }
        facts.extend(read_dispositions(reads, stored, events).await?);
        facts.extend(read_asking(reads, stored, asking).await?);
        Ok(facts.into_iter().map(|fact| Fact::OfPacket(id, fact)).collect())
    }
}

async fn slots_by(
    reads: &mut dyn Reads,
    select: Statement,
    stored: Stored,
    ids: &[MessageId],
    column: &'static str,
) -> Result<BTreeMap<MessageId, Slot>, TxError> {
    let select = select.on(stored.set).bind(stored.number);
    let mut found = BTreeMap::new();
    for row in reads.each(select.each(ids.iter().map(|id| [id.as_uuid().into()]))).await? {
        let id: Uuid = row.value("messages", column)?;
        found.insert(id.into(), slot(&row, "messages")?);
    }
    Ok(found)
}

async fn read_dispositions(
    reads: &mut dyn Reads,
    stored: Stored,
    slots: Vec<Slot>,
) -> Result<Vec<PacketFact>, TxError> {
    let select = DISPOSITIONS.on(stored.set).bind(stored.number);
    let mut found: BTreeMap<Slot, Vec<(ProviderName, Arc<str>)>> = BTreeMap::new();
    for row in reads.each(select.each(slots.iter().map(|slot| [column(*slot).into()]))).await? {
        let (provider, event): (String, String) =
            (row.value("dispositions", "provider")?, row.value("dispositions", "event")?);
        let seen = (ProviderName(provider.into()), event.into());
        found.entry(slot(&row, "dispositions")?).or_default().push(seen);
    }
    let mut events = |slot| found.remove(&slot).unwrap_or_default().into_iter().collect();
    Ok(slots.into_iter().map(|slot| PacketFact::DispositionEvents(slot, events(slot))).collect())
}

async fn read_asking(
    reads: &mut dyn Reads,
    stored: Stored,
    asking: Vec<Nearness>,
) -> Result<Vec<PacketFact>, TxError> {
    let mut found: BTreeSet<Nearness> = BTreeSet::new();
    for row in reads.each(ASKING.bind(stored.number).each(asking.iter().map(nearness))).await? {
        found.insert(asks(&row)?);
    }
    let as_stored = |(ahead, at, slot): Nearness| {
        let microseconds = ahead.num_microseconds().map_or(ahead, TimeDelta::microseconds);
        (microseconds, at.trunc_subsecs(6), slot)
    };
    let fact = |nearness| {
        let asks = found.contains(&as_stored(nearness));
        if asks { PacketFact::Asks(nearness) } else { PacketFact::AsksNot(nearness) }
    };
    Ok(asking.into_iter().map(fact).collect())
}

/// How near a message is to its appointment, as columns have it: to the microsecond.
pub(crate) fn nearness((ahead, at, slot): &Nearness) -> [Parameter; 3] {
    [ahead.num_microseconds().unwrap_or(i64::MAX).into(), (*at).into(), column(*slot).into()]
}

/// A row of those that ask.
pub(crate) fn asks(row: &MySqlRow) -> Result<Nearness, StoreError> {
    let ahead: i64 = row.value("packet_asking", "ahead")?;
    Ok((TimeDelta::microseconds(ahead), row.value("packet_asking", "at")?, slot(row, "packet_asking")?))
}
