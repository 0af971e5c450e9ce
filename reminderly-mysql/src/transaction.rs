//! The one way to change what is stored.

use std::time::Duration;

use async_trait::async_trait;
use reminderly_core::ports::BoxError;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Executor as _, MySql, Transaction, query_with};
use tokio::time::{sleep, timeout};

use crate::reads::Reads;
use crate::statement::{Bound, Prepared};
use crate::store::MySqlStore;

/// How often a transaction is done anew that others stood in the way of.
pub(crate) const TRIES: u32 = 5;

/// A statement that takes longer has lost its server. It waits no longer than 10 seconds for a lock.
const STATEMENT_WITHIN: Duration = Duration::from_secs(30);

/// What is done in one transaction.
#[async_trait]
pub(crate) trait Work: Sync {
    type Done;

    /// Does it, perhaps not for the first time: what it did before was rolled back.
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Done, TxError>;
}

/// A transaction. Dropped, it is rolled back.
pub(crate) struct Tx<'c>(Transaction<'c, MySql>);

/// A connection outside of any transaction.
pub(crate) struct Connection(PoolConnection<MySql>);

/// Why a transaction came to nothing.
#[derive(Debug)]
pub(crate) enum TxError {
    /// Done anew from its beginning, it may succeed: nothing of it was applied.
    Again(Cause, BoxError),
    /// It is final.
    Final(StoreError),
}

/// Why a transaction is to be done anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Another one stood in the way.
    Others,
    /// The server was lost, or is not what it was.
    Server,
}

/// A row is not what it was when it was read.
#[derive(Debug, thiserror::Error)]
#[error("another transaction was first")]
struct Overtaken;

/// Statements that belong together.
#[async_trait]
impl Work for Vec<Bound> {
    type Done = ();

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), TxError> {
        tx.write_each(self.clone()).await
    }
}

#[async_trait]
impl Reads for Tx<'_> {
    async fn all(&mut self, statement: Bound) -> Result<Vec<MySqlRow>, TxError> {
        fetch_all(&mut self.0, statement).await
    }
}

#[async_trait]
impl Reads for Connection {
    async fn all(&mut self, statement: Bound) -> Result<Vec<MySqlRow>, TxError> {
        fetch_all(&mut self.0, statement).await
    }
}

impl Connection {
    /// Takes the connection out of the pool if its server was lost, or is not what it was: another may find a better one.
    pub(crate) fn close_if_lost(&mut self, error: TxError) -> TxError {
        if matches!(
            error,
            TxError::Again(Cause::Server, _) | TxError::Final(StoreError::CommitUnknown { .. })
        ) {
            self.0.close_on_drop();
        }
        error
    }
}

impl Connection {
    /// Lets the connection end when it is given back, and with it what the server keeps for it.
    pub(crate) fn end_after_use(&mut self) {
        self.0.close_on_drop();
    }

    /// Makes or takes away tables, once.
    pub(crate) async fn define(&mut self, definition: &str) -> Result<(), TxError> {
        within(self.0.execute(definition)).await.map(drop)
    }

    /// Does some work in one transaction, once.
    pub(crate) async fn transact<W: Work>(&mut self, work: &W) -> Result<W::Done, TxError> {
        in_transaction(&mut self.0, work).await
    }
}

impl Tx<'_> {
    /// Writes rows.
    pub(crate) async fn write(&mut self, statement: Bound) -> Result<(), TxError> {
        self.count(statement).await.map(drop)
    }

    /// Writes rows by all statements.
    pub(crate) async fn write_each(&mut self, statements: Vec<Bound>) -> Result<(), TxError> {
        for statement in statements {
            self.write(statement).await?;
        }
        Ok(())
    }

    /// Changes rows; how many there were.
    pub(crate) async fn count(&mut self, statement: Bound) -> Result<u64, TxError> {
        let done = match prepared(statement)? {
            Prepared::Once(text, values) => within(query_with(&text, values).execute(&mut *self.0)).await?,
            Prepared::Never(text) => within((&mut *self.0).execute(&*text)).await?,
        };
        Ok(done.rows_affected())
    }

    /// Changes one row, which the statement names with the state that it is to have. If it has not, somebody else was first.
    pub(crate) async fn change(&mut self, statement: Bound) -> Result<(), TxError> {
        if self.count(statement).await? == 1 {
            Ok(())
        } else {
            Err(TxError::Again(Cause::Others, Overtaken.into()))
        }
    }
}

