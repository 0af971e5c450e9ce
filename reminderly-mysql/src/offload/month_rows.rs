//! Rows of a month's tables: a line of a file each.

use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::ids::{MessageId, PacketId};
use reminderly_core::ports::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::mysql::MySqlRow;
use sqlx::types::{Json, Uuid};

use crate::digest::Digest;
use crate::parameter::Parameter;
use crate::statement::{Bound, Statement, statement};
use crate::values::{Values as _, undecodable};

/// A row of one of the tables of a month. Its packet has its id in the file, and a number in the table.
pub(super) trait MonthRow: Serialize + DeserializeOwned + Send + Sync + Sized {
    /// The name of the table.
    const TABLE: &'static str;
    /// The last position in a packet.
    const LAST: Statement;
    /// Those of a packet from one position to another.
    const COUNT: Statement;
    /// Those behind a row, and how many at most.
    const AFTER: Statement;
    const WRITE: Statement;

    /// A row of this packet.
    fn read(row: &MySqlRow, packet: PacketId) -> Result<Self, StoreError>;

    fn packet(&self) -> PacketId;

    /// Binds the key of the row behind which others are wanted; before all of them without one.
    fn behind(statement: Bound, after: Option<&Self>) -> Bound;

    /// Writes rows, each with the number of its packet. Those that are there stay as they are.
    fn write(statement: Bound, rows: &[(u32, &Self)]) -> Vec<Bound>;
}

/// A row of a packet, as it was read, and why it was rejected.
#[derive(Serialize, Deserialize)]
pub(super) struct DataRow {
    packet: PacketId,
    #[serde(skip)]
    packet_number: u32,
    row: u64,
    fields: Option<Box<RawValue>>,
    rejected: Option<Box<RawValue>>,
}

impl MonthRow for DataRow {
    const TABLE: &'static str = "{set}_data";
    const LAST: Statement = statement(
        "SELECT CAST(MAX(row_number_in_packet) AS UNSIGNED) AS last FROM {set}_data WHERE packet_number = ?",
    );
    const COUNT: Statement = statement(
        "SELECT COUNT(*) AS count FROM {set}_data WHERE packet_number = ? AND row_number_in_packet BETWEEN ? AND ?",
    );
    const AFTER: Statement = statement(
        "SELECT packet_number, row_number_in_packet, fields, rejected FROM {set}_data FORCE INDEX (PRIMARY) \
         WHERE packet_number = ? AND row_number_in_packet > ? OR packet_number > ? \
         ORDER BY packet_number, row_number_in_packet LIMIT ?",
    );
    const WRITE: Statement = statement(
        "INSERT INTO {set}_data (packet_number, row_number_in_packet, fields, rejected) VALUES {rows} \
         ON DUPLICATE KEY UPDATE packet_number = VALUES(packet_number)",
    );

    fn read(row: &MySqlRow, packet: PacketId) -> Result<Self, StoreError> {
        Ok(Self {
            packet,
            packet_number: row.value(DATA, "packet_number")?,
            row: row.value(DATA, "row_number_in_packet")?,
            fields: some_json(row, DATA, "fields")?,
            rejected: some_json(row, DATA, "rejected")?,
        })
    }

    fn packet(&self) -> PacketId {
        self.packet
    }

    fn behind(statement: Bound, after: Option<&Self>) -> Bound {
        let (packet, row) = after.map_or((0, 0), |after| (after.packet_number, after.row));
        statement.bind(packet).bind(row).bind(packet)
    }

    fn write(statement: Bound, rows: &[(u32, &Self)]) -> Vec<Bound> {
        let columns = |(number, row): &(u32, &Self)| {
            [(*number).into(), row.row.into(), text(row.fields.as_deref()), text(row.rejected.as_deref())]
        };
        statement.each(rows.iter().map(columns))
    }
}

/// A message as planning left it.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageRow {
    packet: PacketId,
    #[serde(skip)]
    packet_number: u32,
    slot: u32,
    id: MessageId,
    below: Option<MessageId>,
    message: Box<RawValue>,
    state: Box<RawValue>,
}

impl MonthRow for MessageRow {
    const TABLE: &'static str = "{set}_messages";
    const LAST: Statement =
        statement("SELECT CAST(MAX(slot) AS UNSIGNED) AS last FROM {set}_messages WHERE packet_number = ?");
    const COUNT: Statement = statement(
        "SELECT COUNT(*) AS count FROM {set}_messages WHERE packet_number = ? AND slot BETWEEN ? AND ?",
    );
    const AFTER: Statement = statement(
        "SELECT packet_number, slot, id, below, message, state FROM {set}_messages FORCE INDEX (PRIMARY) \
         WHERE packet_number = ? AND slot > ? OR packet_number > ? ORDER BY packet_number, slot LIMIT ?",
    );
    const WRITE: Statement = statement(
        "INSERT INTO {set}_messages (packet_number, slot, id, below, message, state) VALUES {rows} \
         ON DUPLICATE KEY UPDATE packet_number = VALUES(packet_number)",
    );

