//! The tables of a month, and the views of the one that runs.

use async_trait::async_trait;
use chrono::{Datelike as _, Months, NaiveDate};
use reminderly_core::ports::store::StoreError;

use crate::reads::Reads as _;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::tables::{IsClean, TRACKING};
use crate::transaction::{Tx, TxError, Work};
use crate::values::Values as _;

const FIND: Statement = statement(
    "SELECT number, state FROM packet_table_tracking WHERE campaign_number = ? AND day = ? AND version = 0",
);
const ADD: Statement = statement(
    "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
     VALUES (?, ?, 0, 'month', 'making', '') ON DUPLICATE KEY UPDATE number = number",
);
const MADE: Statement =
    statement("UPDATE packet_table_tracking SET state = 'ready' WHERE number = ? AND state = 'making'");
const OVER: Statement = statement(
    "SELECT number, campaign_number FROM packet_table_tracking \
     WHERE state = 'ready' AND purpose = 'month' AND day < ? AND number > ? ORDER BY number LIMIT 100",
);
const CLOSE: Statement =
    statement("UPDATE packet_table_tracking SET state = 'closed' WHERE number = ? AND state = 'ready'");
const NEWEST: Statement = statement(
    "SELECT day FROM packet_table_tracking \
     WHERE campaign_number = ? AND version = 0 AND state IN ('making', 'ready', 'closed') ORDER BY day DESC LIMIT 1",
);

/// What is seen of a month by those who have a SQL client.
const VIEWS: [&str; 4] = ["", "_messages", "_transitions", "_dispositions"];

/// The tables of a month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Month {
    /// Of `packet_table_tracking`.
    pub(super) number: u32,
    pub(super) last_day: NaiveDate,
}

/// The last day of the month that has this one.
pub(crate) fn last_day(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(day)
}

impl MySqlStore {
    /// The tables of a campaign for the month that has this day.
    pub(super) async fn month(&self, campaign: u32, today: NaiveDate) -> Result<Month, StoreError> {
        let last_day = last_day(today);
        let set = TableSet::Month { campaign, last_day };
        let (number, is_ready) = self.transact(Find { campaign, last_day }).await?;
        if !is_ready {
            self.make(set).await?;
            let is_clean = self.ask(IsClean(set)).await?;
            // Others may have made it ready, and moved something into it.
            if !is_clean && !self.transact(Find { campaign, last_day }).await?.1 {
                let source = format!(
                    "the tables {set} have rows that the database knows nothing of, perhaps because a backup was loaded \
                     beside them: rename or drop them"
                );
                return Err(StoreError::Unavailable { source: source.into() });
            }
            self.show_month(campaign, today).await?;
            self.transact(vec![MADE.bind(number)]).await?;
        }
        Ok(Month { number, last_day })
    }

    /// Lets the views show nothing of months that are over. One that cannot be closed keeps no other one from it; the first error.
    pub(super) async fn close_months(&self, today: NaiveDate) -> Result<(), StoreError> {
        let (mut after, mut outcome) = (0_u32, Ok(()));
        loop {
            let over = self.all(OVER.bind(today).bind(after)).await?;
            for row in &over {
                after = row.value(TRACKING, "number")?;
                let closed = self.close_month(row.value(TRACKING, "campaign_number")?, after, today).await;
                outcome = outcome.and(closed);
            }
            if over.is_empty() {
                return outcome;
            }
        }
    }

    async fn close_month(&self, campaign: u32, number: u32, today: NaiveDate) -> Result<(), StoreError> {
        self.show_month(campaign, today).await?;
        self.transact(vec![CLOSE.bind(number)]).await
    }

    /// Lets the views of a campaign show its newest month, if that is not over, and none that is about to leave. Whoever does this at the same time and
    /// knows an older one looks again.
    pub(crate) async fn show_month(&self, campaign: u32, today: NaiveDate) -> Result<(), StoreError> {
        let mut shown = None;
        loop {
            let newest = self.one(NEWEST.bind(campaign)).await?;
            let newest: Option<NaiveDate> = newest.map(|row| row.value(TRACKING, "day")).transpose()?;
            if shown == Some(newest) {
                return Ok(());
            }
            let month = |last_day| TableSet::Month { campaign, last_day };
            let set = newest.map_or(TableSet::NOWHERE, month);
            // Whoever has begun to make them may have been killed.
            self.make(set).await?;
            let rows = if newest.is_none_or(|last_day| last_day < today) { " WHERE FALSE" } else { "" };
            for of in VIEWS {
                let view = format!(
                    "CREATE OR REPLACE SQL SECURITY INVOKER VIEW campaign_data_{campaign}{of} AS SELECT * FROM {set}{of}{rows}"
                );
                self.define(&view).await?;
            }
            shown = Some(newest);
        }
    }
}

/// The row of a month's tables, and whether they are ready.
struct Find {
    campaign: u32,
    last_day: NaiveDate,
}

#[async_trait]
impl Work for Find {
    type Done = (u32, bool);

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(u32, bool), TxError> {
        let find = || FIND.bind(self.campaign).bind(self.last_day);
        let mut found = tx.one(find()).await?;
        if found.is_none() {
            tx.write(ADD.bind(self.campaign).bind(self.last_day)).await?;
            found = tx.one(find()).await?;
        }
        let row = found.ok_or(StoreError::Missing { what: "tables of a month" })?;
        let state: String = row.value(TRACKING, "state")?;
        let is_ready = match state.as_str() {
            "making" => false,
            "ready" | "closed" => true,
            _ => {
                let month = TableSet::Month { campaign: self.campaign, last_day: self.last_day };
                let source =
                    format!("the month {month} is {state}, on its way into files: is the clock right?");
                return Err(StoreError::Unavailable { source: source.into() }.into());
            }
        };
        Ok((row.value(TRACKING, "number")?, is_ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_on_their_last_day() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        assert_eq!(last_day(day(2020, 5, 1)), day(2020, 5, 31));
        assert_eq!(last_day(day(2020, 5, 31)), day(2020, 5, 31));
        assert_eq!(last_day(day(2024, 2, 7)), day(2024, 2, 29));
        assert_eq!(last_day(day(2025, 12, 31)), day(2025, 12, 31));
    }
}
