//! Planned rows and their messages.

use super::appointments::{hold, is_as_expected, is_being_mapped};
use super::packets::count;
use super::records::Records;
use crate::domain::message::{PlanVerdict, PlannedMessage};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{PlanBatch, PlanOutcome, StoreError};

/// Stores planned rows: see [`MessageStore::plan`](crate::ports::store::MessageStore::plan).
///
/// # Errors
///
/// [`StoreError::Missing`].
pub fn plan(
    records: &mut Records,
    company: CompanyId,
    packet: PacketId,
    batch: PlanBatch,
) -> Result<PlanOutcome, StoreError> {
    let found = records.packet_mut(company, packet)?;
    if !is_being_mapped(&found.packet) || found.packet.mapped_through != batch.after {
        return Ok(PlanOutcome::Stale);
    }
    let planned = found.packet.clone();
    if !is_as_expected(records, &planned, &batch) {
        return Ok(PlanOutcome::Overtaken);
    }
    // What is superseded gives its natural keys up before the new messages ask for them.
    hold(records, &planned, &batch);
    let found = records.packet_mut(company, packet)?;
    found.packet.mapped_through = batch.through;
    found.caps = batch.caps;
    found.packet.rows.failed += count(batch.failed.len());
    found.reject(batch.failed);
    let mut duplicates = 0;
    let mut messages = batch.messages.into_iter().peekable();
    while let Some(first) = messages.next() {
        let row = first.message.origin.row();
        let mut next = Some(first);
        let mut goes = false;
        while let Some(planned) = next {
            let asked = planned.verdict;
            let stored = take_natural_key(records, company, planned);
            goes |= matches!(stored.verdict, PlanVerdict::Send { .. });
            // What the planner skipped as a duplicate found no key taken.
            let duplicate = PlanVerdict::Skip(SkipReason::Duplicate);
            duplicates += u64::from(stored.verdict == duplicate && asked != duplicate);
            records.insert_message(packet, stored);
            next = messages.next_if(|planned| planned.message.origin.row() == row);
        }
        let rows = &mut records.packet_mut(company, packet)?.packet.rows;
        *(if goes { &mut rows.planned } else { &mut rows.skipped }) += 1;
    }
    Ok(PlanOutcome::Stored { duplicates })
}

/// Takes the natural key of a planned message, or makes it a skipped duplicate; one whose appointment the person has released
/// is not sent at all.
fn take_natural_key(
    records: &mut Records,
    company: CompanyId,
    mut planned: PlannedMessage,
) -> PlannedMessage {
    let PlanVerdict::Send { at, .. } = planned.verdict else { return planned };
    let Some(company) = records.companies.get_mut(&company) else { return planned };
    if company.has_answered(&planned.message) {
        planned.verdict = PlanVerdict::Skip(SkipReason::Answered);
        return planned;
    }
    if let Some(key) = planned.message.natural_key(at) {
        let holder = company.natural_keys.get_or_insert(key, planned.message.id);
        if holder != planned.message.id {
            planned.verdict = PlanVerdict::Skip(SkipReason::Duplicate);
        }
    }
    planned
}
