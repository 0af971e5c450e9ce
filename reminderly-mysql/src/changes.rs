//! What a rule has changed, written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use reminderly_core::domain::attempt::AttemptLocation;
use reminderly_core::domain::message::MessageState;
use reminderly_core::domain::packet::{PacketOrigin, PacketStage};
use reminderly_core::domain::row::{RejectedRow, Row};
use reminderly_core::ids::{AttemptId, CampaignId, CompanyId, PacketId};
use reminderly_core::storage::{
    CampaignFact, CampaignHead, CompanyFact, DispositionEvents, Fact, Nearness, PacketFact, PacketHead, Part,
    Slot,
};
use sqlx::types::Json;

use crate::changes_company::{write_of_campaign, write_of_company};
use crate::digest::Digest;
use crate::reading::{Reader, Stored, column};
use crate::statement::{Bound, Statement, statement};
use crate::transaction::{Tx, TxError};
use crate::writing::{DueRow, PacketWrites};

/// So many rows stand in one statement: more save nothing.
const ROWS: usize = 500;

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
    /// them since they were found.
    pub(crate) async fn take_tables(&self, tx: &mut Tx<'_>, tables: Option<u32>) -> Result<bool, TxError> {
        let Some(tables) = tables else { return Ok(false) };
        let is_file = |id: &PacketId| {
            let head = self.heads.get(id);
            head.is_some_and(|head| matches!(head.packet.origin, PacketOrigin::File { .. }))
        };
        if !self.made.iter().any(is_file) {
            return Ok(true);
        }
        Ok(tx.count(TAKE_TABLES.bind(tables)).await? == 1)
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
                self.messages.add(format!("fault.{}", row.code.as_str()), 1);
                self.rejected.push(row);
            }
            // No message is ever taken away, and the others are never a change.
            PacketFact::Message(_, None) | PacketFact::SlotOf(..) | PacketFact::RungAbove(..) => {}
        }
    }
}

const ADD_PACKET: Statement = statement(
    "INSERT INTO data_packet (id, company_id, campaign_id, tables_number, stage, is_open, has_ended, reconciled, packet, caps, message_count) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
);
const TAKE_TABLES: Statement =
    statement("UPDATE packet_table_tracking SET state = 'taken' WHERE number = ? AND state = 'ready'");
const PACKET_STORED: Statement = statement(
    "SELECT data_packet.number, campaign_number, day, version FROM data_packet \
     JOIN packet_table_tracking ON packet_table_tracking.number = tables_number WHERE data_packet.id = ?",
);
const SET_PACKET: Statement = statement(
    "UPDATE data_packet SET stage = ?, is_open = ?, has_ended = ?, reconciled = ?, packet = ?, caps = ?, message_count = ? WHERE id = ?",
);
const ADD_ROWS: Statement = statement(
    "INSERT INTO {set}_data (packet_number, row_number_in_packet, fields) VALUES {3} \
     ON DUPLICATE KEY UPDATE fields = VALUES(fields)",
);
const ADD_REJECTED: Statement = statement(
    "INSERT INTO {set}_data (packet_number, row_number_in_packet, rejected) VALUES {3} \
     ON DUPLICATE KEY UPDATE rejected = VALUES(rejected)",
);
const ADD_MESSAGES: Statement =
    statement("INSERT INTO {set}_messages (packet_number, slot, id, below, message, state) VALUES {6}");
