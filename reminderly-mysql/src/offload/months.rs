//! Months of campaigns that are over.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::store::StoreError;
use sqlx::types::Uuid;

use super::leaving::{AtStep, GoOn, LeadAway, LeadBack, Month, Step};
use super::manifest::Manifest;
use super::month_rows::{DataRow, DispositionRow, MessageRow, MonthRow, TransitionRow};
use super::month_tables::MonthTable;
use super::{EARLIEST, Offload, OffloadError, Offloaded};
use crate::history;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::table_set::TableSet;
use crate::values::Values as _;

const PACKETS: Statement = statement(
    "SELECT data_packet.id, packet_number FROM offloaded_packets JOIN data_packet ON number = packet_number \
     WHERE offloaded_packets.tables_number = ? AND packet_number > ? ORDER BY packet_number LIMIT 2000",
);
const ANY_DUE: Statement = statement("SELECT 1 FROM {set}_due LIMIT 1");

impl Offload {
    /// Takes old months of campaigns out of the database: rows and messages of the packets that had ended by then, with all that was reported of
    /// them. The packets stay, marked as [offloaded](reminderly_core::domain::packet::Packet::offloaded_at), and so does what is
    /// counted of them; their messages are not found any more, by reports and replies that come now neither. What was begun goes on first.
    ///
    /// # Errors
    ///
    /// The first [`OffloadError`]. What could be taken out was; the next call tries the rest again.
    pub async fn offload_months(&self) -> Result<Offloaded, OffloadError> {
        let (mut offloaded, mut outcome) = (Offloaded::default(), Ok(()));
        let Some(last) = self.first_month_kept().pred_opt() else { return Ok(offloaded) };
        for step in [Step::Dropping, Step::Forgetting, Step::Leaving, Step::Closed] {
            let mut after = 0;
            while let Some(month) = self.store.ask(AtStep { step, ends: (EARLIEST, last), after }).await? {
                after = month.number;
                outcome = outcome.and(self.offload_month(month, &mut offloaded).await);
            }
        }
        outcome.map(|()| offloaded)
    }

    /// Brings a month of all campaigns back: the one that has this day. Its packets show their messages again; what was forgotten of them elsewhere
    /// stays so, so late reports and replies do not find them. They are old still: the next [`offload_months`](Self::offload_months)
    /// takes them out again.
    ///
    /// # Errors
    ///
    /// [`OffloadError::Missing`] if there never was such a month, or its files are gone; [`OffloadError::Damaged`], before anything of that
    /// table was written; [`OffloadError::File`], [`OffloadError::Store`]. The first one; other campaigns are brought back all the same.
    pub async fn reload_month(&self, day: NaiveDate) -> Result<Offloaded, OffloadError> {
        let (mut reloaded, mut outcome) = (Offloaded::default(), Ok(()));
        let (last, mut is_known) = (history::last_day(day), false);
        for step in Step::ALL {
            let mut after = 0;
            while let Some(month) = self.store.ask(AtStep { step, ends: (last, last), after }).await? {
                (after, is_known) = (month.number, true);
                outcome = outcome.and(self.reload(month, &mut reloaded).await);
            }
        }
        if !is_known {
            let month = last.format("%m%d%Y");
            return Err(OffloadError::Missing { file: format!("campaign_data_*_{month}") });
        }
        outcome.map(|()| reloaded)
    }

    async fn offload_month(&self, mut month: Month, offloaded: &mut Offloaded) -> Result<(), OffloadError> {
        loop {
            let next = match month.step {
                Step::Closed => Step::Leaving,
                Step::Leaving => {
                    self.lead_away(month).await?;
                    offloaded.rows += self.write_files(month).await?;
                    Step::Forgetting
                }
                Step::Forgetting => {
                    self.store.forget_month(month).await?;
                    Step::Dropping
                }
                Step::Dropping => {
                    self.store.drop_month(month).await?;
                    offloaded.tables += TABLES;
                    return Ok(());
                }
                Step::Gone | Step::Loading | Step::Returning => return Ok(()),
            };
            if !self.store.transact(GoOn { month, to: next }).await? {
                // Somebody else did it, or brings it back.
                return Ok(());
            }
            month.step = next;
        }
    }

