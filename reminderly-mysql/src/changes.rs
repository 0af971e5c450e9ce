//! What a rule has changed, written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};
use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::domain::message::MessageState;
use reminderly_core::domain::packet::{PacketOrigin, PacketStage};
use reminderly_core::domain::row::{RejectedRow, Row};
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{
    CampaignFact, CampaignHead, CompanyFact, DispositionEvents, Fact, Nearness, PacketFact, PacketHead, Part,
    Slot, Window,
};

use crate::changes_company::CompanyWrites;
use crate::digest::Digest;
use crate::parameter::Parameter;
use crate::reading::{Reader, Stored, column};
use crate::reading_packet::nearness;
use crate::reads::Reads as _;
use crate::statement::{Bound, Lock, Statement, statement};
use crate::table_set::TableSet;
use crate::tables::Tables;
use crate::tally::Tally;
use crate::transaction::{Tx, TxError};
use crate::values::Values as _;
use crate::writing::{Moved, PacketWrites};

/// Changes by what they are of.
#[derive(Default)]
pub(crate) struct Changes {
    heads: BTreeMap<PacketId, Box<PacketHead>>,
    /// Of the packets in `heads`, those that were not there.
    made: Vec<PacketId>,
    packets: BTreeMap<PacketId, OfPacket>,
    attempts: Vec<(AttemptId, AttemptLocation)>,
    campaigns: Vec<(CampaignId, CampaignHead)>,
    of_campaigns: Vec<(CampaignId, CampaignFact)>,
    of_company: Vec<CompanyFact>,
}

#[derive(Default)]
struct OfPacket {
    messages: PacketWrites,
    rows: Vec<Row>,
    rejected: Vec<RejectedRow>,
    events: Vec<(Slot, DispositionEvents)>,
    asks: Vec<Nearness>,
    asks_not: Vec<Nearness>,
}

impl Changes {
    pub(crate) fn of(facts: Vec<Fact>, part: &Part, reader: &Reader) -> Self {
        let mut changes = Self::default();
        for fact in facts {
            match fact {
                Fact::Packet(id, Some(head)) => {
                    if !reader.stored.contains_key(&id) {
                        changes.made.push(id);
                    }
                    changes.heads.insert(id, head);
                }
                Fact::Attempt(id, Some(location)) => changes.attempts.push((id, location)),
                Fact::Campaign(id, Some(head)) => changes.campaigns.push((id, head)),
                Fact::OfCampaign(id, fact) => changes.of_campaigns.push((id, fact)),
                Fact::OfCompany(fact) => changes.of_company.push(fact),
                Fact::OfPacket(id, fact) => {
                    let of_packet = changes.packets.entry(id).or_default();
                    of_packet.add(id, fact, part, reader);
                }
                // Rules take none of them away.
                Fact::Packet(_, None) | Fact::Attempt(_, None) | Fact::Campaign(_, None) => {}
            }
        }
        changes
    }

    pub(crate) const fn makes_packet(&self) -> bool {
        !self.made.is_empty()
    }

    /// Takes the tables for the packet that is made, if they are to be its own; whether it has them. Another packet may have taken
    /// them since they were found, or somebody has begun to move what is in them.
    pub(crate) async fn take_tables(&self, tx: &mut Tx<'_>, tables: Option<Tables>) -> Result<bool, TxError> {
        let Some(tables) = tables else { return Ok(false) };
        let is_file = |id: &PacketId| {
            let head = self.heads.get(id);
            head.is_some_and(|head| matches!(head.packet.origin, PacketOrigin::File { .. }))
        };
        if self.made.iter().any(is_file) {
            return Ok(tx.count(TAKE_TABLES.bind(tables.number)).await? == 1);
        }
        let ready = tx.one(READY_TABLES.bind(tables.number).locking(Lock::Shared)).await?;
        Ok(ready.is_some())
    }
}