    fn read(row: &MySqlRow, packet: PacketId) -> Result<Self, StoreError> {
        let id: Uuid = row.value(MESSAGES, "id")?;
        let below: Option<Uuid> = row.value(MESSAGES, "below")?;
        Ok(Self {
            packet,
            packet_number: row.value(MESSAGES, "packet_number")?,
            slot: row.value(MESSAGES, "slot")?,
            id: id.into(),
            below: below.map(MessageId::from),
            message: json(row, MESSAGES, "message")?,
            state: json(row, MESSAGES, "state")?,
        })
    }

    fn packet(&self) -> PacketId {
        self.packet
    }

    fn behind(statement: Bound, after: Option<&Self>) -> Bound {
        // Slots are counted from 0.
        let (packet, slot): (u32, i64) =
            after.map_or((0, -1), |after| (after.packet_number, after.slot.into()));
        statement.bind(packet).bind(slot).bind(packet)
    }

    fn write(statement: Bound, rows: &[(u32, &Self)]) -> Vec<Bound> {
        let columns = |(number, row): &(u32, &Self)| {
            let (id, below) = (row.id.as_uuid(), row.below.map(MessageId::as_uuid));
            let (message, state) = (row.message.get().into(), row.state.get().into());
            [(*number).into(), row.slot.into(), id.into(), below.into(), message, state]
        };
        statement.each(rows.iter().map(columns))
    }
}

/// What one write did to a message.
#[derive(Serialize, Deserialize)]
pub(super) struct TransitionRow {
    packet: PacketId,
    #[serde(skip)]
    packet_number: u32,
    slot: u32,
    number: u32,
    transitions: Box<RawValue>,
    state: Box<RawValue>,
    attempts: Option<Box<RawValue>>,
}

impl MonthRow for TransitionRow {
    const TABLE: &'static str = "{set}_transitions";
    const LAST: Statement = statement(
        "SELECT CAST(MAX(slot) AS UNSIGNED) AS last FROM {set}_transitions WHERE packet_number = ?",
    );
    const COUNT: Statement = statement(
        "SELECT COUNT(*) AS count FROM {set}_transitions WHERE packet_number = ? AND slot BETWEEN ? AND ?",
    );
    const AFTER: Statement = statement(
        "SELECT packet_number, slot, number, transitions, state, attempts FROM {set}_transitions FORCE INDEX (PRIMARY) \
         WHERE packet_number = ? AND slot = ? AND number > ? OR packet_number = ? AND slot > ? OR packet_number > ? \
         ORDER BY packet_number, slot, number LIMIT ?",
    );
    const WRITE: Statement = statement(
        "INSERT INTO {set}_transitions (packet_number, slot, number, transitions, state, attempts) VALUES {rows} \
         ON DUPLICATE KEY UPDATE packet_number = VALUES(packet_number)",
    );

    fn read(row: &MySqlRow, packet: PacketId) -> Result<Self, StoreError> {
        Ok(Self {
            packet,
            packet_number: row.value(TRANSITIONS, "packet_number")?,
            slot: row.value(TRANSITIONS, "slot")?,
            number: row.value(TRANSITIONS, "number")?,
            transitions: json(row, TRANSITIONS, "transitions")?,
            state: json(row, TRANSITIONS, "state")?,
            attempts: some_json(row, TRANSITIONS, "attempts")?,
        })
    }

    fn packet(&self) -> PacketId {
        self.packet
    }

    fn behind(statement: Bound, after: Option<&Self>) -> Bound {
        // Writes are counted from 1.
        let (packet, slot, number) =
            after.map_or((0, 0, 0), |after| (after.packet_number, after.slot, after.number));
        statement.bind(packet).bind(slot).bind(number).bind(packet).bind(slot).bind(packet)
    }

    fn write(statement: Bound, rows: &[(u32, &Self)]) -> Vec<Bound> {
        let columns = |(number, row): &(u32, &Self)| {
            let (transitions, state) = (row.transitions.get().into(), row.state.get().into());
            [
                (*number).into(),
                row.slot.into(),
                row.number.into(),
                transitions,
                state,
                text(row.attempts.as_deref()),
            ]
        };
        statement.each(rows.iter().map(columns))
    }
}

/// A report of a provider.
#[derive(Serialize, Deserialize)]
pub(super) struct DispositionRow {
    packet: PacketId,
    #[serde(skip)]
    packet_number: u32,
    slot: u32,
    /// As it stands in the table; it is not in the file.
    #[serde(skip)]
    digest: Digest,
    provider: ProviderName,
    event: String,
}

