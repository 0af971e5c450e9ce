//! Months of campaigns that are over.

use chrono::NaiveDate;
use reminderly_core::ports::store::StoreError;

use super::dropping::Ending;
use super::leaving::{AtStep, Begin, GoOn, GoesOn, LeadAway, LeadBack, LedAway, Month, Step};
use super::manifest::Manifest;
use super::month_rows::{DataRow, DispositionRow, MessageRow, MonthRow, TransitionRow};
use super::month_tables::MonthTable;
use super::packets::MonthPackets;
use super::{EARLIEST, Offload, OffloadError, Offloaded, is_of_files};
use crate::history;
use crate::table_set::TableSet;

/// So many tables of a month are written to files: what waits has none.
const TABLES: u64 = 4;

/// The manifests of the files of a month.
struct Manifests {
    data: Manifest,
    messages: Manifest,
    transitions: Manifest,
    dispositions: Manifest,
}

impl Offload {
    /// Takes old months of campaigns out of the database: rows and messages of the packets that had ended by then, with all that was reported of
    /// them. The packets stay, marked as [offloaded](reminderly_core::domain::packet::Packet::offloaded_at), and so does what is
    /// counted of them; their messages are not found any more, by reports and replies that come now neither.
    ///
    /// What was begun goes on first, and nothing else is begun while files cannot be written. A month stays while a packet of it goes on again, or an appointment of
    /// it lies ahead.
    ///
    /// # Errors
    ///
    /// The first [`OffloadError`]. What could be taken out was, and a month whose files could not be written is where it was; the next call
    /// tries the rest again.
    pub async fn offload_months(&self) -> Result<Offloaded, OffloadError> {
        let (mut offloaded, mut outcome, mut begins) = (Offloaded::default(), Ok(()), true);
        for step in [Step::Returning, Step::Loading, Step::Dropping, Step::Forgetting, Step::Leaving] {
            let mut after = 0;
            while let Some(month) = self.month(step, (EARLIEST, NaiveDate::MAX), after).await? {
                after = month.number;
                let done = match step {
                    Step::Returning | Step::Loading => self.reload(month, &mut Offloaded::default()).await,
                    _ => self.offload_month(month, &mut offloaded).await,
                };
                begins &= !is_of_files(&done);
                outcome = outcome.and(done);
            }
        }
        // Nothing else is begun while files cannot be written, or not be read.
        if begins {
            outcome = outcome.and(self.begin_months(&mut offloaded).await);
        }
        outcome.map(|()| offloaded)
    }