impl OfPacket {
    fn add(&mut self, id: PacketId, fact: PacketFact, part: &Part, reader: &Reader) {
        match fact {
            PacketFact::Message(slot, Some(message)) => {
                let written = reader.writes.get(&(id, slot)).copied().unwrap_or_default();
                self.messages.message(slot, part.message(id, slot), message, written);
            }
            PacketFact::DispositionEvents(slot, events) => self.events.push((slot, events)),
            PacketFact::Asks(nearness) => self.asks.push(nearness),
            PacketFact::AsksNot(nearness) => self.asks_not.push(nearness),
            PacketFact::Row(row) => self.rows.push(row),
            PacketFact::Rejected(row) => {
                self.messages.add(Tally::Fault(row.code), 1);
                self.rejected.push(row);
            }
            // No message is ever taken away, and the others are never a change.
            PacketFact::Message(_, None) | PacketFact::SlotOf(..) | PacketFact::RungAbove(..) => {}
        }
    }
}

const ADD_PACKET: Statement = statement(
    "INSERT INTO data_packet (id, company_id, campaign_id, tables_number, campaign_number, day, version, \
     stage, is_open, has_ended, reconciled, packet, caps, message_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
);
const TAKE_TABLES: Statement =
    statement("UPDATE packet_table_tracking SET state = 'taken' WHERE number = ? AND state = 'ready'");
/// Tables that are shared, and that nobody has begun to move.
const READY_TABLES: Statement =
    statement("SELECT number FROM packet_table_tracking WHERE number = ? AND state = 'ready'");
const PACKET_NUMBER: Statement = statement("SELECT number FROM data_packet WHERE id = ?");
const SET_PACKET: Statement = statement(
    "UPDATE data_packet SET stage = ?, is_open = ?, has_ended = ?, reconciled = ?, packet = ?, caps = ?, message_count = ? WHERE id = ?",
);
const ADD_ROWS: Statement = statement(
    "INSERT INTO {set}_data (packet_number, row_number_in_packet, fields) VALUES {rows} \
     ON DUPLICATE KEY UPDATE fields = VALUES(fields)",
);
const ADD_REJECTED: Statement = statement(
    "INSERT INTO {set}_data (packet_number, row_number_in_packet, rejected) VALUES {rows} \
     ON DUPLICATE KEY UPDATE rejected = VALUES(rejected)",
);
const ADD_MESSAGES: Statement =
    statement("INSERT INTO {set}_messages (packet_number, slot, id, below, message, state) VALUES {rows}");
