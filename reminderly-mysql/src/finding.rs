//! What a call is about where it names no messages: those that are found by where they stand.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message::MessageState;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::HandOver;
use reminderly_core::storage::{self, Askers, Due, Records, Slot};
use sqlx::mysql::MySqlRow;

use crate::apply::{Find, apply, part, restore};
use crate::reading::{Locks, Reader, Stored, column, slot};
use crate::reading_packet::{asks, messages};
use crate::reads::Reads as _;
use crate::statement::{Lock, Statement, statement};
use crate::tally::Tally;
use crate::transaction::{Tx, TxError};
use crate::values::{Values as _, count_of, one_more, undecodable};

const COPIED: Statement = statement(
    "SELECT CAST(COALESCE(SUM(count), 0) AS SIGNED) AS count FROM packet_counts WHERE packet_number = ? AND counter = ?",
);
/// The ends of the legal intervals of which something is due. They are found in the index without a look at the messages that have them.
const ENDS: Statement = statement(
    "SELECT closes_at FROM {set}_due WHERE packet_number = ? AND place = 'due' AND method = ? \
     GROUP BY packet_number, place, method, closes_at HAVING MIN(at) <= ? ORDER BY closes_at",
);
const DUE: Statement = statement(
    "SELECT at, slot FROM {set}_due WHERE packet_number = ? AND place = 'due' AND method = ? AND closes_at = ? AND at <= ? \
     ORDER BY at, slot LIMIT ?",
);
const ASKERS: Statement = statement(
    "SELECT ahead, at, slot FROM packet_asking WHERE packet_number = ? ORDER BY ahead, at, slot LIMIT ?",
);
const OF_PLACE: Statement = statement(
    "SELECT slot FROM {set}_due WHERE packet_number = ? AND place = ? AND slot > ? ORDER BY slot LIMIT ?",
);
/// A batch of copies: those that were made together.
const COPIES: Statement = statement(
    "SELECT until, part, slots FROM packet_copies \
     WHERE packet_number = ? AND until >= ? AND (until > ? OR part > ?) AND until <= ? ORDER BY until, part LIMIT 1",
);
const FORGET: Statement =
    statement("DELETE FROM packet_copies WHERE packet_number = ? AND until = ? AND part = ?");
const DUE_BEFORE: Statement = statement(
    "SELECT slot FROM {set}_due WHERE packet_number = ? AND place = 'due' AND at < ? AND slot > ? ORDER BY slot LIMIT ?",
);
const RUNGS: Statement = statement(
    "SELECT due.slot FROM {set}_due AS due JOIN {set}_messages AS messages \
     ON messages.packet_number = due.packet_number AND messages.slot = due.slot \
     WHERE due.packet_number = ? AND place = 'due' AND due.slot > ? AND below IS NOT NULL ORDER BY due.slot LIMIT ?",
);

/// So many messages are looked at together.
const PAGE: u64 = 500;

/// No local day is longer, whatever the clocks do.
const DAY_MOST: TimeDelta = TimeDelta::hours(48);

/// What is due, by the terms of a hand-over.
pub(crate) struct FindDue(pub(crate) HandOver);

#[async_trait]
impl Find for FindDue {
    type Found = Due;

    async fn find(&self, tx: &mut Tx<'_>, packet: Stored) -> Result<Due, TxError> {
        let Self(terms) = self;
        let mut slots = lost(tx, packet, terms).await?;
        let (mut due, mut held_back) = (BTreeSet::new(), false);
        for method in ContactMethod::ALL {
            let row = tx.one(COPIED.bind(packet.number).bind(Tally::Copied(method).name())).await?;
            let copied = row.map_or(Ok(0), |row| row.value::<i64>("packet_counts", "count"))?;
            let free = terms.max_copies.of(method).saturating_sub(usize::try_from(copied).unwrap_or(0));
            let found =
                due_by(tx, packet, method, terms.now, free.min(terms.limit).saturating_add(1)).await?;
            held_back |= found.len() > free;
            due.extend(found.into_iter().take(free));
        }
        slots.extend(due.into_iter().map(|(.., slot)| slot));
        slots.truncate(terms.limit);
        Ok(Due { slots, held_back })
    }
}

