//! What has ended, moved out of the way of what has not.
//!
//! A set of tables all of whose packets have ended is moved in steps, each a transaction that ends where the next one begins:
//!
//! 1. [`Begin`]: nobody puts another packet into the set.
//! 2. [`Step::Mark`]: whatever is added to its packets from now on is added to the month's tables, too.
//! 3. [`Step::Copy`]: what was there before is copied into them, table by table.
//! 4. [`Step::HandOver`]: the packets are looked for there.
//! 5. [`Step::Drop`]: the set goes.
//!
//! Whoever is killed in between leaves a step that anybody takes up.

mod copying;
mod month;
mod moving;

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use reminderly_core::clock::Clock;
use reminderly_core::ports::store::StoreError;

use crate::store::MySqlStore;
use crate::tables::IsClean;
pub(crate) use month::last_day;
use moving::{Advance, Advanced, Begin, Candidate, Candidates, Ended};

/// Moves packets that have ended into the tables of their campaign's month, `campaign_data_{campaign}_{MMDDYYYY}` with the last day of the
/// month, and takes their own tables away. Nothing else changes: late reports and replies are stored there, and found.
///
/// `campaign_data_{campaign}` and its companions are views of the running month.
///
/// To be run by one host or by several, at any time and as often as you like; several take turns. A future that is dropped leaves
/// what the next call takes up.
#[derive(Debug, Clone)]
pub struct History {
    store: MySqlStore,
    clock: Arc<dyn Clock>,
    settings: HistorySettings,
}

/// When packets move, and how much of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySettings {
    move_after: Days,
    rows_per_step: u32,
}

impl Default for HistorySettings {
    /// Three days after the packet's own, in which nearly all reports and replies have come; 2,000 rows at a time.
    fn default() -> Self {
        Self { move_after: Days::new(3), rows_per_step: 2_000 }
    }
}

impl HistorySettings {
    /// Leaves packets where they are for so many days, in UTC, after the day on which they were made.
    #[must_use]
    pub const fn with_move_after(self, days: Days) -> Self {
        Self { move_after: days, ..self }
    }

    /// Moves so many rows in one transaction; at least one.
    #[must_use]
    pub const fn with_rows_per_step(self, rows: u32) -> Self {
        Self { rows_per_step: if rows == 0 { 1 } else { rows }, ..self }
    }
}

/// What was moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Sets of tables that were taken away.
    pub sets: u64,
    /// Packets that are found elsewhere now.
    pub packets: u64,
    /// Rows that were copied; one that was added to both sets meanwhile may count, too.
    pub rows: u64,
}

impl History {
    /// Moves within a store, by this clock.
    pub const fn new(store: MySqlStore, clock: Arc<dyn Clock>, settings: HistorySettings) -> Self {
        Self { store, clock, settings }
    }

    /// Closes the months that are over, goes on with what was begun, and moves all that may be moved. Packets that have not ended stay,
    /// and so do those that share tables with them.
    ///
    /// # Errors
    ///
    /// The first [`StoreError`]: the server was lost, does not let the user create and drop tables and views, or somebody looks into a set
    /// in a transaction that does not end. What was moved stays so, and what could be moved was; the next call tries the rest again.
    pub async fn move_ended(&self) -> Result<Moved, StoreError> {
        let today = self.clock.now().date_naive();
        let mut outcome = self.store.close_months(today).await;
        let mut moved = Moved::default();
        let Some(before) = today.checked_sub_days(self.settings.move_after) else {
            return outcome.map(|()| moved);
        };
        for candidates in Candidates::in_order(before) {
            let mut after = 0;
            while let Some(candidate) = self.store.ask(candidates.after(after)).await? {
                after = candidate.number;
                outcome = outcome.and(self.move_set(candidate, today, &mut moved).await);
            }
        }
        outcome.map(|()| moved)
    }

    async fn move_set(
        &self,
        candidate: Candidate,
        today: NaiveDate,
        moved: &mut Moved,
    ) -> Result<(), StoreError> {
        if !candidate.is_begun {
            let month = if candidate.is_used {
                Some(self.store.month(candidate.campaign(), today).await?)
            } else {
                None
            };
            if !self.store.transact(Begin { number: candidate.number, month }).await? {
                return Ok(());
            }
        }
        loop {
            let step = Advance { candidate, rows: self.settings.rows_per_step };
            match self.store.transact(step).await? {
                Advanced::Marked => {}
                Advanced::Copied(rows) => moved.rows += rows,
                Advanced::HandedOver(packets) => moved.packets += packets,
                Advanced::Unused => {
                    // Somebody else's rows may stand in it, if a backup was loaded that knows nothing of them.
                    self.store.make(candidate.set).await?;
                    if !self.store.ask(IsClean(candidate.set)).await? {
                        return self.store.transact(Ended::left(candidate.number)).await.map(drop);
                    }
                    return self.drop_set(candidate, moved).await;
                }
                Advanced::ToBeDropped => return self.drop_set(candidate, moved).await,
                Advanced::ByOthers => return Ok(()),
            }
        }
    }

    async fn drop_set(&self, candidate: Candidate, moved: &mut Moved) -> Result<(), StoreError> {
        self.store.define(&candidate.set.drop()).await?;
        let was_first = self.store.transact(Ended::dropped(candidate.number)).await?;
        moved.sets += u64::from(was_first);
        Ok(())
    }
}
