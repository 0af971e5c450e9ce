//! From what can be read: a transaction, or a connection outside of any.

use async_trait::async_trait;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::MySqlRow;

use crate::statement::Bound;
use crate::store::MySqlStore;
use crate::transaction::{Cause, Connection, TRIES, TxError};

/// What answers statements that read.
#[async_trait]
pub(crate) trait Reads: Send {
    /// All rows.
    async fn all(&mut self, statement: Bound) -> Result<Vec<MySqlRow>, TxError>;

    /// The first row, if there is one.
    async fn one(&mut self, statement: Bound) -> Result<Option<MySqlRow>, TxError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The rows of all statements.
    async fn each(&mut self, statements: Vec<Bound>) -> Result<Vec<MySqlRow>, TxError> {
        let mut rows = Vec::new();
        for statement in statements {
            rows.extend(self.all(statement).await?);
        }
        Ok(rows)
    }
}

/// A question that takes more than one statement. What it reads may change in between.
#[async_trait]
pub(crate) trait Question: Sync {
    type Answer;

    async fn ask(&self, reads: &mut Connection) -> Result<Self::Answer, TxError>;
}

impl MySqlStore {
    /// Asks outside of any transaction: once more if the server was lost, and a few times if what is asked for was moved away meanwhile.
    pub(crate) async fn ask<Q: Question>(&self, question: Q) -> Result<Q::Answer, StoreError> {
        let (mut lost, mut overtaken) = (0, 0);
        loop {
            match self.ask_once(&question).await {
                Err(TxError::Again(Cause::Server, _)) if lost == 0 => lost += 1,
                Err(TxError::Again(Cause::Others, _)) if overtaken < TRIES => overtaken += 1,
                outcome => return outcome.map_err(|error| self.give_up(error)),
            }
        }
    }

    async fn ask_once<Q: Question>(&self, question: &Q) -> Result<Q::Answer, TxError> {
        let mut connection = self.connection().await?;
        let answer = question.ask(&mut connection).await;
        answer.map_err(|error| connection.close_if_lost(error))
    }

    /// One row, or none.
    pub(crate) async fn one(&self, statement: Bound) -> Result<Option<MySqlRow>, StoreError> {
        Ok(self.each(vec![statement]).await?.into_iter().next())
    }

    /// All rows.
    pub(crate) async fn all(&self, statement: Bound) -> Result<Vec<MySqlRow>, StoreError> {
        self.each(vec![statement]).await
    }

    /// The rows of all statements.
    pub(crate) async fn each(&self, statements: Vec<Bound>) -> Result<Vec<MySqlRow>, StoreError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(statements).await
    }
}

#[async_trait]
impl Question for Vec<Bound> {
    type Answer = Vec<MySqlRow>;

    async fn ask(&self, reads: &mut Connection) -> Result<Vec<MySqlRow>, TxError> {
        reads.each(self.clone()).await
    }
}