/// Messages whose copy is presumed lost, the longest lost first: at least as many as are asked for, if there are.
async fn lost(tx: &mut Tx<'_>, packet: Stored, terms: &HandOver) -> Result<Vec<Slot>, TxError> {
    let mut slots = Vec::new();
    let mut batches = Candidates::copied(terms.now);
    while slots.len() < terms.limit
        && let Some(batch) = batches.next(tx, packet).await?
    {
        let found = messages(tx, packet, &batch, Lock::Not).await?;
        let is_lost = |slot: &Slot| {
            let state = found.get(slot).map(|written| &written.message.record.state);
            state.is_some_and(|state| has_copy(state) && state.copy_until <= Some(terms.now))
        };
        let known = slots.len();
        slots.extend(batch.into_iter().filter(is_lost));
        if let (Candidates::Copied { after: (until, part), .. }, true) = (&batches, slots.len() == known) {
            // None of them has a copy any more: the row counted too many.
            tx.write(FORGET.bind(packet.number).bind(*until).bind(*part)).await?;
        }
    }
    Ok(slots)
}

fn has_copy(state: &MessageState) -> bool {
    let waits = matches!(state.status, MessageStatus::Planned | MessageStatus::Queued);
    waits && state.copy_until.is_some() && !state.waits_with_household()
}

/// Up to `limit` messages of a method that are due, those whose legal interval ends first before the others.
async fn due_by(
    tx: &mut Tx<'_>,
    packet: Stored,
    method: ContactMethod,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>, Slot)>, TxError> {
    let mut due = Vec::new();
    for row in tx.all(ENDS.on(packet.set).bind(packet.number).bind(method.as_str()).bind(now)).await? {
        let closes_at: DateTime<Utc> = row.value("due", "closes_at")?;
        let select = DUE.on(packet.set).bind(packet.number).bind(method.as_str()).bind(closes_at).bind(now);
        for row in tx.all(select.bind(count_of(limit - due.len()))).await? {
            due.push((closes_at, row.value("due", "at")?, slot(&row, "due")?));
        }
        if due.len() >= limit {
            break;
        }
    }
    Ok(due)
}

/// Which of the messages that ask for slots are to ask now.
pub(crate) struct FindAskers {
    pub(crate) limit: usize,
}

/// None ask where there is no packet.
#[derive(Clone)]
pub(crate) struct FoundAskers(pub(crate) Askers);

impl Default for FoundAskers {
    fn default() -> Self {
        Self(Askers { first: Vec::new(), is_more: false })
    }
}

#[async_trait]
impl Find for FindAskers {
    type Found = FoundAskers;

    async fn find(&self, tx: &mut Tx<'_>, packet: Stored) -> Result<FoundAskers, TxError> {
        let limit = self.limit.max(1);
        let rows = tx.all(ASKERS.bind(packet.number).bind(one_more(limit))).await?;
        let first = rows.iter().take(limit).map(asks).collect::<Result<_, _>>()?;
        Ok(FoundAskers(Askers { first, is_more: rows.len() > limit }))
    }
}

/// Up to `limit` messages of a packet that wait, by a rule that says which.
pub(crate) struct FindWaiting {
    pub(crate) company: CompanyId,
    pub(crate) packet: PacketId,
    pub(crate) limit: usize,
    pub(crate) which: Waiting,
}

/// Which messages that wait.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waiting {
    /// All.
    All,
    /// Those that were to go before the last restore, or may have jumped before it.
    BeforeRestore,
    /// Those that one for their household may stand for, of days that had begun before the last restore.
    OfDaysBeforeRestore,
}

#[async_trait]
impl Find for FindWaiting {
    type Found = Vec<Slot>;

