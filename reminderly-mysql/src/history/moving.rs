//! The steps by which a set of tables moves into those of a month.

use async_trait::async_trait;
use chrono::NaiveDate;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::MySqlRow;

use super::copying::{Copied, Position};
use super::month::Month;
use crate::reads::{Question, Reads};
use crate::statement::{Lock, Statement, statement};
use crate::table_set::TableSet;
use crate::tables::TRACKING;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::{Values as _, undecodable};

/// Sets that were begun, in the order of their numbers.
const BEGUN: Statement = statement(
    "SELECT number, campaign_number, day, version, TRUE AS is_used FROM packet_table_tracking \
     WHERE state = 'moving' AND number > ? ORDER BY number LIMIT 1",
);
/// Sets of which no packet goes on, likewise.
const ENDED: Statement = statement(
    "SELECT number, campaign_number, day, version, \
     EXISTS (SELECT 1 FROM data_packet WHERE tables_number = packet_table_tracking.number) AS is_used \
     FROM packet_table_tracking WHERE state IN ('making', 'ready', 'taken') AND purpose <> 'month' AND day < ? AND number > ? \
     AND NOT EXISTS (SELECT 1 FROM data_packet WHERE tables_number = packet_table_tracking.number AND has_ended = 0) \
     ORDER BY number LIMIT 1",
);
const STATE: Statement = statement("SELECT state FROM packet_table_tracking WHERE number = ?");
const GOES_ON: Statement =
    statement("SELECT 1 FROM data_packet WHERE tables_number = ? AND has_ended = 0 LIMIT 1");
const SET_STATE: Statement = statement("UPDATE packet_table_tracking SET state = ? WHERE number = ?");
const BEGIN: Statement = statement(
    "INSERT INTO table_moves (tables_number, month_number, last_day, step, packet_number, position) VALUES (?, ?, ?, ?, 0, 0)",
);
const MOVE: Statement = statement(
    "SELECT month_number, last_day, step, packet_number, position FROM table_moves WHERE tables_number = ?",
);
const GO_ON: Statement =
    statement("UPDATE table_moves SET step = ?, packet_number = ?, position = ? WHERE tables_number = ?");
const END: Statement = statement("DELETE FROM table_moves WHERE tables_number = ?");
const MARK: Statement =
    statement("UPDATE data_packet SET moving_to = ? WHERE tables_number = ? AND moving_to IS NULL LIMIT ?");
const PACKETS: Statement = statement("SELECT number FROM data_packet WHERE tables_number = ? LIMIT ?");
const COPY_DUE: Statement = statement(
    "INSERT INTO {to}_due (packet_number, place, method, closes_at, at, slot) \
     SELECT packet_number, place, method, closes_at, at, slot FROM {set}_due WHERE packet_number IN ({rows}) \
     ON DUPLICATE KEY UPDATE {to}_due.packet_number = {to}_due.packet_number",
);
const HAND_OVER: Statement = statement(
    "UPDATE data_packet SET tables_number = ?, day = ?, version = 0, moving_to = NULL WHERE number IN ({rows})",
);

/// So many packets are marked or handed over together.
const PACKETS_PER_STEP: u64 = 200;

/// A set that may be moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Of `packet_table_tracking`.
    pub(super) number: u32,
    pub(super) set: TableSet,
    pub(super) is_begun: bool,
    /// Whether any packet is in it.
    pub(super) is_used: bool,
}

impl Candidate {
    pub(super) const fn campaign(&self) -> u32 {
        self.set.columns().0
    }
}

/// Sets of days before this one; those that nobody uses a day later, for somebody may be about to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidates {
    before: NaiveDate,
    are_begun: bool,
    after: u32,
}

impl Candidates {
    /// What was begun comes first.
    pub(super) fn in_order(before: NaiveDate) -> impl Iterator<Item = Self> {
        [true, false].into_iter().map(move |are_begun| Self { before, are_begun, after: 0 })
    }

    pub(super) const fn after(self, number: u32) -> Self {
        Self { after: number, ..self }
    }
}

#[async_trait]
impl Question for Candidates {
    type Answer = Option<Candidate>;

