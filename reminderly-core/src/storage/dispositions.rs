//! What was reported of attempts.

use chrono::{DateTime, Utc};

use super::evidence::{Evidence, follow};
use super::records::Records;
use super::slots::take_noticed_day;
use crate::batch::Outcomes;
use crate::domain::attempt::{Attempt, AttemptOutcome};
use crate::domain::message_status::MessageEvent;
use crate::ids::CompanyId;
use crate::ports::store::{DispositionOutcome, LocatedDisposition};

/// Stores dispositions and what follows from them: see
/// [`DispositionStore::record_dispositions`](crate::ports::store::DispositionStore::record_dispositions).
pub fn record_dispositions(
    records: &mut Records,
    company: CompanyId,
    dispositions: &[LocatedDisposition],
    at: DateTime<Utc>,
) -> Outcomes<DispositionOutcome> {
    dispositions.iter().map(|located| record(records, company, located, at)).collect()
}

fn record(
    records: &mut Records,
    company: CompanyId,
    located: &LocatedDisposition,
    at: DateTime<Utc>,
) -> DispositionOutcome {
    let disposition = &located.disposition;
    let Ok(packet) = records.packet_mut(company, located.packet) else { return DispositionOutcome::Missing };
    let Some(slot) = packet.slot(located.message) else { return DispositionOutcome::Missing };
    let Some(message) = packet.get(slot) else { return DispositionOutcome::Missing };
    let status = message.record.state.status;
    let latest = message.attempts.last().map(|attempt| attempt.id);
    let is_of =
        |attempt: &Attempt| attempt.id == disposition.attempt && attempt.provider == disposition.provider;
    // The attempt's name of the provider is the same, and kept already.
    let Some(provider) = message.attempts.iter().find(|attempt| is_of(attempt)).map(|of| of.provider.clone())
    else {
        return DispositionOutcome::Missing;
    };
    if !packet.see(slot, &provider, &disposition.event) {
        return DispositionOutcome::Duplicate(status);
    }
    let Some(message) = packet.get_mut(slot) else { return DispositionOutcome::Missing };
    let Some(attempt) = message.attempts.iter_mut().find(|attempt| is_of(attempt)) else {
        return DispositionOutcome::Missing;
    };
    let earlier = attempt.report.take();
    let report = match earlier.clone() {
        Some(earlier) => earlier.join(disposition.report.clone()),
        None => disposition.report.clone(),
    };
    let is_more = earlier.as_ref() != Some(&report);
    attempt.report = Some(report.clone());
    let redialled = attempt.outcome == Some(AttemptOutcome::Redialled);
    if !redialled && attempt.outcome.replace(AttemptOutcome::Accepted) != Some(AttemptOutcome::Accepted) {
        attempt.settled_at = Some(at);
    }
    if attempt.reference.is_none() {
        attempt.reference.clone_from(&disposition.reference);
    }
    // While a newer attempt is in work, it decides. Otherwise the proof counts, or the message would go out once more.
    let is_latest = latest == Some(disposition.attempt);
    let idle = status.heeds_earlier_attempts();
    let moves = match (redialled, is_latest) {
        (false, true) => true,
        (false, false) => idle,
        // The next call was permitted because of a report: only more than that stops it, and later only an answer.
        (true, true) => is_more,
        (true, false) => idle && report.event() == MessageEvent::Delivered,
    };
    if redialled && report.is_contact() {
        take_noticed_day(records, located.packet, slot, disposition.attempt);
    }
    if !moves {
        return DispositionOutcome::Recorded(status);
    }
    let evidence = Evidence {
        attempt: disposition.attempt,
        report: Some(report),
        redialled,
        accepted_at: disposition.at,
    };
    let status = follow(records, located.packet, slot, &evidence, at);
    status.map_or(DispositionOutcome::Missing, DispositionOutcome::Recorded)
}