    async fn find(&self, tx: &mut Tx<'_>, packet: Stored) -> Result<Vec<Slot>, TxError> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for mut candidates in self.which.candidates(restore(tx, Lock::Not).await?.gone_until()) {
            while let Some(slots) = candidates.next(tx, packet).await? {
                let mut reader = Reader::new(self.company, Locks::NONE);
                let mut part = part(tx, self.company, Lock::Not).await?;
                let rule = |records: &mut Records| self.which.of(records, self.packet, &slots);
                let (waiting, _) = apply(tx, &mut reader, &mut part, rule).await?;
                found.extend(waiting.into_iter().filter(|slot| seen.insert(*slot)));
                if found.len() >= self.limit {
                    found.truncate(self.limit);
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

impl Waiting {
    /// Those of the messages at these positions.
    fn of(self, records: &Records, packet: PacketId, slots: &[Slot]) -> Vec<Slot> {
        match self {
            Self::All => storage::waiting(records, packet, slots),
            Self::BeforeRestore => storage::before_restore(records, packet, slots),
            Self::OfDaysBeforeRestore => storage::of_days_before_restore(records, packet, slots),
        }
    }

    /// Among which messages they are; `gone_until` is that of the last restore.
    fn candidates(self, gone_until: Option<DateTime<Utc>>) -> Vec<Candidates> {
        let of_place = |place| Candidates::OfPlace { place, after: BEFORE_ALL };
        let copied = Candidates::copied(DateTime::<Utc>::MAX_UTC);
        let before = |instant| Candidates::DueBefore { instant, after: BEFORE_ALL };
        match (self, gone_until) {
            (Self::All, _) => vec![of_place("due"), copied, of_place("parked")],
            (Self::BeforeRestore, Some(gone_until)) => {
                // Last, because all that wait are looked at: a rung that goes later may have jumped.
                let rungs = Candidates::Rungs { after: BEFORE_ALL };
                vec![before(gone_until), copied, of_place("parked"), rungs]
            }
            (Self::OfDaysBeforeRestore, Some(gone_until)) => vec![before(gone_until + DAY_MOST)],
            (Self::BeforeRestore | Self::OfDaysBeforeRestore, None) => Vec::new(),
        }
    }
}

/// The position before the first one.
const BEFORE_ALL: i64 = -1;

/// Messages that wait, page by page.
enum Candidates {
    OfPlace {
        place: &'static str,
        after: i64,
    },
    DueBefore {
        instant: DateTime<Utc>,
        after: i64,
    },
    Rungs {
        after: i64,
    },
    /// Some of them do not wait any more.
    Copied {
        after: (DateTime<Utc>, u32),
        until: DateTime<Utc>,
    },
}

impl Candidates {
    /// Those with a copy that is presumed lost by then.
    const fn copied(until: DateTime<Utc>) -> Self {
        Self::Copied { after: (DateTime::UNIX_EPOCH, 0), until }
    }

    /// The next page; `None` after the last.
    async fn next(&mut self, tx: &mut Tx<'_>, packet: Stored) -> Result<Option<Vec<Slot>>, TxError> {
        let (select, after) = match self {
            Self::Copied { after, until } => {
                let (instant, part) = *after;
                let select = COPIES.bind(packet.number).bind(instant).bind(instant).bind(part).bind(*until);
                let Some(row) = tx.one(select).await? else { return Ok(None) };
                *after = (row.value("packet_copies", "until")?, row.value("packet_copies", "part")?);
                return Ok(Some(batch(&row, "packet_copies")?));
            }
            Self::OfPlace { place, after } => {
                (OF_PLACE.on(packet.set).bind(packet.number).bind(*place), after)
            }
            Self::DueBefore { instant, after } => {
                (DUE_BEFORE.on(packet.set).bind(packet.number).bind(*instant), after)
            }
            Self::Rungs { after } => (RUNGS.on(packet.set).bind(packet.number), after),
        };
        let rows = tx.all(select.bind(*after).bind(PAGE)).await?;
        let slots = rows.iter().map(|row| slot(row, "due")).collect::<Result<Vec<_>, _>>()?;
        *after = slots.last().map_or(*after, |last| column(*last).into());
        Ok((!slots.is_empty()).then_some(slots))
    }
}

/// The positions of messages that were handed over, or claimed, together, in their order.
pub(crate) fn batch(row: &MySqlRow, table: &'static str) -> Result<Vec<Slot>, TxError> {
    let text: String = row.value(table, "slots")?;
    let mut slots: Vec<Slot> = text
        .split(',')
        .map(|slot| slot.parse().map_err(|_| undecodable(row, table, "slots")))
        .collect::<Result<_, _>>()?;
    slots.sort_unstable();
    slots.dedup();
    Ok(slots)
}
