//! Who wants no contact any more.

use chrono::{DateTime, Utc};

use super::records::Records;
use crate::batch::Outcomes;
use crate::domain::unsubscribe::Unsubscribe;
use crate::ids::CompanyId;
use crate::ports::store::{StoreError, WriteOutcome};

/// Appends events: see [`UnsubscribeStore::record_unsubscribes`](crate::ports::store::UnsubscribeStore::record_unsubscribes).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn record_unsubscribes(
    records: &mut Records,
    company: CompanyId,
    events: &[Unsubscribe],
    now: DateTime<Utc>,
) -> Result<Outcomes<WriteOutcome>, StoreError> {
    let company = records.company_mut(company)?;
    let record = |event| {
        if company.record_unsubscribe(event, now) { WriteOutcome::Applied } else { WriteOutcome::Stale }
    };
    Ok(events.iter().map(record).collect())
}