const ADD_TRANSITIONS: Statement = statement(
    "INSERT INTO {set}_transitions (packet_number, slot, number, transitions, state, attempts) VALUES {6}",
);
const ADD_DUE: Statement = statement(
    "INSERT INTO {set}_due (packet_number, place, method, closes_at, at, slot) VALUES {6} \
     ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_DUE: Statement = statement(
    "DELETE FROM {set}_due WHERE packet_number = ? AND (place, method, closes_at, at, slot) IN ({5})",
);
const ADD_EVENTS: Statement = statement(
    "INSERT INTO {set}_dispositions (packet_number, slot, digest, provider, event) VALUES {5} \
     ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const ADD_COPIES: Statement =
    statement("INSERT INTO packet_copies (packet_number, until, slots) VALUES (?, ?, ?)");
const ADD_CLAIMS: Statement =
    statement("INSERT INTO open_claims (packet_number, answer_by, slots) VALUES (?, ?, ?)");
const ADD_UNKNOWN: Statement = statement(
    "INSERT INTO unknown_attempts (attempt_id, packet_number, slot) VALUES {3} ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_UNKNOWN: Statement = statement("DELETE FROM unknown_attempts WHERE attempt_id IN ({1})");
const ADD_COUNTS: Statement = statement(
    "INSERT INTO packet_counts (packet_number, counter, shard, count) VALUES {4} \
     ON DUPLICATE KEY UPDATE count = count + VALUES(count)",
);
const ADD_WINDOWS: Statement = statement(
    "INSERT INTO packet_windows (packet_number, closes_at, opens_at, method, shard, count) VALUES {6} \
     ON DUPLICATE KEY UPDATE count = count + VALUES(count)",
);
const ADD_ASKING: Statement = statement(
    "INSERT INTO packet_asking (packet_number, ahead, at, slot) VALUES {4} ON DUPLICATE KEY UPDATE slot = VALUES(slot)",
);
const TAKE_ASKING: Statement =
    statement("DELETE FROM packet_asking WHERE packet_number = ? AND (ahead, at, slot) IN ({3})");
const ADD_ATTEMPTS: Statement =
    statement("INSERT INTO attempts (id, company_id, packet_id, message_id) VALUES {4}");
const SET_CAMPAIGN: Statement =
    statement("UPDATE company_campaigns SET newest_file = ?, last_file_came_at = ? WHERE id = ?");

/// Who adds to the same counter at the same time adds to one of so many rows.
const SHARDS: u8 = 8;

impl Changes {
    /// Writes all, in the order of locks.
    pub(crate) async fn write(
        self,
        tx: &mut Tx<'_>,
        company: CompanyId,
        tables: Option<u32>,
        stored: &mut BTreeMap<PacketId, Stored>,
    ) -> Result<(), TxError> {
        for (id, head) in self.campaigns {
            let newest = head.newest_file.map(PacketId::as_uuid);
            tx.write(SET_CAMPAIGN.bind(newest).bind(head.last_file_came_at).bind(id.as_uuid())).await?;
        }
        for (id, head) in self.heads {
            match (stored.entry(id), tables) {
                (Entry::Occupied(_), _) => set_packet(tx, &head).await?,
                (Entry::Vacant(place), Some(tables)) => {
                    place.insert(add_packet(tx, &head, tables).await?);
                }
                // The caller has asked for tables before.
                (Entry::Vacant(_), None) => {}
            }
        }
        for (id, changes) in self.packets {
            if let Some(stored) = stored.get(&id) {
                changes.write(tx, *stored).await?;
            }
        }
        for chunk in self.attempts.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_ATTEMPTS.of_rows(chunk.len()), |insert, (id, at)| {
                let insert = insert.bind(id.as_uuid()).bind(at.company.as_uuid());
                insert.bind(at.packet.as_uuid()).bind(at.message.as_uuid())
            });
            tx.write(insert).await?;
        }
        for (id, fact) in self.of_campaigns {
            write_of_campaign(tx, id, fact).await?;
        }
        for fact in self.of_company {
            write_of_company(tx, company, fact, stored).await?;
        }
        Ok(())
    }
}

fn bind_head<'q>(statement: Bound<'q>, head: &PacketHead) -> Bound<'q> {
    let stage = head.packet.stage;
    let has_ended = stage.is_closed();
    let statement = statement.bind(stage.as_str()).bind(!has_ended && stage != PacketStage::Failed);
    let statement = statement.bind(has_ended).bind(head.packet.reconciled.0).bind(Json(head.packet.clone()));
    statement.bind(Json(head.caps)).bind(column(head.message_count))
}

async fn set_packet(tx: &mut Tx<'_>, head: &PacketHead) -> Result<(), TxError> {
    tx.change(bind_head(SET_PACKET.of_rows(1), head).bind(head.packet.id.as_uuid())).await
}

async fn add_packet(tx: &mut Tx<'_>, head: &PacketHead, tables: u32) -> Result<Stored, TxError> {
    let packet = &head.packet;
    let add = ADD_PACKET.bind(packet.id.as_uuid()).bind(packet.company.as_uuid());
    tx.write(bind_head(add.bind(packet.campaign.as_uuid()).bind(tables), head)).await?;
    let row = tx.one(PACKET_STORED.bind(packet.id.as_uuid())).await?;
    let row = row.ok_or(reminderly_core::ports::store::StoreError::Missing { what: "packet" })?;
    Ok(crate::reading::stored(&row)?)
}

