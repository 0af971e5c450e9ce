//! Evidence that attempts were accepted, and what it makes of their messages.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::packet_data::Slot;
use super::records::{Change, Records};
use crate::domain::attempt::{Attempt, AttemptOutcome};
use crate::domain::disposition::AttemptReport;
use crate::domain::message::MessageState;
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::ids::{AttemptId, PacketId};

/// What is known of an accepted attempt.
pub(crate) struct Evidence {
    pub(crate) attempt: AttemptId,
    /// The joined report, if there is one.
    pub(crate) report: Option<AttemptReport>,
    /// Another call was permitted because of a report: that this one was accepted is no news.
    pub(crate) redialled: bool,
    pub(crate) accepted_at: DateTime<Utc>,
}

/// Moves the message to where the evidence says: first to sent, unless that is old news, then on. What the table does not allow
/// has happened already. The status then.
pub(crate) fn follow(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    evidence: &Evidence,
    at: DateTime<Utc>,
) -> Option<MessageStatus> {
    let before = records.packets.get(&packet)?.record(slot)?.state.status;
    let mut sent = |state: &mut MessageState| {
        state.copy_until = None;
        state.held = false;
        state.detail = None;
        state.sent_at = state.sent_at.or(Some(evidence.accepted_at));
    };
    let reason: Cow<'static, str> = match &evidence.report {
        Some(report) => Cow::Owned(format!("report {report}")),
        None => Cow::Borrowed("an earlier attempt was accepted"),
    };
    let found = (!evidence.redialled).then_some(MessageEvent::Found);
    for event in found.into_iter().chain(evidence.report.as_ref().map(AttemptReport::event)) {
        let change = Change { event, at, reason: reason.clone(), state: &mut sent };
        records.transit(packet, slot, change).ok();
    }
    let message = records.packets.get_mut(&packet)?.get_mut(slot)?;
    let now = message.record.state.status;
    if evidence.redialled && now != before {
        // The next call is withdrawn: this one says what became of the message again, and another rule may hold for it.
        let attempt = message.attempts.iter_mut().find(|attempt| attempt.id == evidence.attempt);
        if let Some(attempt) = attempt {
            attempt.outcome = Some(AttemptOutcome::Accepted);
            attempt.settled_at = Some(at);
        }
    }
    Some(now)
}

/// Moves the message to where the best evidence about an attempt before the latest says. The status then; `None` if there is no
/// such evidence.
pub(crate) fn follow_earlier(
    records: &mut Records,
    packet: PacketId,
    slot: Slot,
    at: DateTime<Utc>,
) -> Option<MessageStatus> {
    let message = records.packets.get(&packet)?.get(slot)?;
    let latest = message.record.state.epoch;
    let earlier = message.attempts.iter().filter(|attempt| attempt.epoch < latest && counts(attempt));
    let proof = earlier.max_by(|one, other| one.report.cmp(&other.report))?;
    let evidence = Evidence {
        attempt: proof.id,
        report: proof.report.clone(),
        redialled: proof.outcome == Some(AttemptOutcome::Redialled),
        accepted_at: proof.settled_at.unwrap_or(at),
    };
    follow(records, packet, slot, &evidence, at)
}

/// Whether an earlier attempt makes another one needless: it was accepted, and if that is why another call was permitted, it has
/// reached somebody after all.
fn counts(attempt: &Attempt) -> bool {
    match attempt.outcome {
        Some(AttemptOutcome::Accepted) => true,
        Some(AttemptOutcome::Redialled) => {
            attempt.report.as_ref().is_some_and(|report| report.event() == MessageEvent::Delivered)
        }
        _ => false,
    }
}
