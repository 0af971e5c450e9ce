//! What is old, taken out of the database into files.
//!
//! - [`sink`] is where files are, [`manifest`] what stands beside them, [`dump`] writes a table to a file and loads it;
//! - [`logs`] takes out logs of companies;
//! - [`months`] takes out months of campaigns, in the steps of [`leaving`] and [`dropping`]; [`month_tables`] and [`month_rows`] are what of them is in files,
//!   [`packets`] whose they are, and [`traces`] what they leave elsewhere.
//!
//! A table is taken out once nobody writes to it any more: it is written to a file, which is read back and compared, and then dropped. Whoever is killed
//! in between leaves a step that anybody takes up.

mod dropping;
mod dump;
mod error;
mod leaving;
mod logs;
mod manifest;
mod month_rows;
mod month_tables;
mod months;
mod packets;
mod sink;
mod traces;

use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate};
use reminderly_core::clock::Clock;

use crate::store::MySqlStore;

pub use error::OffloadError;
pub use sink::Sink;

/// Takes old logs of companies and old months of campaigns out of the database, into the files of a [`Sink`], and back.
///
/// To be run by one host or by several, at any time and as often as you like: several take turns.
#[derive(Debug, Clone)]
pub struct Offload {
    store: MySqlStore,
    clock: Arc<dyn Clock>,
    sink: Sink,
    settings: OffloadSettings,
}

/// What is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffloadSettings {
    keep_logs: Days,
    keep_months: Months,
}

impl Default for OffloadSettings {
    /// Logs of the last ninety days stay, and of the last thirteen months all that ended in them: a year can be compared with the one before.
    fn default() -> Self {
        Self { keep_logs: Days::new(90), keep_months: Months::new(13) }
    }
}

impl OffloadSettings {
    /// Leaves the logs of so many days, in UTC, before today's; at least one day, for others may still be writing to yesterday's.
    #[must_use]
    pub fn with_keep_logs(self, days: Days) -> Self {
        Self { keep_logs: days.max(Days::new(1)), ..self }
    }

    /// Leaves so many months before the running one; at least three, for providers report complaints late.
    #[must_use]
    pub fn with_keep_months(self, months: Months) -> Self {
        Self { keep_months: months.max(Months::new(3)), ..self }
    }
}

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offloaded {
    /// Tables that are in files now.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
}

/// Whether it is the place of files, or what is in it, that is wrong: whoever goes on would only fail again.
const fn is_of_files(outcome: &Result<(), OffloadError>) -> bool {
    matches!(
        outcome,
        Err(OffloadError::File { .. } | OffloadError::Damaged { .. } | OffloadError::Missing { .. })
    )
}

/// Nothing is older, and servers know such a day.
const EARLIEST: NaiveDate = DateTime::UNIX_EPOCH.naive_utc().date();

impl Offload {
    /// Takes from a store into a sink, by this clock.
    pub const fn new(
        store: MySqlStore,
        clock: Arc<dyn Clock>,
        sink: Sink,
        settings: OffloadSettings,
    ) -> Self {
        Self { store, clock, sink, settings }
    }

    /// Logs of the days before go.
    fn first_day_kept(&self) -> NaiveDate {
        let today = self.clock.now().date_naive();
        today.checked_sub_days(self.settings.keep_logs).unwrap_or_default().max(EARLIEST)
    }

    /// Months that ended before go.
    fn first_month_kept(&self) -> NaiveDate {
        let today = self.clock.now().date_naive();
        let first = today.with_day(1).unwrap_or(today);
        first.checked_sub_months(self.settings.keep_months).unwrap_or_default().max(EARLIEST)
    }
}
