//! What stands in the columns of a row, and pages of rows.

use reminderly_core::batch::Page;
use reminderly_core::ports::BoxError;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::MySqlRow;
use sqlx::types::Uuid;
use sqlx::{Decode, MySql, Row as _, Type, ValueRef as _};

/// A value that is not what its column is for. What the decoder says of it may show the value, so it is left out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the value is not of the kind that the column is for: was it written by another program, or a newer version?"
)]
pub(crate) struct Undecodable;

pub(crate) trait Values {
    /// The value of a column. `Err` names the place, never the value.
    fn value<'r, T: Decode<'r, MySql> + Type<MySql>>(
        &'r self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, StoreError>;
}

impl Values for MySqlRow {
    fn value<'r, T: Decode<'r, MySql> + Type<MySql>>(
        &'r self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, StoreError> {
        decoded(self, column).map_err(|_| undecodable(self, table, column))
    }
}

fn decoded<'r, T: Decode<'r, MySql> + Type<MySql>>(
    row: &'r MySqlRow,
    column: &'static str,
) -> Result<T, BoxError> {
    let value = row.try_get_raw(column)?;
    let kind = value.type_info();
    // sqlx 0.8 takes texts that are compared byte by byte for bytes, <https://github.com/transact-rs/sqlx/issues/3387>.
    let is_text =
        T::type_info() == <str as Type<MySql>>::type_info() && <[u8] as Type<MySql>>::compatible(&kind);
    if value.is_null() || is_text || T::compatible(&kind) {
        T::decode(value)
    } else {
        Err(Undecodable.into())
    }
}

/// The error about a column of a row.
pub(crate) fn undecodable(row: &MySqlRow, table: &'static str, column: &'static str) -> StoreError {
    let id = row.try_get::<Uuid, _>("id").map_or_else(|_| "a row".to_owned(), |id| id.to_string());
    StoreError::Corrupt { table, column, id, source: Undecodable.into() }
}

/// A number of rows, as a statement has it.
pub(crate) fn count_of(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// How many rows to ask for, to know whether there are more than `limit`.
pub(crate) fn one_more(limit: usize) -> u64 {
    count_of(limit).saturating_add(1)
}

/// A page of what was found, [one more](one_more) at most.
pub(crate) fn page<T, C>(mut found: Vec<T>, limit: usize, cursor: impl Fn(&T) -> C) -> Page<T, C> {
    let is_last = found.len() <= limit;
    found.truncate(limit);
    let next = found.last().filter(|_| !is_last).map(cursor);
    Page { items: found, next }
}
