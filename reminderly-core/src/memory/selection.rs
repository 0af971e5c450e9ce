//! What a call is about: messages that are found by where they stand.

use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};

use crate::batch::Page;
use crate::domain::contact_method::ContactMethod;
use crate::domain::household::{Candidate, HOUSEHOLD_MAX, HouseholdKey};
use crate::domain::restore::Restore;
use crate::ports::store::HandOver;
use crate::storage::{Askers, Companions, Due, PacketData, PacketIndex, Slot};

/// No local day is longer, whatever the clocks do.
const DAY_MOST: TimeDelta = TimeDelta::hours(48);

impl PacketData {
    fn index(&self) -> impl Iterator<Item = &PacketIndex> {
        self.index.iter().map(Box::as_ref)
    }

    /// What is due, by the terms of a hand-over.
    pub(super) fn due(&mut self, terms: &HandOver) -> Due {
        let Some(index) = &mut self.index else { return Due::default() };
        index.ripen(self.messages.rows(), terms.now);
        let (mut due, mut held_back) = (Vec::new(), false);
        for method in ContactMethod::ALL {
            let free = terms.max_copies.of(method).saturating_sub(index.copy_count(method));
            due.extend(index.due(terms.now, method).take(free.min(terms.limit)));
            held_back |= free <= terms.limit && index.due(terms.now, method).nth(free).is_some();
        }
        due.sort();
        let due = due.into_iter().map(|(.., slot)| slot);
        Due { slots: index.lost(terms.now).chain(due).take(terms.limit).collect(), held_back }
    }

    /// Which of the messages that ask for slots are to ask now.
    pub(super) fn askers(&self, limit: usize) -> Askers {
        let mut asks = self.asking.rows().keys().copied();
        Askers { first: asks.by_ref().take(limit.max(1)).collect(), is_more: asks.next().is_some() }
    }

    /// Up to `limit` planned and queued messages, those that wait for another one after that.
    pub(super) fn waiting(&self, limit: usize) -> Vec<Slot> {
        let others = self.index().flat_map(|index| index.due.iter().chain(&index.copies));
        self.ripe().chain(others.map(|(_, slot)| *slot)).chain(self.parked()).take(limit).collect()
    }

    /// Planned messages that wait for their household's message, unless that one is in flight.
    fn parked(&self) -> impl Iterator<Item = Slot> {
        let parked = self.index().flat_map(|index| &index.parked).copied();
        parked.filter(|slot| !self.flies_with_household(*slot))
    }

    /// Up to `limit` planned and queued messages that were to go before the restore, or may have jumped before it.
    pub(super) fn before(&self, restore: &Restore, limit: usize) -> Vec<Slot> {
        let Some(gone_until) = restore.gone_until() else { return Vec::new() };
        let is_old = |slot: &Slot| self.is_before(*slot, restore);
        let copied = self.index().flat_map(|index| &index.copies).map(|(_, slot)| *slot);
        // Last, because all that waits is looked at: what ends leaves the index, so a later call does not see it again.
        let later = self.index().flat_map(|index| index.due.range((gone_until, 0)..)).map(|(_, slot)| *slot);
        let first = self.due_before(gone_until).chain(self.ripe()).chain(copied).chain(self.parked());
        first.chain(later).filter(is_old).take(limit).collect()
    }

    fn due_before(&self, instant: DateTime<Utc>) -> impl Iterator<Item = Slot> {
        self.index().flat_map(move |index| index.due.range(..(instant, 0))).map(|(_, slot)| *slot)
    }

    fn ripe(&self) -> impl Iterator<Item = Slot> {
        self.index().flat_map(|index| &index.ripe).map(|(_, (.., slot))| *slot)
    }

    /// A page of the messages that one for their household may stand for. They are sorted once, when the first page is asked for.
    pub(super) fn candidates(
        &mut self,
        after: Option<HouseholdKey>,
        limit: usize,
    ) -> Page<Vec<Candidate>, HouseholdKey> {
        let kept = self.index.as_mut().and_then(|index| index.companions.take());
        let companions = kept.filter(|_| after.is_some()).unwrap_or_else(|| self.sorted_companions());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = companions.range((start, Bound::Unbounded)).filter_map(|(key, slots)| {
            let mut members: Vec<Candidate> =
                slots.iter().filter_map(|slot| self.candidate(key, *slot)).collect();
            members.sort_by_key(|member| member.record.message.appointment.map(|appointment| appointment.at));
            (2..=HOUSEHOLD_MAX).contains(&members.len()).then(|| (key.clone(), members))
        });
        let (keys, items): (Vec<_>, Vec<_>) = found.by_ref().take(limit).unzip();
        let next = found.next().and(keys.into_iter().last());
        drop(found);
        if let Some(index) = self.index.as_mut().filter(|_| next.is_some()) {
            index.companions = Some(companions);
        }
        Page { items, next }
    }

    fn sorted_companions(&self) -> Companions {
        let mut companions = Companions::new();
        for (slot, message) in self.messages.rows().iter() {
            if let Some(key) = HouseholdKey::of(&message.record) {
                companions.entry(key).or_default().push(slot);
            }
        }
        companions
    }

    fn candidate(&self, key: &HouseholdKey, slot: Slot) -> Option<Candidate> {
        let record = self.record(slot).filter(|record| HouseholdKey::of(record).as_ref() == Some(key))?;
        let row = self.rows.get(&record.message.origin.row()?)?;
        Some(Candidate { record: record.clone(), row: row.clone() })
    }

    /// Up to `limit` messages that one for their household may stand for, of days that had begun before the restore.
    pub(super) fn of_days_before(&self, restore: &Restore, limit: usize) -> Vec<Slot> {
        let Some(gone_until) = restore.gone_until() else { return Vec::new() };
        let is_of_day = |slot: &Slot| self.is_of_day_before(*slot, restore);
        self.due_before(gone_until + DAY_MOST).chain(self.ripe()).filter(is_of_day).take(limit).collect()
    }
}
