use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::batch::Page;
use crate::domain::log_entry::{LogEntry, LogPlace};
use crate::ids::CompanyId;

/// The log of each company. Entries are added, and never changed.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LogStore: Debug + Send + Sync + 'static {
    /// Adds an entry. One in a [place](LogEntry::place) that is taken changes nothing. Instants have microseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if there is no such company, [`StoreError::Unavailable`], [`StoreError::CommitUnknown`], after which
    /// it is added again.
    async fn append_to_log(&self, company: CompanyId, entry: LogEntry) -> Result<(), StoreError>;

    /// The entries of a time, in the order of their places, after one of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn log(
        &self,
        company: CompanyId,
        during: Range<DateTime<Utc>>,
        after: Option<LogPlace>,
        limit: usize,
    ) -> Result<Page<LogEntry, LogPlace>, StoreError>;
}
