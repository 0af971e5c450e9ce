use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use super::data::Data;
use super::evidence::{Evidence, follow};
use super::slots::take_noticed_day;
use crate::batch::Outcomes;
use crate::domain::attempt::{AttemptLocation, AttemptOutcome};
use crate::domain::message_status::MessageEvent;
use crate::ids::{AttemptId, CompanyId};
use crate::ports::store::{DispositionOutcome, DispositionStore, LocatedDisposition, StoreError};

#[async_trait]
impl DispositionStore for MemoryStore {
    async fn locate_attempts_across_companies(
        &self,
        attempts: &[AttemptId],
    ) -> Result<Vec<Option<AttemptLocation>>, StoreError> {
        Ok(self.transact(|data| attempts.iter().map(|id| data.attempts.get(id).copied()).collect()).await)
    }

    async fn record_dispositions(
        &self,
        company: CompanyId,
        dispositions: &[LocatedDisposition],
        at: DateTime<Utc>,
    ) -> Result<Outcomes<DispositionOutcome>, StoreError> {
        Ok(self
            .transact(|data| dispositions.iter().map(|located| record(data, company, located, at)).collect())
            .await)
    }
}

fn record(
    data: &mut Data,
    company: CompanyId,
    located: &LocatedDisposition,
    at: DateTime<Utc>,
) -> DispositionOutcome {
    let disposition = &located.disposition;
    let Ok(packet) = data.packet_mut(company, located.packet) else { return DispositionOutcome::Missing };
    let Some(slot) = packet.slot(located.message) else { return DispositionOutcome::Missing };
    let Some(message) = packet.get_mut(slot) else { return DispositionOutcome::Missing };
    let status = message.record.state.status;
    let latest = message.attempts.last().map(|attempt| attempt.id);
    let Some(attempt) = message.attempts.iter_mut().find(|attempt| attempt.id == disposition.attempt) else {
        return DispositionOutcome::Missing;
    };
    if attempt.provider != disposition.provider {
        return DispositionOutcome::Missing;
    }
    // The attempt's name is the same, and kept already.
    if !message.disposition_events.insert(&attempt.provider, &disposition.event) {
        return DispositionOutcome::Duplicate(status);
    }
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
        take_noticed_day(data, located.packet, slot, disposition.attempt);
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
    let status = follow(data, located.packet, slot, &evidence, at);
    status.map_or(DispositionOutcome::Missing, DispositionOutcome::Recorded)
}
