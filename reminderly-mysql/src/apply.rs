//! A rule, applied in one transaction to what it looks up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reminderly_core::domain::restore::{Restore, RestoreEpoch};
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{Applied, Part, Records};

use crate::changes::Changes;
use crate::reading::{Lock, Reader};
use crate::statement::{Statement, statement};
use crate::transaction::{Tx, TxError, Work};
use crate::values::Values as _;

const RESTORE: Statement =
    statement("SELECT epoch, raised_at FROM restores WHERE number = ? LOCK IN SHARE MODE");
const COMPANY: Statement = statement("SELECT id FROM company WHERE id = ?");

/// A rule with its arguments.
pub(crate) struct Apply<A, R> {
    pub(crate) company: CompanyId,
    /// How the packets are locked that it looks up.
    pub(crate) packets_are: Lock,
    /// How what the company knows beside its packets is locked.
    pub(crate) company_is: Lock,
    /// The tables of a packet that it may make.
    pub(crate) tables: Option<u32>,
    pub(crate) args: A,
    pub(crate) rule: R,
}

/// What a rule has made, unless it makes a packet for which there are no tables yet.
pub(crate) enum Made<T> {
    Done(T),
    NeedsTables,
}

#[async_trait]
impl<A, R, T> Work for &Apply<A, R>
where
    A: Clone + Send + Sync,
    R: Fn(&mut Records, A) -> T + Send + Sync,
    T: Send,
{
    type Done = Made<T>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Made<T>, TxError> {
        let restore = restore(tx).await?;
        let of = match tx.one(COMPANY.bind(self.company.as_uuid())).await? {
            Some(_) => Part::of,
            None => Part::of_nobody,
        };
        let mut part = of(self.company, restore);
        let mut reader = Reader {
            company: self.company,
            packets_are: self.packets_are,
            company_is: self.company_is,
            stored: BTreeMap::new(),
            writes: BTreeMap::new(),
        };
        loop {
            let applied = part.apply(|records| (self.rule)(records, self.args.clone()));
            let unread = match applied.map_err(|error| StoreError::Unavailable { source: error.into() })? {
                Applied::Unread(keys) => keys,
                Applied::Done { answer, changes } => {
                    let changes = Changes::of(changes, &part, &reader);
                    if changes.makes_packet() && !changes.take_tables(tx, self.tables).await? {
                        return Ok(Made::NeedsTables);
                    }
                    changes.write(tx, self.company, self.tables, &mut reader.stored).await?;
                    return Ok(Made::Done(answer));
                }
            };
            for fact in reader.read(tx, unread).await? {
                part.add(fact);
            }
        }
    }
}

async fn restore(tx: &mut Tx<'_>) -> Result<Restore, TxError> {
    let Some(row) = tx.one(RESTORE.bind(1_u8)).await? else { return Ok(Restore::default()) };
    let epoch: u32 = row.value("restores", "epoch")?;
    Ok(Restore { epoch: RestoreEpoch(epoch), raised_at: row.value("restores", "raised_at")? })
}
