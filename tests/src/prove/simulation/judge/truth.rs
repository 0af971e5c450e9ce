//! What our tables say is what the provider knows and has reported.

use std::collections::BTreeSet;

use futures::executor::block_on;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};
use reminderly_core::ids::{AttemptId, MessageId};

use super::Evidence;

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    // A backup does not know what went after it.
    if evidence.trial.schedule.is_restored() || evidence.trial.ended_at.is_none() {
        return;
    }
    let accepted: BTreeSet<MessageId> =
        evidence.accepted.iter().map(|accepted| accepted.request.message).collect();
    let attempts: BTreeSet<AttemptId> =
        evidence.accepted.iter().map(|accepted| accepted.request.attempt).collect();
    for (id, (position, record)) in &evidence.records {
        let status = record.state.status;
        let went =
            matches!(status, MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Undelivered);
        let known = accepted.contains(id);
        if went != known && status != MessageStatus::Unknown {
            let history = evidence.history(*position, record);
            wrong.push(format!("truth: message {id} is {status} although accepted is {known}: {history}"));
            continue;
        }
        if record.state.redialled || !went {
            continue;
        }
        let company = evidence.trial.deployment.campaigns[*position].company;
        let store = &evidence.trial.deployment.world.ports.store;
        let made = block_on(store.attempts(company, record.message.packet, *id)).expect("listed");
        let Some(latest) = made.last().filter(|latest| attempts.contains(&latest.id)) else { continue };
        let gateway = &evidence.trial.gateway;
        let reports = gateway.reports.get(&latest.id).cloned().unwrap_or_default();
        let in_doubt = gateway.in_doubt.get(&latest.id).cloned().unwrap_or_default();
        // Any of those in doubt may have come.
        let possible = in_doubt.iter().map(|more| joined(reports.iter().chain([more])));
        if joined(&reports) != status && !possible.into_iter().any(|expected| expected == status) {
            let history = evidence.history(*position, record);
            wrong.push(format!(
                "truth: message {id} is {status}, but its provider reported {reports:?}: {history}"
            ));
        }
    }
}

/// What a message is of which this was reported.
fn joined<'a>(reports: impl IntoIterator<Item = &'a AttemptReport>) -> MessageStatus {
    let joined = reports.into_iter().cloned().reduce(AttemptReport::join);
    match joined.as_ref().map(AttemptReport::event) {
        Some(MessageEvent::Delivered) => MessageStatus::Delivered,
        Some(MessageEvent::Undelivered) => MessageStatus::Undelivered,
        _ => MessageStatus::Sent,
    }
}
