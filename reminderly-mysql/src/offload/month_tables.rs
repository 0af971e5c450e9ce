//! The tables of a month, as files have them.

use std::marker::PhantomData;

use async_trait::async_trait;
use reminderly_core::ports::store::StoreError;

use super::dump::{Dumped, ROWS};
use super::leaving::Month;
use super::month_rows::MonthRow;
use super::packets::MonthPackets;
use crate::store::MySqlStore;
use crate::values::{Values as _, count_of};

/// One of the tables of a month.
pub(super) struct MonthTable<'m, R> {
    store: &'m MySqlStore,
    month: Month,
    packets: &'m MonthPackets,
    rows: PhantomData<fn() -> R>,
}

/// Rows of so many positions are counted together: however large a packet is, that takes no time.
const POSITIONS: usize = 100_000;

impl<'m, R: MonthRow> MonthTable<'m, R> {
    pub(super) const fn new(store: &'m MySqlStore, month: Month, packets: &'m MonthPackets) -> Self {
        Self { store, month, packets, rows: PhantomData }
    }

    fn table(&self) -> String {
        self.month.set().named_in(R::TABLE, "set")
    }

    fn unknown(&self, packet: &dyn std::fmt::Display) -> StoreError {
        let source = format!("the month of {} has no packet {packet}", self.table());
        StoreError::Unavailable { source: source.into() }
    }
}

#[async_trait]
impl<R: MonthRow> Dumped for MonthTable<'_, R> {
    type Row = R;

    /// Each time that it is taken out it is another one: what was in it may have changed meanwhile.
    fn name(&self) -> String {
        format!("{}.{}", self.table(), self.month.offload)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let mut rows = 0;
        for packet in self.packets.iter() {
            let last = self.store.one(R::LAST.on(self.month.set()).bind(packet.number)).await?;
            let last: Option<u64> = last.map_or(Ok(None), |row| row.value(R::TABLE, "last"))?;
            let Some(last) = last else { continue };
            for first in (0..=last).step_by(POSITIONS) {
                let count = R::COUNT.on(self.month.set()).bind(packet.number);
                let count = count.bind(first).bind(first + count_of(POSITIONS) - 1);
                let row = self.store.one(count).await?;
                let count: i64 = row.map_or(Ok(0), |row| row.value(R::TABLE, "count"))?;
                rows += u64::try_from(count).unwrap_or_default();
            }
        }
        Ok(rows)
    }

    async fn rows_after(&self, after: Option<&R>) -> Result<Vec<R>, StoreError> {
        let select = R::behind(R::AFTER.on(self.month.set()), after).bind(count_of(ROWS));
        let mut found = Vec::new();
        for row in self.store.all(select).await? {
            let number: u32 = row.value(R::TABLE, "packet_number")?;
            let packet = self.packets.id(number).ok_or_else(|| self.unknown(&number))?;
            found.push(R::read(&row, packet)?);
        }
        Ok(found)
    }

    async fn write(&self, rows: &[R]) -> Result<(), StoreError> {
        let mut numbered = Vec::new();
        for row in rows {
            let number = self.packets.number(row.packet());
            numbered.push((number.ok_or_else(|| self.unknown(&row.packet()))?, row));
        }
        self.store.transact(R::write(R::WRITE.on(self.month.set()), &numbered)).await
    }
}
