//! The tables of a month, as files have them.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use async_trait::async_trait;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::store::StoreError;

use super::dump::{Dumped, ROWS};
use super::month_rows::MonthRow;
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::values::{Values as _, count_of};

/// One of the tables of a month.
pub(super) struct MonthTable<'m, R> {
    store: &'m MySqlStore,
    set: TableSet,
    /// What stands for the ids of packets in it.
    numbers: &'m BTreeMap<PacketId, u32>,
    rows: PhantomData<fn() -> R>,
}

impl<'m, R: MonthRow> MonthTable<'m, R> {
    pub(super) const fn new(
        store: &'m MySqlStore,
        set: TableSet,
        numbers: &'m BTreeMap<PacketId, u32>,
    ) -> Self {
        Self { store, set, numbers, rows: PhantomData }
    }
}

#[async_trait]
impl<R: MonthRow> Dumped for MonthTable<'_, R> {
    type Row = R;

    fn name(&self) -> String {
        self.set.named_in(R::TABLE, "set")
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let row = self.store.one(R::COUNT.on(self.set)).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.value(R::TABLE, "count"))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn rows_after(&self, after: Option<&R>) -> Result<Vec<R>, StoreError> {
        let select = R::behind(R::AFTER.on(self.set), after).bind(count_of(ROWS));
        self.store.all(select).await?.iter().map(R::read).collect()
    }

    async fn write(&self, rows: &[R]) -> Result<(), StoreError> {
        let number = |row: &R| self.numbers.get(&row.packet()).copied();
        let numbered = rows.iter().map(|row| Some((number(row)?, row))).collect::<Option<Vec<_>>>();
        let numbered = numbered.ok_or(StoreError::Missing { what: "packet of a row in a file" })?;
        self.store.transact(R::write(R::WRITE.on(self.set), &numbered)).await
    }
}