    async fn ask(&self, reads: &mut Connection) -> Result<Option<Candidate>, TxError> {
        let select = || if self.are_begun { BEGUN.bound() } else { ENDED.bind(self.before) };
        let mut after = self.after;
        while let Some(row) = reads.one(select().bind(after)).await? {
            let campaign = row.value(TRACKING, "campaign_number")?;
            let day = row.value(TRACKING, "day")?;
            let is_used: i64 = row.value(TRACKING, "is_used")?;
            let is_used = is_used != 0;
            after = row.value(TRACKING, "number")?;
            if is_used || self.before.pred_opt().is_some_and(|before| day < before) {
                let set = TableSet::of_columns(campaign, day, row.value(TRACKING, "version")?);
                return Ok(Some(Candidate { number: after, set, is_begun: self.are_begun, is_used }));
            }
        }
        Ok(None)
    }
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Mark,
    Copy(Copied),
    HandOver,
    Drop,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Mark,
        Self::Copy(Copied::Data),
        Self::Copy(Copied::Messages),
        Self::Copy(Copied::Transitions),
        Self::Copy(Copied::Dispositions),
        Self::HandOver,
        Self::Drop,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mark => "mark",
            Self::Copy(Copied::Data) => "data",
            Self::Copy(Copied::Messages) => "messages",
            Self::Copy(Copied::Transitions) => "transitions",
            Self::Copy(Copied::Dispositions) => "dispositions",
            Self::HandOver => "hand_over",
            Self::Drop => "drop",
        }
    }

    fn next(self) -> Self {
        let position = Self::ALL.iter().position(|step| *step == self);
        position.and_then(|position| Self::ALL.get(position + 1)).copied().unwrap_or(Self::Drop)
    }
}

/// Begins a move, unless a packet goes on after all; whether it did, or somebody else has.
pub(super) struct Begin {
    pub(super) number: u32,
    /// `None` if there is no packet in the set.
    pub(super) month: Option<Month>,
}

#[async_trait]
impl Work for Begin {
    type Done = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, TxError> {
        // Who puts a packet into a set has this row, too.
        let row = tx.one(STATE.bind(self.number).locking(Lock::Alone)).await?;
        let state: Option<String> = row.map(|row| row.value(TRACKING, "state")).transpose()?;
        match state.as_deref() {
            Some("moving") => return Ok(true),
            Some("making" | "ready" | "taken") => {}
            _ => return Ok(false),
        }
        // Whoever takes the month out of the database has this row.
        if let Some(month) = self.month {
            let row = tx.one(STATE.bind(month.number).locking(Lock::Shared)).await?;
            let state: Option<String> = row.map(|row| row.value(TRACKING, "state")).transpose()?;
            if !matches!(state.as_deref(), Some("ready" | "closed")) {
                return Ok(false);
            }
        }
        let step = match self.month {
            Some(_) if tx.one(GOES_ON.bind(self.number)).await?.is_some() => return Ok(false),
            Some(_) => Step::Mark,
            None if tx.one(PACKETS.bind(self.number).bind(1_u32)).await?.is_some() => return Ok(false),
            None => Step::Drop,
        };
        let begin = BEGIN.bind(self.number).bind(self.month.map(|month| month.number));
        tx.write(begin.bind(self.month.map(|month| month.last_day)).bind(step.as_str())).await?;
        tx.write(SET_STATE.bind("moving").bind(self.number)).await?;
        Ok(true)
    }
}

/// Does a step of a move, or a part of one.
pub(super) struct Advance {
    pub(super) candidate: Candidate,
    /// So many rows at most are copied.
    pub(super) rows: u32,
}

/// What was done.
pub(super) enum Advanced {
    Marked,
    /// So many rows.
    Copied(u64),
    /// So many packets.
    HandedOver(u64),
    /// Nothing: no packet is in it, and all that is left is to drop the tables, unless something stands in them.
    Unused,
    /// Nothing: all that is left is to drop the tables, of which everything is elsewhere.
    ToBeDropped,
    /// Nothing: others have moved it to its end.
    ByOthers,
}

/// A move as it is stored.
struct Move {
    month: u32,
    to: TableSet,
    last_day: NaiveDate,
    step: Step,
    after: Position,
}

