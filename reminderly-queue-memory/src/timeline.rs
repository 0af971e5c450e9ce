//! What is hidden now and becomes visible later.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

/// One body on its way through queues.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) body: String,
    pub(crate) receives: u32,
    /// Set while the item is a dead letter. Boxed because few items are.
    pub(crate) origin: Option<Box<Origin>>,
}

/// Where a dead letter came from, and why it is one.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) queue: reminderly_core::ports::queue::QueueName,
    pub(crate) reason: String,
}

#[derive(Debug)]
enum Hidden {
    /// Sent with a delay.
    Delayed(Item),
    /// Received at the instant, and not settled.
    Leased(Item, DateTime<Utc>),
    /// Released with a delay: no longer anybody's, but still in flight, as on SQS.
    Resting(Item),
}

/// Hidden items in the order of becoming visible; equal instants in the order of hiding.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    hidden: BTreeMap<(DateTime<Utc>, u64), Hidden>,
    /// When each lease ends, by its number. Ended leases are not in it.
    leases: BTreeMap<u64, DateTime<Utc>>,
    last_number: u64,
    delayed: u64,
}

impl Timeline {
    pub(crate) fn delay(&mut self, item: Item, until: DateTime<Utc>) {
        self.delayed += 1;
        let number = self.next_number();
        self.hidden.insert((until, number), Hidden::Delayed(item));
    }

    pub(crate) fn rest(&mut self, item: Item, until: DateTime<Utc>) {
        let number = self.next_number();
        self.hidden.insert((until, number), Hidden::Resting(item));
    }

    /// Hides a received item; answers the number of the lease.
    pub(crate) fn lease(&mut self, item: Item, received_at: DateTime<Utc>, until: DateTime<Utc>) -> u64 {
        let number = self.next_number();
        self.leases.insert(number, until);
        self.hidden.insert((until, number), Hidden::Leased(item, received_at));
        number
    }

    /// Ends a lease and takes its item and the instant of its receipt; `None` if the lease ended before.
    pub(crate) fn end_lease(&mut self, number: u64) -> Option<(Item, DateTime<Utc>)> {
        let until = self.leases.remove(&number)?;
        match self.hidden.remove(&(until, number))? {
            Hidden::Leased(item, received_at) => Some((item, received_at)),
            Hidden::Delayed(item) | Hidden::Resting(item) => Some((item, until)),
        }
    }

    /// Moves the end of a lease to `until(received_at)`; answers whether there was such a lease.
    pub(crate) fn move_lease(
        &mut self,
        number: u64,
        until: impl FnOnce(DateTime<Utc>) -> DateTime<Utc>,
    ) -> bool {
        let Some((item, received_at)) = self.end_lease(number) else { return false };
        let until = until(received_at);
        self.leases.insert(number, until);
        self.hidden.insert((until, number), Hidden::Leased(item, received_at));
        true
    }

    /// Appends what is visible at `now` to `ready`.
    pub(crate) fn surface(&mut self, now: DateTime<Utc>, ready: &mut VecDeque<Item>) {
        while let Some(entry) = self.hidden.first_entry()
            && entry.key().0 <= now
        {
            let ((_, number), hidden) = entry.remove_entry();
            ready.push_back(match hidden {
                Hidden::Delayed(item) => {
                    self.delayed -= 1;
                    item
                }
                Hidden::Leased(item, _) => {
                    self.leases.remove(&number);
                    item
                }
                Hidden::Resting(item) => item,
            });
        }
    }

    /// When the next item becomes visible.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.hidden.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many items wait for the delay of their send.
    pub(crate) const fn delayed(&self) -> u64 {
        self.delayed
    }

    /// How many items are leased, or rest after a release.
    pub(crate) fn in_flight(&self) -> u64 {
        u64::try_from(self.hidden.len()).unwrap_or(u64::MAX) - self.delayed
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}
