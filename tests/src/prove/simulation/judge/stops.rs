//! P4: nothing later than a second after it was acknowledged that it is not wanted any more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::packet::PacketOrigin;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::unsubscribe::RefusalKey;
use reminderly_core::ids::{MessageId, PacketId};

use super::super::documents::{Said, file_name};
use super::super::schedule::Deed;
use super::super::witness::Planned;
use super::{Accepted, Evidence, ONE_SECOND};

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    for accepted in &evidence.accepted {
        for found in
            [refused(evidence, accepted), not_active(evidence, accepted), cancelled(evidence, accepted)]
        {
            wrong.extend(found.map(|found| format!("P4: {found} ({:?})", accepted.said)));
        }
        let of = evidence.records.get(&accepted.request.message);
        let history = of.map(|(position, record)| evidence.history(*position, record)).unwrap_or_default();
        for said in &accepted.said {
            for found in [
                moved(evidence, accepted, said),
                vanished(evidence, accepted, said),
                answered(evidence, accepted, said),
            ] {
                wrong.extend(found.map(|found| format!("P4: {found} ({said:?}): {history}")));
            }
        }
    }
}

fn is_late(accepted: &Accepted, stop: DateTime<Utc>) -> bool {
    accepted.at > stop + ONE_SECOND
}

fn refused(evidence: &Evidence<'_>, accepted: &Accepted) -> Option<String> {
    let key = accepted.request.contact.refusal_key();
    let is_named = |person: &str| accepted.said.iter().any(|said| said.person == person);
    let concerned = |refused: &RefusalKey| {
        *refused == key || matches!(refused, RefusalKey::Person(of) if is_named(of.as_str()))
    };
    let mut refusals = evidence.seen.valid_at(accepted.at).refusals_at(accepted.at, evidence.clocks_apart());
    let refusal = refusals.find(|refusal| {
        refusal.company == accepted.request.company
            && concerned(&refusal.key)
            && is_late(accepted, refusal.at)
    })?;
    Some(format!("a request at {} although {} was refused at {}", accepted.at, key.kind(), refusal.at))
}

fn not_active(evidence: &Evidence<'_>, accepted: &Accepted) -> Option<String> {
    let campaign = evidence.campaign_id(evidence.campaign_of(accepted)?);
    let known = evidence.seen.valid_at(accepted.at).states.iter().filter(|(id, ..)| *id == campaign);
    let (_, state, at) = known.filter(|(.., at)| *at <= accepted.at).max_by_key(|(.., at)| *at)?;
    let stopped = *state != CampaignState::Active && is_late(accepted, *at);
    stopped.then(|| format!("a request at {} although the campaign is {state} since {at}", accepted.at))
}

fn cancelled(evidence: &Evidence<'_>, accepted: &Accepted) -> Option<String> {
    let packet = evidence.packet_of(accepted.request.message)?;
    let (_, at) = evidence
        .seen
        .valid_at(accepted.at)
        .cancelled
        .iter()
        .find(|(id, at)| *id == packet && is_late(accepted, *at))?;
    Some(format!("a request at {} although its packet was cancelled at {at}", accepted.at))
}

/// A time that the appointment has no more.
fn moved(evidence: &Evidence<'_>, accepted: &Accepted, said: &Said) -> Option<String> {
    let (local, campaign) = (said.at?, evidence.campaign_id(said.campaign));
    let of_row: Vec<_> = evidence
        .seen
        .planned
        .iter()
        .filter(|planned| planned.campaign == campaign && planned.key == said.key)
        .collect();
    let holds = of_row
        .iter()
        .filter(|planned| is_late(accepted, planned.at))
        .filter(|planned| speaks(evidence, accepted, planned))
        // Of those that were told at the same instant, the newer file speaks.
        .max_by_key(|planned| (planned.at, planned.packet))?;
    let is_just_now = |at| !is_late(accepted, at) && at <= accepted.at + ONE_SECOND;
    let fresh = of_row.iter().filter(|planned| is_just_now(planned.at));
    let is_true = holds.local == local || fresh.into_iter().any(|planned| planned.local == local);
    (!is_true).then(|| format!("a request at {} for {local}, which was moved at {}", accepted.at, holds.at))
}

