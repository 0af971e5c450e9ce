//! What is copied from the tables of packets into those of a month.

use reminderly_core::ports::store::StoreError;

use crate::reads::Reads as _;
use crate::statement::{Bound, Statement, statement};
use crate::table_set::TableSet;
use crate::transaction::{Tx, TxError};
use crate::values::Values as _;

/// A table of a set whose rows stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    Data,
    Messages,
    Transitions,
    Dispositions,
}

/// A row by the packet's number and its position in it, a slot or the number of a row.
pub(super) type Position = (u32, u64);

/// How one table is copied.
struct Statements {
    /// The last position of a step: all rows of a position go in one.
    end: Statement,
    copy: Statement,
    /// A row of a step that has not arrived.
    missing: Statement,
}

macro_rules! copying {
    ($table:literal, $position:literal, $key:literal, $columns:literal) => {
        Statements {
            end: statement(concat!(
                "SELECT packet_number, position FROM (SELECT packet_number, ",
                $position,
                " AS position FROM {set}_",
                $table,
                " WHERE packet_number = ? AND ",
                $position,
                " > ? OR packet_number > ? ORDER BY packet_number, ",
                $position,
                " LIMIT ?) AS step ORDER BY packet_number DESC, position DESC LIMIT 1",
            )),
            copy: statement(concat!(
                "INSERT INTO {to}_",
                $table,
                " (",
                $columns,
                ") SELECT ",
                $columns,
                " FROM {set}_",
                $table,
                " WHERE (packet_number = ? AND ",
                $position,
                " > ? OR packet_number > ?) AND (packet_number = ? AND ",
                $position,
                " <= ? OR packet_number < ?) ON DUPLICATE KEY UPDATE {to}_",
                $table,
                ".packet_number = {to}_",
                $table,
                ".packet_number",
            )),
            missing: statement(concat!(
                "SELECT 1 AS missing FROM {set}_",
                $table,
                " AS old LEFT JOIN {to}_",
                $table,
                " AS moved USING (",
                $key,
                ") WHERE (old.packet_number = ? AND old.",
                $position,
                " > ? OR old.packet_number > ?) AND (old.packet_number = ? AND old.",
                $position,
                " <= ? OR old.packet_number < ?) AND moved.packet_number IS NULL LIMIT 1",
            )),
        }
    };
}

const DATA: Statements = copying!(
    "data",
    "row_number_in_packet",
    "packet_number, row_number_in_packet",
    "packet_number, row_number_in_packet, fields, rejected"
);
const MESSAGES: Statements =
    copying!("messages", "slot", "packet_number, slot", "packet_number, slot, id, below, message, state");
const TRANSITIONS: Statements = copying!(
    "transitions",
    "slot",
    "packet_number, slot, number",
    "packet_number, slot, number, transitions, state, attempts"
);
const DISPOSITIONS: Statements = copying!(
    "dispositions",
    "slot",
    "packet_number, slot, digest",
    "packet_number, slot, digest, provider, event"
);

impl Copied {
    const fn statements(self) -> &'static Statements {
        match self {
            Self::Data => &DATA,
            Self::Messages => &MESSAGES,
            Self::Transitions => &TRANSITIONS,
            Self::Dispositions => &DISPOSITIONS,
        }
    }

    /// Copies about so many rows after a position; up to where, and how many. `None` behind the last one.
    ///
    /// What is added meanwhile is added to both sets, so what this reads no more is not missed.
    pub(super) async fn copy(
        self,
        tx: &mut Tx<'_>,
        (from, to): (TableSet, TableSet),
        after: Position,
        rows: u32,
    ) -> Result<Option<(Position, u64)>, TxError> {
        let Statements { end, copy, missing } = self.statements();
        let Some(row) = tx.one(behind(end.on(from), after).bind(rows)).await? else { return Ok(None) };
        let end = (row.value("step", "packet_number")?, row.value("step", "position")?);
        let step = |statement: &Statement| up_to(behind(statement.on(from).into_tables(to), after), end);
        let copied = tx.count(step(copy)).await?;
        if tx.one(step(missing)).await?.is_some() {
            let source = "rows that were copied into the history are not there".into();
            return Err(TxError::Final(StoreError::Unavailable { source }));
        }
        Ok(Some((end, copied)))
    }
}

fn behind(statement: Bound, (packet, position): Position) -> Bound {
    statement.bind(packet).bind(position).bind(packet)
}

fn up_to(statement: Bound, (packet, position): Position) -> Bound {
    statement.bind(packet).bind(position).bind(packet)
}