    /// Brings a month of all campaigns back: the one that has this day. Its packets show their messages again; what was forgotten of them elsewhere
    /// stays so, so late reports and replies do not find them. They are old still: the next [`offload_months`](Self::offload_months)
    /// takes them out again, into files of their own.
    ///
    /// # Errors
    ///
    /// [`OffloadError::Missing`] if there never was such a month, or its files are gone; [`OffloadError::Damaged`], before anything was
    /// written, or because its tables had other rows; [`OffloadError::File`], [`OffloadError::Store`]. The first one; other campaigns are brought back all the same.
    pub async fn reload_month(&self, day: NaiveDate) -> Result<Offloaded, OffloadError> {
        let (mut reloaded, mut outcome) = (Offloaded::default(), Ok(()));
        let (last, mut is_known) = (history::last_day(day), false);
        for step in Step::ALL {
            let mut after = 0;
            while let Some(month) = self.month(step, (last, last), after).await? {
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

    /// Begins with months that are there and old enough.
    async fn begin_months(&self, offloaded: &mut Offloaded) -> Result<(), OffloadError> {
        let last = self.first_month_kept().pred_opt().unwrap_or(EARLIEST);
        let (mut files, mut outcome, mut after) = (None, Ok(()), 0);
        while let Some(month) = self.month(Step::Closed, (EARLIEST, last), after).await? {
            after = month.number;
            if files.is_none() {
                self.sink.probe().await?;
                files = Some(self.sink.tables().await?);
            }
            let done = self.begin(month, files.as_deref().unwrap_or_default(), offloaded).await;
            let goes_on = !is_of_files(&done);
            outcome = outcome.and(done);
            if !goes_on {
                break;
            }
        }
        outcome
    }

    async fn month(
        &self,
        step: Step,
        ends: (NaiveDate, NaiveDate),
        after: u32,
    ) -> Result<Option<Month>, StoreError> {
        // Servers know no later day.
        let latest = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default();
        let ends = (ends.0, ends.1.min(latest));
        self.store.ask(AtStep { step, ends, after }).await
    }

    /// Begins with a month that is there, if nothing of it goes on.
    async fn begin(
        &self,
        month: Month,
        files: &[String],
        offloaded: &mut Offloaded,
    ) -> Result<(), OffloadError> {
        if self.store.ask(GoesOn(month)).await? {
            return Ok(());
        }
        let packets = self.store.packets_in(month).await?;
        if !self.store.remember_persons(month, &packets, self.clock.now()).await? {
            return Ok(());
        }
        // After a backup was loaded, the database may not know of all files.
        let of_month = files.iter().filter_map(|file| {
            let (table, number) = file.rsplit_once('.')?;
            month.set().names().any(|name| name == table).then(|| number.parse().ok())?
        });
        let above = of_month.max().unwrap_or_default();
        match self.store.transact(Begin { month, above, packets: packets.len() }).await? {
            Some(month) => self.offload_month(month, offloaded).await,
            None => Ok(()),
        }
    }

    async fn offload_month(&self, mut month: Month, offloaded: &mut Offloaded) -> Result<(), OffloadError> {
        loop {
            let to = match month.step {
                Step::Leaving => match self.write_month(month).await {
                    Ok(Some(rows)) => {
                        offloaded.rows += rows;
                        Step::Forgetting
                    }
                    Ok(None) => return self.reload(month, &mut Offloaded::default()).await,
                    Err(error) => {
                        // What cannot be written is shown again, unless the server is lost.
                        self.reload(month, &mut Offloaded::default()).await.ok();
                        return Err(error);
                    }
                },
                Step::Forgetting => {
                    let packets = self.store.packets_led_away(month).await?;
                    self.store.forget_month(month, &packets).await?;
                    Step::Dropping
                }
                Step::Dropping => {
                    // It may be another host that wrote them, long ago.
                    let packets = self.store.packets_led_away(month).await?;
                    if let Err(error) = self.manifests(month, &packets).await {
                        self.reload(month, &mut Offloaded::default()).await.ok();
                        return Err(error);
                    }
                    self.store.show_month(month.campaign, self.clock.now().date_naive()).await?;
                    let ended = self.store.end_month(month, Ending::Dropped).await?;
                    offloaded.tables += if ended.is_some() { TABLES } else { 0 };
                    return Ok(());
                }
                Step::Closed | Step::Gone | Step::Loading | Step::Returning => return Ok(()),
            };
            // Else somebody else did it, or brings it back.
            let Some(next) = self.store.transact(GoOn { month, to }).await? else { return Ok(()) };
            month = next;
        }
    }

    async fn reload(&self, mut month: Month, reloaded: &mut Offloaded) -> Result<(), OffloadError> {
        loop {
            let to = match month.step {
                Step::Closed => return Ok(()),
                // All of it is there still.
                Step::Leaving | Step::Forgetting => Step::Returning,
                Step::Dropping => {
                    let ended = self.store.end_month(month, Ending::TurnedBack).await?;
                    let Some(next) = ended else { return Ok(()) };
                    month = next;
                    continue;
                }
                Step::Gone => Step::Loading,
                Step::Loading => match self.load_month(month).await {
                    Ok(rows) => {
                        reloaded.rows += rows;
                        reloaded.tables += TABLES;
                        Step::Returning
                    }
                    Err(error) => {
                        // Nobody is to try that every hour.
                        self.store.transact(GoOn { month, to: Step::Gone }).await?;
                        return Err(error);
                    }
                },
                Step::Returning => {
                    while self.store.transact(LeadBack(month)).await? {}
                    Step::Closed
                }
            };
            let Some(next) = self.store.transact(GoOn { month, to }).await? else { return Ok(()) };
            month = next;
        }
    }

    /// Leads the packets of a month away, and writes its tables to files; how many rows they have, or `None` if a packet goes on again.
    async fn write_month(&self, month: Month) -> Result<Option<u64>, OffloadError> {
        self.store.make(TableSet::NOWHERE).await?;
        let at = self.clock.now();
        loop {
            match self.store.transact(LeadAway { month, at }).await? {
                LedAway::Some => {}
                LedAway::All => break,
                LedAway::GoesOn | LedAway::Overtaken => return Ok(None),
            }
        }
        let packets = self.store.packets_led_away(month).await?;
        let rows = self.write_table::<DataRow>(month, &packets).await?
            + self.write_table::<MessageRow>(month, &packets).await?
            + self.write_table::<TransitionRow>(month, &packets).await?
            + self.write_table::<DispositionRow>(month, &packets).await?;
        Ok(Some(rows))
    }

    async fn write_table<R: MonthRow>(
        &self,
        month: Month,
        packets: &MonthPackets,
    ) -> Result<u64, OffloadError> {
        self.sink.dump(&MonthTable::<R>::new(&self.store, month, packets)).await
    }

    /// The manifests of a month whose files are what they say.
    async fn manifests(&self, month: Month, packets: &MonthPackets) -> Result<Manifests, OffloadError> {
        let (sink, store) = (&self.sink, &self.store);
        Ok(Manifests {
            data: sink.checked(&MonthTable::<DataRow>::new(store, month, packets)).await?,
            messages: sink.checked(&MonthTable::<MessageRow>::new(store, month, packets)).await?,
            transitions: sink.checked(&MonthTable::<TransitionRow>::new(store, month, packets)).await?,
            dispositions: sink.checked(&MonthTable::<DispositionRow>::new(store, month, packets)).await?,
        })
    }

    /// Writes the rows of the files into tables, which have no others then; how many.
    async fn load_month(&self, month: Month) -> Result<u64, OffloadError> {
        self.store.make(month.set()).await?;
        let packets = self.store.packets_led_away(month).await?;
        let manifests = self.manifests(month, &packets).await?;
        Ok(self.load_table::<DataRow>(month, &packets, &manifests.data).await?
            + self.load_table::<MessageRow>(month, &packets, &manifests.messages).await?
            + self.load_table::<TransitionRow>(month, &packets, &manifests.transitions).await?
            + self.load_table::<DispositionRow>(month, &packets, &manifests.dispositions).await?)
    }

    async fn load_table<R: MonthRow>(
        &self,
        month: Month,
        packets: &MonthPackets,
        manifest: &Manifest,
    ) -> Result<u64, OffloadError> {
        self.sink.load_all(&MonthTable::<R>::new(&self.store, month, packets), manifest).await
    }
}