/// Whether a packet is not cancelled: one that is speaks for nothing, and what was said before it counts again.
fn speaks(evidence: &Evidence<'_>, accepted: &Accepted, planned: &Planned) -> bool {
    let cancelled = &evidence.seen.valid_at(accepted.at).cancelled;
    !cancelled.iter().any(|(packet, at)| *packet == planned.packet && *at <= accepted.at)
}

fn vanished(evidence: &Evidence<'_>, accepted: &Accepted, said: &Said) -> Option<String> {
    let packet = evidence.packet_of(accepted.request.message)?;
    let mut of_packet =
        evidence.seen.valid_at(accepted.at).vanished.iter().filter(|vanished| vanished.earlier == packet);
    let vanished = of_packet.find(|vanished| {
        is_late(accepted, vanished.at) && !names(evidence, vanished.missing_in, &said.key)
    })?;
    Some(format!("a request at {} although its row vanished at {}", accepted.at, vanished.at))
}

/// Whether a row of the file has the key.
pub(super) fn names(evidence: &Evidence<'_>, packet: PacketId, wanted: &str) -> bool {
    let Some((_, packet)) = evidence.packets.get(&packet) else { return true };
    let PacketOrigin::File { name: of_packet, .. } = &packet.origin else { return true };
    evidence.trial.schedule.has(|deed| match deed {
        Deed::File { campaign, number, rows } => {
            **of_packet == *file_name(*campaign, *number) && rows.iter().any(|row| row.key == wanted)
        }
        _ => false,
    })
}

/// No further rung after an answer, and no reminder of what the person has released.
fn answered(evidence: &Evidence<'_>, accepted: &Accepted, said: &Said) -> Option<String> {
    let message = accepted.request.message;
    if !evidence.is_scheduled(message) {
        return None;
    }
    let below = rungs_below(evidence, message);
    let answered = evidence.seen.valid_at(accepted.at).answers.iter().find(|answered| {
        let releases = answered.kind.ends_reminders() && is_about(evidence, answered.about, said);
        is_late(accepted, answered.at) && (releases || below.contains(&answered.message))
    })?;
    // The office has spoken since.
    let spoken = evidence
        .seen
        .valid_at(accepted.at)
        .planned
        .iter()
        .filter(|planned| planned.key == said.key && speaks(evidence, accepted, planned))
        .any(|planned| planned.at >= answered.at && planned.at <= accepted.at + ONE_SECOND);
    (!spoken).then(|| {
        let of = |id| evidence.records.get(&id).map(|(position, record)| evidence.history(*position, record));
        format!(
            "a request at {} although the person answered at {} ({:?}): {:?}; answered was {:?}",
            accepted.at,
            answered.at,
            answered.kind,
            of(message),
            of(answered.message)
        )
    })
}

fn rungs_below(evidence: &Evidence<'_>, message: MessageId) -> BTreeSet<MessageId> {
    let below = |message: &MessageId| evidence.seen.made.get(message)?.below;
    std::iter::successors(below(&message), |message| below(message)).collect()
}

/// Whether a message told of the same appointment at the same time: an answer is about the time that was told.
fn is_about(evidence: &Evidence<'_>, message: MessageId, said: &Said) -> bool {
    evidence.records.get(&message).is_some_and(|(position, record)| {
        let message = &record.message;
        let person = message.person.as_ref().map(PersonKey::as_str);
        let told_at = message.appointment.map(|appointment| appointment.local);
        let about = (*position, message.key.as_str(), person, told_at);
        about == (said.campaign, said.key.as_str(), Some(said.person.as_str()), said.at)
    })
}