    async fn reload(&self, mut month: Month, reloaded: &mut Offloaded) -> Result<(), OffloadError> {
        loop {
            let next = match month.step {
                Step::Closed => return Ok(()),
                // All of it is there still.
                Step::Leaving => Step::Returning,
                Step::Forgetting => {
                    self.store.forget_month(month).await?;
                    Step::Dropping
                }
                Step::Dropping => {
                    self.store.drop_month(month).await?;
                    month.step = Step::Gone;
                    continue;
                }
                Step::Gone => Step::Loading,
                Step::Loading => {
                    reloaded.rows += self.read_files(month).await?;
                    reloaded.tables += TABLES;
                    Step::Returning
                }
                Step::Returning => {
                    while self.store.transact(LeadBack(month)).await? > 0 {}
                    Step::Closed
                }
            };
            if !self.store.transact(GoOn { month, to: next }).await? {
                return Ok(());
            }
            month.step = next;
        }
    }

    async fn lead_away(&self, month: Month) -> Result<(), StoreError> {
        self.store.make(TableSet::NOWHERE).await?;
        let at = self.clock.now();
        while self.store.transact(LeadAway { month, at }).await? > 0 {}
        Ok(())
    }

    /// Writes the tables to files; how many rows they have.
    async fn write_files(&self, month: Month) -> Result<u64, OffloadError> {
        // None of them waits, for they have ended: no file would have it.
        if self.store.one(ANY_DUE.on(month.set)).await?.is_some() {
            let source = format!("a message waits in {}_due, though its packet has ended", month.set);
            return Err(StoreError::Unavailable { source: source.into() }.into());
        }
        let packets = BTreeMap::new();
        Ok(self.write_file::<DataRow>(month, &packets).await?
            + self.write_file::<MessageRow>(month, &packets).await?
            + self.write_file::<TransitionRow>(month, &packets).await?
            + self.write_file::<DispositionRow>(month, &packets).await?)
    }

    async fn write_file<R: MonthRow>(
        &self,
        month: Month,
        packets: &BTreeMap<PacketId, u32>,
    ) -> Result<u64, OffloadError> {
        let table = MonthTable::<R>::new(&self.store, month.set, packets);
        self.sink.dump(&table).await
    }

    /// Writes the rows of the files into tables, once all of them are what they were; how many.
    async fn read_files(&self, month: Month) -> Result<u64, OffloadError> {
        self.store.make(month.set).await?;
        let packets = self.store.offloaded(month).await?;
        let (store, set) = (&self.store, month.set);
        let data = self.checked(MonthTable::<DataRow>::new(store, set, &packets)).await?;
        let messages = self.checked(MonthTable::<MessageRow>::new(store, set, &packets)).await?;
        let transitions = self.checked(MonthTable::<TransitionRow>::new(store, set, &packets)).await?;
        let dispositions = self.checked(MonthTable::<DispositionRow>::new(store, set, &packets)).await?;
        Ok(self.read_file(data).await?
            + self.read_file(messages).await?
            + self.read_file(transitions).await?
            + self.read_file(dispositions).await?)
    }

    async fn checked<'m, R: MonthRow>(
        &self,
        table: MonthTable<'m, R>,
    ) -> Result<(MonthTable<'m, R>, Manifest), OffloadError> {
        let manifest = self.sink.checked(&table).await?;
        Ok((table, manifest))
    }

    async fn read_file<R: MonthRow>(
        &self,
        (table, manifest): (MonthTable<'_, R>, Manifest),
    ) -> Result<u64, OffloadError> {
        self.sink.load(&table, &manifest).await
    }
}

/// So many tables of a month are written to files.
const TABLES: u64 = 4;

impl MySqlStore {
    /// The packets of a month that were led away, with what stands for their ids in tables.
    async fn offloaded(&self, month: Month) -> Result<BTreeMap<PacketId, u32>, StoreError> {
        let mut packets = BTreeMap::new();
        let mut after = 0;
        loop {
            let rows = self.all(PACKETS.bind(month.number).bind(after)).await?;
            for row in &rows {
                let id: Uuid = row.value("data_packet", "id")?;
                after = row.value("offloaded_packets", "packet_number")?;
                packets.insert(id.into(), after);
            }
            if rows.is_empty() {
                return Ok(packets);
            }
        }
    }
}
