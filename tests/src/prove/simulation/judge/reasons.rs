//! Who was not sent had a reason: otherwise holding everything back would be safe.

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::household::Membership;
use reminderly_core::domain::message::{Detail, Message, MessageRecord, Origin};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::RefusalKey;
use reminderly_core::services::Settings;

use super::super::schedule::{Deed, FAULTS_FOR, Policy, Vanished};
use super::Evidence;

/// So long after the last fault everything that waited has gone: a pause of a provider, a delay of the queue and a copy that is
/// presumed lost, each a quarter of an hour.
const CATCHES_UP_IN: TimeDelta = TimeDelta::minutes(50);

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    if schedule.is_restored() || schedule.jumps() || evidence.trial.ended_at.is_none() {
        return;
    }
    for (id, (position, record)) in &evidence.records {
        let had = match record.state.status {
            MessageStatus::Sent
            | MessageStatus::Delivered
            | MessageStatus::Undelivered
            // What is still open is said by another check.
            | MessageStatus::Planned
            | MessageStatus::Queued
            | MessageStatus::Sending => true,
            MessageStatus::Cancelled => may_be_cancelled(evidence, *position),
            MessageStatus::Expired => may_be_late(evidence, *position, record),
            MessageStatus::Unknown => schedule.campaigns[*position].policy == Policy::Hold,
            MessageStatus::Failed => has_failed(&evidence.trial.deployment.world.settings, record),
            MessageStatus::Skipped => may_be_skipped(evidence, *position, record),
        };
        if !had {
            let (status, detail) = (record.state.status, &record.state.detail);
            wrong.push(format!(
                "liveness: message {id} of campaign {position} is {status} ({detail:?}) without a reason: {}",
                evidence.history(*position, record)
            ));
        }
    }
    every_call(evidence, wrong);
}

/// Calls that were made are packets with messages: the host repeats them until it is told.
fn every_call(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    for timed in &evidence.trial.schedule.deeds {
        let Deed::Call { campaign, row, .. } = &timed.deed else { continue };
        let is_archived = stops(evidence, *campaign, |deed| matches!(deed, Deed::Archive { .. }));
        let is_there = evidence
            .records
            .values()
            .any(|(position, record)| position == campaign && record.message.key.as_str() == row.key);
        if !is_archived && !is_there {
            wrong.push(format!("liveness: the call {} of campaign {campaign} was lost", row.key));
        }
    }
}

fn stops(evidence: &Evidence<'_>, position: usize, is: impl Fn(&Deed) -> bool) -> bool {
    evidence.trial.schedule.has(|deed| {
        let concerned = matches!(deed,
            Deed::Pause { campaign } | Deed::Archive { campaign } | Deed::CancelPacket { campaign } if *campaign == position);
        concerned && is(deed)
    })
}

fn may_be_cancelled(evidence: &Evidence<'_>, position: usize) -> bool {
    let stopped =
        stops(evidence, position, |deed| matches!(deed, Deed::Archive { .. } | Deed::CancelPacket { .. }));
    stopped || evidence.trial.schedule.campaigns[position].vanished == Vanished::Cancel
}

/// Whether its time may have run out: while the campaign was paused, or before the faults had ended by far.
fn may_be_late(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let calm = evidence.trial.schedule.start + FAULTS_FOR + CATCHES_UP_IN;
    let paused = stops(evidence, position, |deed| matches!(deed, Deed::Pause { .. }));
    paused || was_narrow(record) || latest(evidence, position, record).is_none_or(|latest| latest < calm)
}

/// Whether an attempt came to nothing, and what was left of the window was too short to find that out.
fn was_narrow(record: &MessageRecord) -> bool {
    let (from, until) = (record.state.planned_at, record.state.legal_until);
    let left = from.zip(until).map(|(from, until)| until - from);
    record.state.attempts > 0 && left.is_some_and(|left| left < CATCHES_UP_IN)
}

