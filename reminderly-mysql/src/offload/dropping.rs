//! The last step of a month: its tables are dropped.

use reminderly_core::ports::store::StoreError;

use super::leaving::{GoOn, Month, Step, is_at};
use crate::reads::Reads as _;
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::transaction::{Cause, TxError};
use crate::values::Values as _;

/// One at a time, of this database: names of locks are the server's.
const LOCK: Statement =
    statement("SELECT GET_LOCK(CONCAT('reminderly.drop.', LEFT(SHA2(DATABASE(), 256), 40)), 30) AS locked");
const IS_THERE: Statement = statement(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? LIMIT 1",
);

/// What becomes of a month of which nothing is left to do but to drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is gone.
    Dropped,
    /// It returns, if all of its tables are there still; else it is gone.
    TurnedBack,
}

impl MySqlStore {
    /// Ends a month that is at [`Step::Dropping`]; what it is then, unless somebody else was first. Whoever is held up while he drops its tables would drop
    /// what was brought back meanwhile: so nobody goes on before.
    pub(super) async fn end_month(&self, month: Month, ending: Ending) -> Result<Option<Month>, StoreError> {
        self.try_to_end(month, ending).await.map_err(|error| self.give_up(error))
    }

    async fn try_to_end(&self, month: Month, ending: Ending) -> Result<Option<Month>, TxError> {
        let mut connection = self.connection().await?;
        // The lock ends with it, and that not before the server has ended what it does.
        connection.end_after_use();
        let row = connection.one(LOCK.bound()).await?;
        let locked: Option<i64> = row.map_or(Ok(None), |row| row.value("GET_LOCK", "locked"))?;
        if locked != Some(1) {
            let source = "somebody else drops tables, and does not come to an end";
            return Err(TxError::Again(Cause::Others, source.into()));
        }
        if !is_at(&mut connection, month, Lock::Not).await? {
            return Ok(None);
        }
        let mut is_whole = true;
        for table in month.set().names() {
            is_whole &= connection.one(IS_THERE.bind(table)).await?.is_some();
        }
        let to = if ending == Ending::TurnedBack && is_whole {
            Step::Returning
        } else {
            connection.define(&month.set().drop()).await?;
            Step::Gone
        };
        connection.transact(&GoOn { month, to }).await
    }
}