#[async_trait]
impl Work for Advance {
    type Done = Advanced;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Advanced, TxError> {
        let number = self.candidate.number;
        let Some(row) = tx.one(MOVE.bind(number).locking(Lock::Alone)).await? else {
            return Ok(Advanced::ByOthers);
        };
        let Some(at) = self.read(&row)? else { return Ok(Advanced::Unused) };
        match at.step {
            Step::Mark => {
                let mark = MARK.bind(at.last_day).bind(number).bind(PACKETS_PER_STEP);
                if tx.count(mark).await? == 0 {
                    self.go_on(tx, at.step.next(), (0, 0)).await?;
                }
                Ok(Advanced::Marked)
            }
            Step::Copy(table) => {
                let sets = (self.candidate.set, at.to);
                let Some((end, rows)) = table.copy(tx, sets, at.after, self.rows).await? else {
                    self.go_on(tx, at.step.next(), (0, 0)).await?;
                    return Ok(Advanced::Copied(0));
                };
                self.go_on(tx, at.step, end).await?;
                Ok(Advanced::Copied(rows))
            }
            Step::HandOver => {
                let packets = self.hand_over(tx, &at).await?;
                if packets == 0 {
                    self.go_on(tx, at.step.next(), (0, 0)).await?;
                }
                Ok(Advanced::HandedOver(packets))
            }
            Step::Drop => Ok(Advanced::ToBeDropped),
        }
    }
}

impl Advance {
    /// The move of a row; `None` if there is nothing to be moved.
    fn read(&self, row: &MySqlRow) -> Result<Option<Move>, StoreError> {
        let step: String = row.value(MOVES, "step")?;
        let step = Step::ALL.into_iter().find(|known| known.as_str() == step);
        let step = step.ok_or_else(|| undecodable(row, MOVES, "step"))?;
        let (month, last_day): (Option<u32>, Option<NaiveDate>) =
            (row.value(MOVES, "month_number")?, row.value(MOVES, "last_day")?);
        let (Some(month), Some(last_day)) = (month, last_day) else { return Ok(None) };
        let to = TableSet::Month { campaign: self.candidate.campaign(), last_day };
        let after = (row.value(MOVES, "packet_number")?, row.value(MOVES, "position")?);
        Ok(Some(Move { month, to, last_day, step, after }))
    }

    async fn go_on(&self, tx: &mut Tx<'_>, step: Step, (packet, position): Position) -> Result<(), TxError> {
        let go_on = GO_ON.bind(step.as_str()).bind(packet).bind(position);
        tx.write(go_on.bind(self.candidate.number)).await
    }

    /// Lets some packets be looked for in the month's tables, with what waits of those that go on again; how many they were.
    async fn hand_over(&self, tx: &mut Tx<'_>, at: &Move) -> Result<u64, TxError> {
        let select = PACKETS.bind(self.candidate.number).bind(PACKETS_PER_STEP);
        let mut numbers: Vec<u32> = Vec::new();
        for row in tx.all(select.locking(Lock::Alone)).await? {
            numbers.push(row.value("data_packet", "number")?);
        }
        let rows = || numbers.iter().map(|number| [(*number).into()]);
        tx.write_each(COPY_DUE.on(self.candidate.set).into_tables(at.to).each(rows())).await?;
        let mut packets = 0;
        for hand_over in HAND_OVER.bind(at.month).bind(at.last_day).each(rows()) {
            packets += tx.count(hand_over).await?;
        }
        Ok(packets)
    }
}

const MOVES: &str = "table_moves";

/// Ends a move; whether nobody else has.
pub(super) struct Ended {
    number: u32,
    state: &'static str,
}

impl Ended {
    /// Its tables were dropped.
    pub(super) const fn dropped(number: u32) -> Self {
        Self { number, state: "dropped" }
    }

    /// Its tables stay: what stands in them is of no packet.
    pub(super) const fn left(number: u32) -> Self {
        Self { number, state: "left" }
    }
}

#[async_trait]
impl Work for Ended {
    type Done = bool;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, TxError> {
        let is_first = tx.count(END.bind(self.number)).await? == 1;
        if is_first {
            tx.write(SET_STATE.bind(self.state).bind(self.number)).await?;
        }
        Ok(is_first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_to_the_last() {
        let steps: Vec<Step> =
            std::iter::successors(Some(Step::Mark), |step| (*step != Step::Drop).then(|| step.next()))
                .collect();
        assert_eq!(steps, Step::ALL);
    }
}