impl MonthRow for DispositionRow {
    const TABLE: &'static str = "{set}_dispositions";
    const LAST: Statement = statement(
        "SELECT CAST(MAX(slot) AS UNSIGNED) AS last FROM {set}_dispositions WHERE packet_number = ?",
    );
    const COUNT: Statement = statement(
        "SELECT COUNT(*) AS count FROM {set}_dispositions WHERE packet_number = ? AND slot BETWEEN ? AND ?",
    );
    const AFTER: Statement = statement(
        "SELECT packet_number, slot, digest, provider, event FROM {set}_dispositions FORCE INDEX (PRIMARY) \
         WHERE packet_number = ? AND slot = ? AND digest > ? OR packet_number = ? AND slot > ? OR packet_number > ? \
         ORDER BY packet_number, slot, digest LIMIT ?",
    );
    const WRITE: Statement = statement(
        "INSERT INTO {set}_dispositions (packet_number, slot, digest, provider, event) VALUES {rows} \
         ON DUPLICATE KEY UPDATE packet_number = VALUES(packet_number)",
    );

    fn read(row: &MySqlRow, packet: PacketId) -> Result<Self, StoreError> {
        let (digest, provider): (Vec<u8>, String) =
            (row.value(DISPOSITIONS, "digest")?, row.value(DISPOSITIONS, "provider")?);
        Ok(Self {
            packet,
            packet_number: row.value(DISPOSITIONS, "packet_number")?,
            slot: row.value(DISPOSITIONS, "slot")?,
            digest: Digest::of_stored(&digest).ok_or_else(|| undecodable(row, DISPOSITIONS, "digest"))?,
            provider: ProviderName(provider.into()),
            event: row.value(DISPOSITIONS, "event")?,
        })
    }

    fn packet(&self) -> PacketId {
        self.packet
    }

    fn behind(statement: Bound, after: Option<&Self>) -> Bound {
        let (packet, slot) = after.map_or((0, 0), |after| (after.packet_number, after.slot));
        // No digest lies before this one.
        let digest = after.map_or_else(Digest::default, |after| after.digest);
        statement.bind(packet).bind(slot).bind(digest).bind(packet).bind(slot).bind(packet)
    }

    fn write(statement: Bound, rows: &[(u32, &Self)]) -> Vec<Bound> {
        let columns = |(number, row): &(u32, &Self)| {
            let digest = Digest::of_event(&(row.provider.clone(), row.event.as_str().into()));
            let (provider, event) = (&*row.provider.0, row.event.as_str());
            [(*number).into(), row.slot.into(), digest.into(), provider.into(), event.into()]
        };
        statement.each(rows.iter().map(columns))
    }
}

const DATA: &str = "data";
const MESSAGES: &str = "messages";
const TRANSITIONS: &str = "transitions";
const DISPOSITIONS: &str = "dispositions";

fn json(row: &MySqlRow, table: &'static str, column: &'static str) -> Result<Box<RawValue>, StoreError> {
    let Json(value) = row.value(table, column)?;
    Ok(value)
}

fn some_json(
    row: &MySqlRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<Box<RawValue>>, StoreError> {
    let value: Option<Json<Box<RawValue>>> = row.value(table, column)?;
    Ok(value.map(|Json(value)| value))
}

fn text(value: Option<&RawValue>) -> Parameter {
    value.map_or(Parameter::Null, |value| value.get().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_read<R: MonthRow>(line: &str) {
        let row: R = serde_json::from_str(line).expect(line);
        assert_eq!(serde_json::to_string(&row).expect("a line"), line);
    }

    /// What stands in files that are kept for years. What is within a row, in columns of JSON, is as old as that.
    #[test]
    fn what_was_written_is_read_for_ever() {
        assert_read::<DataRow>(
            r#"{"packet":"019ac000-0000-7000-8000-000000000001","row":7,"fields":{"a": [1.50]},"rejected":null}"#,
        );
        assert_read::<MessageRow>(
            r#"{"packet":"019ac000-0000-7000-8000-000000000001","slot":0,"id":"019ac000-0000-7000-8000-000000000002","below":null,"message":{},"state":{}}"#,
        );
        assert_read::<TransitionRow>(
            r#"{"packet":"019ac000-0000-7000-8000-000000000001","slot":0,"number":1,"transitions":[],"state":{},"attempts":[{}]}"#,
        );
        assert_read::<DispositionRow>(
            r#"{"packet":"019ac000-0000-7000-8000-000000000001","slot":0,"provider":"sandbox","event":"7"}"#,
        );
    }
}