impl OfPacket {
    async fn write(self, tx: &mut Tx<'_>, Stored { number, set }: Stored) -> Result<(), TxError> {
        for chunk in self.rows.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_ROWS.on_rows(set, chunk.len()), |insert, row| {
                insert.bind(number).bind(row.number.0).bind(Json(row))
            });
            tx.write(insert).await?;
        }
        for chunk in self.rejected.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_REJECTED.on_rows(set, chunk.len()), |insert, row| {
                insert.bind(number).bind(row.row.0).bind(Json(row))
            });
            tx.write(insert).await?;
        }
        for chunk in self.messages.new.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_MESSAGES.on_rows(set, chunk.len()), |insert, (slot, data)| {
                let message = &data.record.message;
                let below = message.ladder.map(|place| place.below.as_uuid());
                let insert = insert.bind(number).bind(*slot).bind(message.id.as_uuid()).bind(below);
                insert.bind(Json(message)).bind(Json(MessageState::planned(data.verdict())))
            });
            tx.write(insert).await?;
        }
        for chunk in self.messages.writes.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_TRANSITIONS.on_rows(set, chunk.len()), |insert, write| {
                let attempts = (!write.attempts.is_empty()).then_some(Json(&write.attempts));
                let insert = insert.bind(number).bind(write.slot).bind(write.number);
                insert.bind(Json(&write.transitions)).bind(Json(&write.state)).bind(attempts)
            });
            tx.write(insert).await?;
        }
        self.write_places(tx, Stored { number, set }).await
    }
}

impl OfPacket {
    /// Writes by what messages are found, and in what they count.
    async fn write_places(self, tx: &mut Tx<'_>, Stored { number, set }: Stored) -> Result<(), TxError> {
        let messages = self.messages;
        for chunk in messages.due_no_more.chunks(ROWS) {
            let delete = TAKE_DUE.on_rows(set, chunk.len()).bind(number);
            tx.write(chunk.iter().fold(delete, bind_due)).await?;
        }
        for chunk in messages.due.chunks(ROWS) {
            let insert = ADD_DUE.on_rows(set, chunk.len());
            tx.write(chunk.iter().fold(insert, |insert, due| bind_due(insert.bind(number), due))).await?;
        }
        for (until, slots) in messages.copies {
            tx.write(ADD_COPIES.bind(number).bind(until).bind(Json(slots))).await?;
        }
        for (until, slots) in messages.claims {
            tx.write(ADD_CLAIMS.bind(number).bind(until).bind(Json(slots))).await?;
        }
        let delete = TAKE_UNKNOWN.of_rows(messages.known.len());
        tx.write(messages.known.iter().fold(delete, |delete, id| delete.bind(id.as_uuid()))).await?;
        let insert = ADD_UNKNOWN.of_rows(messages.unknown.len());
        let bind = |insert: Bound<'static>, (id, slot): &(AttemptId, u32)| {
            insert.bind(id.as_uuid()).bind(number).bind(*slot)
        };
        tx.write(messages.unknown.iter().fold(insert, bind)).await?;
        for (slot, events) in self.events {
            let slot = column(slot);
            let insert = ADD_EVENTS.on_rows(set, events.iter().count());
            let insert = events.iter().fold(insert, |insert, event| {
                let digest = Digest::of_event(event).as_bytes().to_vec();
                insert
                    .bind(number)
                    .bind(slot)
                    .bind(digest)
                    .bind(event.0.0.to_string())
                    .bind(event.1.to_string())
            });
            tx.write(insert).await?;
        }
        for chunk in self.asks_not.chunks(ROWS) {
            let delete = TAKE_ASKING.of_rows(chunk.len()).bind(number);
            tx.write(chunk.iter().fold(delete, bind_nearness)).await?;
        }
        for chunk in self.asks.chunks(ROWS) {
            let insert = ADD_ASKING.of_rows(chunk.len());
            tx.write(chunk.iter().fold(insert, |insert, asks| bind_nearness(insert.bind(number), asks)))
                .await?;
        }
        // Last, for others wait for these.
        let shard = rand::random_range(0..SHARDS);
        let counts: Vec<_> = messages.counts.into_iter().filter(|(_, step)| *step != 0).collect();
        let insert = counts.iter().fold(ADD_COUNTS.of_rows(counts.len()), |insert, (counter, step)| {
            insert.bind(number).bind(counter.clone()).bind(shard).bind(*step)
        });
        tx.write(insert).await?;
        let windows: Vec<_> = messages.windows.into_iter().filter(|(_, step)| *step != 0).collect();
        for chunk in windows.chunks(ROWS) {
            let insert = chunk.iter().fold(ADD_WINDOWS.of_rows(chunk.len()), |insert, (window, step)| {
                let insert = insert.bind(number).bind(window.closes_at).bind(window.opens_at);
                insert.bind(window.method.as_str()).bind(shard).bind(*step)
            });
            tx.write(insert).await?;
        }
        Ok(())
    }
}

fn bind_due<'q>(statement: Bound<'q>, due: &DueRow) -> Bound<'q> {
    statement.bind(due.place).bind(due.method).bind(due.closes_at).bind(due.at).bind(due.slot)
}

fn bind_nearness<'q>(statement: Bound<'q>, (ahead, at, slot): &Nearness) -> Bound<'q> {
    let ahead = ahead.num_microseconds().unwrap_or(i64::MAX);
    statement.bind(ahead).bind(*at).bind(column(*slot))
}