impl MySqlStore {
    /// Does some work in one transaction: all of it or nothing. What others stood in the way of is done anew, as a whole.
    ///
    /// A commit whose answer is lost is [`StoreError::CommitUnknown`], and never done anew.
    pub(crate) async fn transact<W: Work>(&self, work: W) -> Result<W::Done, StoreError> {
        let mut tries = 1;
        loop {
            match self.try_once(&work).await {
                Ok(done) => return Ok(done),
                Err(TxError::Again(..)) if tries < TRIES => sleep(pause(tries)).await,
                Err(error) => return Err(self.give_up(error)),
            }
            tries += 1;
        }
    }

    async fn try_once<W: Work>(&self, work: &W) -> Result<W::Done, TxError> {
        let mut connection = self.connection().await?;
        let outcome = connection.transact(work).await;
        outcome.map_err(|error| connection.close_if_lost(error))
    }

    /// Makes or takes away tables, which ends any transaction: so it is in none. What others stood in the way of is done anew, and
    /// so must do no harm a second time.
    pub(crate) async fn define(&self, definition: &str) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.define_once(definition).await {
                Ok(()) => return Ok(()),
                Err(TxError::Again(..)) if tries < TRIES => sleep(pause(tries)).await,
                Err(error) => return Err(self.give_up(error)),
            }
            tries += 1;
        }
    }

    /// Makes or takes away tables, unless others are in the way; what is sent may be done later, and is not sent again.
    pub(crate) async fn define_at_most_once(&self, definition: &str) -> Result<(), StoreError> {
        match self.define_once(definition).await {
            Ok(()) | Err(TxError::Again(Cause::Others, _)) => Ok(()),
            Err(error) => Err(self.give_up(error)),
        }
    }

    async fn define_once(&self, definition: &str) -> Result<(), TxError> {
        let mut connection = self.connection().await?;
        connection.define(definition).await.map_err(|error| connection.close_if_lost(error))
    }

    pub(crate) async fn connection(&self) -> Result<Connection, TxError> {
        // The pool itself waits no longer than it was told to.
        let connection = self.pool.acquire().await;
        connection.map(Connection).map_err(|error| TxError::Final(self.unavailable(error.into())))
    }

    pub(crate) fn give_up(&self, error: TxError) -> StoreError {
        match error {
            TxError::Again(_, error) => self.unavailable(error),
            TxError::Final(error) => error,
        }
    }
}

async fn in_transaction<W: Work>(
    connection: &mut PoolConnection<MySql>,
    work: &W,
) -> Result<W::Done, TxError> {
    let mut tx = Tx(within(connection.begin()).await?);
    let done = work.run(&mut tx).await?;
    match timeout(STATEMENT_WITHIN, tx.0.commit()).await {
        Ok(Ok(())) => Ok(done),
        // The server says that it did not commit; what else it may say, it may say after it did.
        Ok(Err(error)) if cause(&error) == Some(Cause::Others) => Err(error.into()),
        Ok(Err(error)) => Err(TxError::Final(StoreError::CommitUnknown { source: error.into() })),
        Err(late) => Err(TxError::Final(StoreError::CommitUnknown { source: late.into() })),
    }
}

async fn fetch_all(connection: &mut MySqlConnection, statement: Bound) -> Result<Vec<MySqlRow>, TxError> {
    match prepared(statement)? {
        Prepared::Once(text, values) => within(query_with(&text, values).fetch_all(connection)).await,
        Prepared::Never(text) => within(connection.fetch_all(&*text)).await,
    }
}

fn prepared(statement: Bound) -> Result<Prepared, TxError> {
    let unwritable = |source| TxError::Final(StoreError::Unavailable { source });
    statement.into_query().map_err(unwritable)
}