const ADD_TRANSITIONS: Statement = statement(
    "INSERT INTO {set}_transitions (packet_number, slot, number, transitions, state, attempts) VALUES {rows}",
);
const ADD_DUE: Statement = statement(
    "INSERT INTO {set}_due (packet_number, place, method, closes_at, at, slot) VALUES {rows} \
     ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_DUE: Statement = statement("DELETE FROM {set}_due WHERE packet_number = ? AND slot IN ({rows})");
const ADD_EVENTS: Statement = statement(
    "INSERT INTO {set}_dispositions (packet_number, slot, digest, provider, event) VALUES {rows} \
     ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const ADD_COPIES: Statement = statement(
    "INSERT INTO packet_copies (packet_number, until, part, live, slots) VALUES {rows} \
     ON DUPLICATE KEY UPDATE live = live + VALUES(live), slots = CONCAT(slots, ',', VALUES(slots))",
);
/// In the order of their key, so that two who want some of them wait for each other, and not one for the other.
const LOCK_COPIES: Statement = statement(
    "SELECT part FROM packet_copies WHERE packet_number = ? AND until = ? AND part IN ({rows}) ORDER BY part FOR UPDATE",
);
const LEAVE_COPIES: Statement = statement(
    "UPDATE packet_copies SET live = live - LEAST(live, ?) WHERE packet_number = ? AND until = ? AND part IN ({rows})",
);
const TAKE_COPIES: Statement = statement(
    "DELETE FROM packet_copies WHERE packet_number = ? AND until = ? AND live = 0 AND part IN ({rows})",
);
const ADD_CLAIMS: Statement = statement(
    "INSERT INTO open_claims (packet_number, answer_by, live, slots) VALUES (?, ?, ?, ?) \
     ON DUPLICATE KEY UPDATE live = live + VALUES(live), slots = CONCAT(slots, ',', VALUES(slots))",
);
const LEAVE_CLAIMS: Statement = statement(
    "UPDATE open_claims SET live = live - LEAST(live, ?) WHERE packet_number = ? AND answer_by = ?",
);
const TAKE_CLAIMS: Statement =
    statement("DELETE FROM open_claims WHERE packet_number = ? AND answer_by = ? AND live = 0");
const ADD_UNKNOWN: Statement = statement(
    "INSERT INTO unknown_attempts (attempt_id, packet_number, slot) VALUES {rows} ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_UNKNOWN: Statement = statement("DELETE FROM unknown_attempts WHERE attempt_id IN ({rows})");
const ADD_COUNTS: Statement = statement(
    "INSERT INTO packet_counts (packet_number, counter, shard, count) VALUES {rows} \
     ON DUPLICATE KEY UPDATE count = count + VALUES(count)",
);
const ADD_WINDOWS: Statement = statement(
    "INSERT INTO packet_windows (packet_number, closes_at, opens_at, method, shard, count) VALUES {rows} \
     ON DUPLICATE KEY UPDATE count = count + VALUES(count)",
);
const ADD_ASKING: Statement = statement(
    "INSERT INTO packet_asking (packet_number, ahead, at, slot) VALUES {rows} ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_ASKING: Statement = statement(
    "DELETE FROM packet_asking WHERE packet_number = ? AND {any ahead = ? AND at = ? AND slot = ?}",
);
const ADD_ATTEMPTS: Statement =
    statement("INSERT INTO attempts (id, company_id, packet_id, message_id) VALUES {rows}");
const SET_CAMPAIGN: Statement =
    statement("UPDATE company_campaigns SET newest_file = ?, last_file_came_at = ? WHERE id = ?");

/// Who adds to the same counter at the same time adds to one of so many rows.
pub(crate) const SHARDS: u8 = 8;

impl Changes {
    /// Writes all, in the order of locks.
    pub(crate) async fn write(
        self,
        tx: &mut Tx<'_>,
        company: CompanyId,
        tables: Option<Tables>,
        places: &mut BTreeMap<PacketId, Stored>,
    ) -> Result<(), TxError> {
        for (id, head) in self.campaigns {
            let newest = head.newest_file.map(PacketId::as_uuid);
            tx.write(SET_CAMPAIGN.bind(newest).bind(head.last_file_came_at).bind(id.as_uuid())).await?;
        }
        for (id, head) in self.heads {
            match (places.entry(id), tables) {
                (Entry::Occupied(_), _) => set_packet(tx, &head).await?,
                (Entry::Vacant(place), Some(tables)) => {
                    place.insert(add_packet(tx, &head, tables).await?);
                }
                // The caller has asked for tables before.
                (Entry::Vacant(_), None) => {}
            }
        }
        for (id, changes) in self.packets {
            if let Some(place) = places.get(&id) {
                changes.write(tx, *place).await?;
            }
        }
        let attempts = self.attempts.into_iter().map(|(id, at)| {
            [id.as_uuid(), at.company.as_uuid(), at.packet.as_uuid(), at.message.as_uuid()].map(Into::into)
        });
        tx.write_each(ADD_ATTEMPTS.each(attempts)).await?;
        let mut writes = CompanyWrites::default();
        for (id, fact) in &self.of_campaigns {
            writes.add_of_campaign(*id, fact);
        }
        for fact in &self.of_company {
            writes.add(company, fact, places);
        }
        writes.write(tx, company).await
    }
}

fn bind_head(statement: Bound, head: &PacketHead) -> Bound {
    let stage = head.packet.stage;
    let has_ended = stage.is_closed();
    let statement = statement.bind(stage.as_str()).bind(!has_ended && stage != PacketStage::Failed);
    let statement = statement.bind(has_ended).bind(head.packet.reconciled.0);
    let statement = statement.bind(Parameter::json(&head.packet)).bind(Parameter::json(&head.caps));
    statement.bind(column(head.message_count))
}

async fn set_packet(tx: &mut Tx<'_>, head: &PacketHead) -> Result<(), TxError> {
    tx.change(bind_head(SET_PACKET.bound(), head).bind(head.packet.id.as_uuid())).await
}

async fn add_packet(tx: &mut Tx<'_>, head: &PacketHead, tables: Tables) -> Result<Stored, TxError> {
    let packet = &head.packet;
    let add = ADD_PACKET.bind(packet.id.as_uuid()).bind(packet.company.as_uuid());
    let Tables { number, set, .. } = tables;
    let add = add.bind(packet.campaign.as_uuid()).bind(number);
    let (campaign, day, version) = set.columns();
    let add = add.bind(campaign).bind(day).bind(version);
    tx.write(bind_head(add, head)).await?;
    let row = tx.one(PACKET_NUMBER.bind(packet.id.as_uuid())).await?;
    let number = row.ok_or(StoreError::Missing { what: "packet" })?.value("data_packet", "number")?;
    Ok(Stored { number, set, moving_to: None })
}

impl OfPacket {
    async fn write(self, tx: &mut Tx<'_>, stored: Stored) -> Result<(), TxError> {
        for set in stored.sets() {
            self.write_to(tx, stored.number, set).await?;
        }
        self.write_places(tx, stored).await
    }

    /// Writes what stays.
    async fn write_to(&self, tx: &mut Tx<'_>, number: u32, set: TableSet) -> Result<(), TxError> {
        let rows = self.rows.iter().map(|row| [number.into(), row.number.0.into(), Parameter::json(row)]);
        tx.write_each(ADD_ROWS.on(set).each(rows)).await?;
        let rejected = self.rejected.iter();
        let rejected = rejected.map(|row| [number.into(), row.row.0.into(), Parameter::json(row)]);
        tx.write_each(ADD_REJECTED.on(set).each(rejected)).await?;
        let messages = self.messages.new.iter().map(|(slot, data)| {
            let message = &data.record.message;
            let below = message.ladder.map(|place| place.below.as_uuid());
            let state = Parameter::json(&MessageState::planned(data.verdict()));
            let id = message.id.as_uuid();
            [number.into(), (*slot).into(), id.into(), below.into(), Parameter::json(message), state]
        });
        tx.write_each(ADD_MESSAGES.on(set).each(messages)).await?;
        let writes = self.messages.writes.iter().map(|write| {
            let attempts = (!write.attempts.is_empty()).then(|| Parameter::json(&write.attempts));
            let (transitions, state) = (Parameter::json(&write.transitions), Parameter::json(&write.state));
            [
                number.into(),
                write.slot.into(),
                write.number.into(),
                transitions,
                state,
                attempts.unwrap_or(Parameter::Null),
            ]
        });
        tx.write_each(ADD_TRANSITIONS.on(set).each(writes)).await?;
        let events = self.events.iter().flat_map(|(slot, events)| events.iter().map(|event| (*slot, event)));
        let events = events.map(|(slot, event)| {
            let (provider, name) = (&*event.0.0, &*event.1);
            [number.into(), column(slot).into(), Digest::of_event(event).into(), provider.into(), name.into()]
        });
        tx.write_each(ADD_EVENTS.on(set).each(events)).await
    }

    /// Writes by what messages are found, and in what they count.
    async fn write_places(self, tx: &mut Tx<'_>, Stored { number, set, .. }: Stored) -> Result<(), TxError> {
        let messages = self.messages;
        let no_more = messages.due_no_more.iter().map(|slot| [(*slot).into()]);
        tx.write_each(TAKE_DUE.on(set).bind(number).each(no_more)).await?;
        let due = messages.due.iter().map(|row| {
            let (place, method) = (row.place.into(), row.method.into());
            [number.into(), place, method, row.closes_at.into(), row.at.into(), row.slot.into()]
        });
        tx.write_each(ADD_DUE.on(set).each(due)).await?;
        for (until, parts) in messages.copies {
            move_copies(tx, number, until, parts).await?;
        }
        for (answer_by, moved) in messages.claims {
            move_claims(tx, number, answer_by, moved).await?;
        }
        let known = messages.known.iter().map(|id| [id.as_uuid().into()]);
        tx.write_each(TAKE_UNKNOWN.each(known)).await?;
        let unknown = messages.unknown.iter();
        let unknown = unknown.map(|(id, slot)| [id.as_uuid().into(), number.into(), (*slot).into()]);
        tx.write_each(ADD_UNKNOWN.each(unknown)).await?;
        tx.write_each(TAKE_ASKING.bind(number).each(self.asks_not.iter().map(nearness))).await?;
        let asks = self.asks.iter().map(|asks| {
            let [ahead, at, slot] = nearness(asks);
            [number.into(), ahead, at, slot]
        });
        tx.write_each(ADD_ASKING.each(asks)).await?;
        write_counts(tx, number, messages.counts, messages.windows).await
    }
}

/// Moves messages out of the rows of a hand-over, of which each goes with its last message, and into them. Should a row count too many, it stays:
/// whoever finds it when its instant has come looks at the messages themselves.
async fn move_copies(
    tx: &mut Tx<'_>,
    number: u32,
    until: DateTime<Utc>,
    parts: BTreeMap<u32, Moved>,
) -> Result<(), TxError> {
    let mut left: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (part, moved) in parts.iter().filter(|(_, moved)| moved.left > 0) {
        left.entry(moved.left).or_default().push(*part);
    }
    let rows = |parts: &[u32]| -> Vec<[Parameter; 1]> { parts.iter().map(|part| [(*part).into()]).collect() };
    let all: Vec<u32> = left.values().flatten().copied().collect();
    if all.len() > 1 {
        drop(tx.each(LOCK_COPIES.bind(number).bind(until).each(rows(&all))).await?);
    }
    for (count, parts) in left {
        tx.write_each(LEAVE_COPIES.bind(count).bind(number).bind(until).each(rows(&parts))).await?;
    }
    tx.write_each(TAKE_COPIES.bind(number).bind(until).each(rows(&all))).await?;
    let come = parts.iter().filter(|(_, moved)| !moved.come.is_empty()).map(|(part, moved)| {
        let live = column(moved.come.len());
        [number.into(), until.into(), (*part).into(), live.into(), joined(&moved.come).into()]
    });
    tx.write_each(ADD_COPIES.each(come)).await
}

/// The same of claims that are to be answered by an instant.
async fn move_claims(
    tx: &mut Tx<'_>,
    number: u32,
    answer_by: DateTime<Utc>,
    moved: Moved,
) -> Result<(), TxError> {
    if moved.left > 0 {
        tx.write(LEAVE_CLAIMS.bind(moved.left).bind(number).bind(answer_by)).await?;
        tx.write(TAKE_CLAIMS.bind(number).bind(answer_by)).await?;
    }
    if moved.come.is_empty() {
        return Ok(());
    }
    let live = column(moved.come.len());
    tx.write(ADD_CLAIMS.bind(number).bind(answer_by).bind(live).bind(joined(&moved.come))).await
}

fn joined(slots: &[u32]) -> String {
    slots.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Adds to counters: last, for others wait for these.
async fn write_counts(
    tx: &mut Tx<'_>,
    number: u32,
    counts: BTreeMap<Tally, i64>,
    windows: BTreeMap<Window, i64>,
) -> Result<(), TxError> {
    let shard = rand::random_range(0..SHARDS);
    let counts = counts.into_iter().filter(|(_, step)| *step != 0);
    let counts = counts.map(|(tally, step)| [number.into(), tally.name().into(), shard.into(), step.into()]);
    tx.write_each(ADD_COUNTS.each(counts)).await?;
    let windows = windows.into_iter().filter(|(_, step)| *step != 0).map(|(window, step)| {
        let (closes_at, opens_at) = (window.closes_at.into(), window.opens_at.into());
        [number.into(), closes_at, opens_at, window.method.as_str().into(), shard.into(), step.into()]
    });
    tx.write_each(ADD_WINDOWS.each(windows)).await
}