/// Until when it could have gone: its window and its appointment, by the planner's first word.
fn latest(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> Option<DateTime<Utc>> {
    let schedule = evidence.trial.schedule;
    let draft = &schedule.campaigns[position];
    let zones = schedule.zone;
    let closes = {
        let today = schedule.start.with_timezone(&zones).date_naive();
        let local = today.and_time(draft.window.to);
        let instant = local.and_local_timezone(zones).latest()?.with_timezone(&Utc);
        // Past midnight: it closes the next day.
        if instant < schedule.start { instant + TimeDelta::days(1) } else { instant }
    };
    let notice = record.message.appointment.map(|appointment| appointment.at - TimeDelta::hours(1));
    // An answer is worth sending for a while only, and a correction like what it corrects.
    let at_most = match record.message.origin {
        Origin::Reply { .. } => return None,
        Origin::Row { .. } | Origin::Correction { .. } | Origin::Household { .. } => {
            record.state.planned_at? + TimeDelta::hours(4)
        }
    };
    let of_area = draft.area_code_zones.then_some(schedule.start + TimeDelta::hours(2));
    Some(closes.min(at_most).min(notice.unwrap_or(at_most)).min(of_area.unwrap_or(at_most)))
}

fn has_failed(settings: &Settings, record: &MessageRecord) -> bool {
    match &record.state.detail {
        Some(Detail::Code(code)) if code == "invalid_address" || code == "opted_out" => true,
        Some(Detail::Code(code)) if code == "try_later" || code == "attempts_exhausted" => {
            record.state.attempts >= settings.retry.max_attempts
        }
        _ => false,
    }
}

fn may_be_skipped(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let draft = &evidence.trial.schedule.campaigns[position];
    let Some(Detail::Skip(reason)) = &record.state.detail else { return false };
    let (message, seen) = (&record.message, &evidence.seen);
    match reason {
        SkipReason::NoContactPoint => message.contact.is_none(),
        SkipReason::Unsubscribed => {
            let company = evidence.trial.deployment.campaigns[position].company;
            let contact = message.contact.as_ref().map(ContactPoint::refusal_key);
            let mut of_company = seen.refusals.iter().filter(|refusal| refusal.company == company);
            of_company.any(|refusal| {
                let is_named = |key: &RefusalKey| {
                    message.persons().any(|person| *key == RefusalKey::Person(person.clone()))
                };
                contact.as_ref() == Some(&refusal.key) || is_named(&refusal.key)
            })
        }
        SkipReason::Answered => !seen.answers.is_empty(),
        SkipReason::Superseded if has_lost_a_member(evidence, message) => true,
        SkipReason::Superseded => seen
            .changes
            .iter()
            .any(|(change, _)| *change == "amended" || *change == "moved" || *change == "stale"),
        SkipReason::Cap => draft.caps.is_some(),
        // The window of a rung, or of a person in another zone, may close too early.
        SkipReason::NoLegalInstant | SkipReason::PastDue => {
            may_be_late(evidence, position, record) || record.message.ladder.is_some()
        }
        SkipReason::Duplicate => true,
        SkipReason::Grouped => was_told_at_once(evidence, record),
        SkipReason::InvalidContactPoint | SkipReason::TooManySegments => false,
    }
}

/// Whether one of those that it stands for had ended by itself, for a reason that is judged by itself.
fn has_lost_a_member(evidence: &Evidence<'_>, message: &Message) -> bool {
    let Origin::Household { members, .. } = &message.origin else { return false };
    let states = members.iter().filter_map(|member| evidence.records.get(&member.message));
    states.map(|(_, record)| &record.state).any(|state| {
        let is_grouped = state.detail == Some(Detail::Skip(SkipReason::Grouped));
        matches!(state.status, MessageStatus::Skipped | MessageStatus::Cancelled) && !is_grouped
    })
}

/// Whether its household's message went, or may have gone.
fn was_told_at_once(evidence: &Evidence<'_>, record: &MessageRecord) -> bool {
    let Some(Membership::In(household)) = record.state.household else { return false };
    let went = evidence.accepted.iter().any(|accepted| accepted.request.message == household);
    let is_unknown = evidence
        .records
        .get(&household)
        .is_some_and(|(_, record)| record.state.status == MessageStatus::Unknown);
    went || is_unknown
}