async fn within<T>(statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, TxError> {
    match timeout(STATEMENT_WITHIN, statement).await {
        Ok(outcome) => outcome.map_err(TxError::from),
        Err(late) => Err(TxError::Again(Cause::Server, late.into())),
    }
}

/// The pause after so many tries. Those who met do not meet again if they wait for different times.
fn pause(tries: u32) -> Duration {
    let jitter = rand::random_range(0.5..1.5);
    Duration::from_millis(5).saturating_mul(2_u32.saturating_pow(tries)).mul_f64(jitter)
}

/// What the server says. Its text is left out unless it surely names objects and no values, which may be about a person.
#[derive(Debug, thiserror::Error)]
#[error("the server refuses: error {number}, SQLSTATE {state}{text}")]
struct Refused {
    number: u16,
    state: String,
    text: String,
}

impl From<sqlx::Error> for TxError {
    fn from(error: sqlx::Error) -> Self {
        let cause = cause(&error);
        let said = refused(&error).map_or_else(|| error.into(), BoxError::from);
        match cause {
            Some(cause) => Self::Again(cause, said),
            None => Self::Final(StoreError::Unavailable { source: said }),
        }
    }
}

fn refused(error: &sqlx::Error) -> Option<Refused> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    let (number, state) = (error.number(), error.code().unwrap_or("HY000").to_owned());
    // Class 42: syntax and rights, <https://dev.mysql.com/doc/refman/8.4/en/error-message-elements.html>.
    let is_of_objects = (state.starts_with("42") && number != SYNTAX)
        || AGAIN.iter().any(|(known, _)| *known == number && number != DUPLICATE);
    let text = if is_of_objects { format!(": {}", error.message()) } else { String::new() };
    Some(Refused { number, state, text })
}

/// `ER_PARSE_ERROR`, which shows a part of the statement.
const SYNTAX: u16 = 1064;

/// `ER_DUP_ENTRY`, which shows the key.
const DUPLICATE: u16 = 1062;

impl From<StoreError> for TxError {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

/// Why the same transaction may succeed if it is done anew; `None` if it may not.
fn cause(error: &sqlx::Error) -> Option<Cause> {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Some(Cause::Server),
        sqlx::Error::Database(error) => {
            let number = error.try_downcast_ref::<MySqlDatabaseError>()?.number();
            AGAIN.iter().find(|(known, _)| *known == number).map(|(_, cause)| *cause)
        }
        _ => None,
    }
}

/// What the server says, see <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html> and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
const AGAIN: [(u16, Cause); 19] = [
    (1020, Cause::Others),      // ER_CHECKREAD: what was read has changed
    (1047, Cause::Server),      // ER_UNKNOWN_COM_ERROR: what a node says that has left its cluster
    (1053, Cause::Server),      // ER_SERVER_SHUTDOWN
    (DUPLICATE, Cause::Others), // who reads again sees what is there
    (1146, Cause::Others),      // ER_NO_SUCH_TABLE: what was in it has moved
    (1159, Cause::Server),      // ER_NET_READ_INTERRUPTED
    (1160, Cause::Server),      // ER_NET_ERROR_ON_WRITE
    (1161, Cause::Server),      // ER_NET_WRITE_INTERRUPTED
    (1205, Cause::Others),      // ER_LOCK_WAIT_TIMEOUT
    (1213, Cause::Others),      // ER_LOCK_DEADLOCK
    (1290, Cause::Server),      // ER_OPTION_PREVENTS_STATEMENT: read-only after a failover
    (1317, Cause::Others),      // ER_QUERY_INTERRUPTED: by KILL QUERY
    (1792, Cause::Server),      // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    (1836, Cause::Server),      // ER_READ_ONLY_MODE
    (1927, Cause::Server),      // ER_CONNECTION_KILLED
    (1969, Cause::Others),      // ER_STATEMENT_TIMEOUT of MariaDB
    (3024, Cause::Others),      // ER_QUERY_TIMEOUT of MySQL
    (3100, Cause::Others),      // ER_RUN_HOOK_ERROR: refused by group replication
    (4031, Cause::Server),      // ER_CLIENT_INTERACTION_TIMEOUT: idle for too long
];
