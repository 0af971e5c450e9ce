//! A rule, applied to what it looks up.

use async_trait::async_trait;
use reminderly_core::domain::restore::{Restore, RestoreEpoch};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{Applied, Fact, Part, Records};
use sqlx::mysql::MySqlRow;

use crate::changes::Changes;
use crate::reading::{Locks, Reader, Stored, stored};
use crate::reads::{Question, Reads};
use crate::statement::{Lock, Statement, statement};
use crate::store::MySqlStore;
use crate::tables::Tables;
use crate::transaction::{Connection, Tx, TxError, Work};
use crate::values::Values as _;

const RESTORE: Statement = statement("SELECT epoch, raised_at FROM restores WHERE number = 1");
/// The company's row is not locked: it stays.
const PART: Statement = statement(
    "SELECT epoch, raised_at, (SELECT COUNT(*) FROM company WHERE id = ?) AS companies FROM restores WHERE number = 1",
);
/// Where a packet is stored.
pub(crate) const STORED: Statement = statement(
    "SELECT number, campaign_number, day, version, moving_to FROM data_packet WHERE company_id = ? AND id = ?",
);

/// A rule with its arguments, in a transaction.
pub(crate) struct Apply<A, R> {
    pub(crate) company: CompanyId,
    pub(crate) locks: Locks,
    /// The tables of a packet that it may make.
    pub(crate) tables: Option<Tables>,
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
        let mut reader = Reader::new(self.company, self.locks);
        let mut part = part(tx, self.company, Lock::Shared).await?;
        let rule = |records: &mut Records| (self.rule)(records, self.args.clone());
        let (answer, changes) = apply(tx, &mut reader, &mut part, rule).await?;
        let changes = Changes::of(changes, &part, &reader);
        if changes.makes_packet() && !changes.take_tables(tx, self.tables).await? {
            return Ok(Made::NeedsTables);
        }
        changes.write(tx, self.company, self.tables, &mut reader.stored).await?;
        Ok(Made::Done(answer))
    }
}

/// Applies a rule to what it looks up, and that to a part that may have been read before.
pub(crate) async fn apply<T>(
    reads: &mut dyn Reads,
    reader: &mut Reader,
    part: &mut Part,
    rule: impl Fn(&mut Records) -> T,
) -> Result<(T, Vec<Fact>), TxError> {
    loop {
        let unread =
            match part.apply(&rule).map_err(|error| StoreError::Unavailable { source: error.into() })? {
                Applied::Unread(keys) => keys,
                Applied::Done { answer, changes } => return Ok((answer, changes)),
            };
        for fact in reader.read(reads, unread).await? {
            part.add(fact);
        }
    }
}

/// A part of which nothing was read yet.
pub(crate) async fn part(reads: &mut dyn Reads, company: CompanyId, lock: Lock) -> Result<Part, TxError> {
    let row = reads.one(PART.bind(company.as_uuid()).locking(lock)).await?;
    let row = row.ok_or(StoreError::Missing { what: "row of the last restore" })?;
    let companies: i64 = row.value("company", "companies")?;
    let of = if companies > 0 { Part::of } else { Part::of_nobody };
    Ok(of(company, restore_of(&row)?))
}

/// The last restore.
pub(crate) async fn restore(reads: &mut dyn Reads, lock: Lock) -> Result<Restore, TxError> {
    let row = reads.one(RESTORE.locking(lock)).await?;
    Ok(restore_of(&row.ok_or(StoreError::Missing { what: "row of the last restore" })?)?)
}

fn restore_of(row: &MySqlRow) -> Result<Restore, StoreError> {
    let epoch: u32 = row.value("restores", "epoch")?;
    Ok(Restore { epoch: RestoreEpoch(epoch), raised_at: row.value("restores", "raised_at")? })
}

/// A rule that changes nothing, outside of any transaction.
struct Look<R> {
    company: CompanyId,
    rule: R,
}

#[async_trait]
impl<R, T> Question for Look<R>
where
    R: Fn(&Records) -> T + Send + Sync,
    T: Send,
{
    type Answer = T;

    async fn ask(&self, reads: &mut Connection) -> Result<T, TxError> {
        let mut reader = Reader::new(self.company, Locks::NONE);
        let mut part = part(reads, self.company, Lock::Not).await?;
        let (answer, _) = apply(reads, &mut reader, &mut part, |records| (self.rule)(records)).await?;
        Ok(answer)
    }
}

/// Something that is found in a packet which nobody else has, for a rule.
#[async_trait]
pub(crate) trait Find: Sync {
    type Found: Clone + Default + Send + Sync;

    async fn find(&self, tx: &mut Tx<'_>, packet: Stored) -> Result<Self::Found, TxError>;
}

/// A rule about a packet that is given what was found in it.
struct ApplyToFound<F, R> {
    company: CompanyId,
    packet: PacketId,
    find: F,
    rule: R,
}

#[async_trait]
impl<F, R, T> Work for ApplyToFound<F, R>
where
    F: Find,
    R: Fn(&mut Records, F::Found) -> T + Send + Sync,
    T: Send,
{
    type Done = Made<T>;

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Made<T>, TxError> {
        let select = STORED.bind(self.company.as_uuid()).bind(self.packet.as_uuid());
        let args = match tx.one(select.locking(Lock::Alone)).await? {
            Some(row) => self.find.find(tx, stored(&row)?).await?,
            None => F::Found::default(),
        };
        let (company, rule) = (self.company, &self.rule);
        let locks = Locks::of_packet(self.packet);
        (&Apply { company, locks, tables: None, args, rule }).run(tx).await
    }
}

impl MySqlStore {
    /// Applies a rule that makes no packet.
    pub(crate) async fn apply<A: Clone + Send + Sync, T: Send>(
        &self,
        company: CompanyId,
        locks: Locks,
        args: A,
        rule: impl Fn(&mut Records, A) -> T + Send + Sync,
    ) -> Result<T, StoreError> {
        done(self.transact(&Apply { company, locks, tables: None, args, rule }).await?)
    }

    /// Applies a rule about a packet to what is found in it.
    pub(crate) async fn apply_to_found<F: Find, T: Send>(
        &self,
        company: CompanyId,
        packet: PacketId,
        find: F,
        rule: impl Fn(&mut Records, F::Found) -> T + Send + Sync,
    ) -> Result<T, StoreError> {
        done(self.transact(ApplyToFound { company, packet, find, rule }).await?)
    }

    /// Asks a rule that changes nothing.
    pub(crate) async fn look<T: Send>(
        &self,
        company: CompanyId,
        rule: impl Fn(&Records) -> T + Send + Sync,
    ) -> Result<T, StoreError> {
        self.ask(Look { company, rule }).await
    }
}

fn done<T>(made: Made<T>) -> Result<T, StoreError> {
    match made {
        Made::Done(answer) => Ok(answer),
        Made::NeedsTables => Err(StoreError::Missing { what: "packet" }),
    }
}
