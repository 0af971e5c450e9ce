//! Who was not sent had a reason: otherwise holding everything back would be safe.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::household::Membership;
use reminderly_core::domain::message::{Detail, Message, MessageRecord, Origin};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::{Packet, PacketOrigin};
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::PacketId;
use reminderly_core::services::Settings;

use super::super::documents::{RowDraft, file_name};
use super::super::schedule::{CampaignDraft, Deed, FAULTS_FOR, Policy};
use super::super::witness::Unsubscribed;
use super::hours::{open_time, zones};
use super::stops::names;
use super::{Evidence, SKEW};

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
            MessageStatus::Cancelled => may_be_cancelled(evidence, *position, record),
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
    every_row(evidence, wrong);
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

/// A row has a message at the time that the latest file says which names it. A packet that is cancelled may have had no time for it.
fn every_row(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    let mut files: Vec<(Option<PacketId>, usize, &[RowDraft])> = Vec::new();
    for timed in &schedule.deeds {
        let Deed::File { campaign, number, rows } = &timed.deed else { continue };
        let packet = packet_of(evidence, &file_name(*campaign, *number));
        let is_cancelled = packet.is_some_and(Packet::is_given_up);
        if !is_cancelled && !stops(evidence, *campaign, |deed| matches!(deed, Deed::Archive { .. })) {
            files.push((packet.map(|packet| packet.id), *campaign, rows));
        }
    }
    // In the order in which they were taken in; one that never was comes last.
    files.sort_by_key(|(packet, ..)| (packet.is_none(), *packet));
    let mut says: BTreeMap<(usize, &str), DateTime<Utc>> = BTreeMap::new();
    for (_, campaign, rows) in files {
        says.extend(rows.iter().map(|row| ((campaign, row.key.as_str()), row.at)));
    }
    let told = evidence.records.values().filter_map(|(position, record)| {
        Some(((*position, record.message.key.as_str()), record.message.appointment.as_ref()?.at))
    });
    let told: BTreeSet<_> = told.collect();
    for ((campaign, key), at) in says {
        if !told.contains(&((campaign, key), at)) {
            wrong.push(format!("liveness: the row {key} of campaign {campaign} at {at} was lost"));
        }
    }
}

fn packet_of<'a>(evidence: &'a Evidence<'_>, file: &str) -> Option<&'a Packet> {
    let of_file =
        |packet: &&Packet| matches!(&packet.origin, PacketOrigin::File { name, .. } if **name == *file);
    evidence.packets.values().map(|(_, packet)| packet).find(of_file)
}

fn stops(evidence: &Evidence<'_>, position: usize, is: impl Fn(&Deed) -> bool) -> bool {
    evidence.trial.schedule.has(|deed| {
        let concerned = matches!(deed,
            Deed::Pause { campaign } | Deed::Archive { campaign } | Deed::CancelPacket { campaign } if *campaign == position);
        concerned && is(deed)
    })
}

fn may_be_cancelled(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let is_archived = stops(evidence, position, |deed| matches!(deed, Deed::Archive { .. }));
    let packet = evidence.packets.get(&record.message.packet);
    let is_given_up = packet.is_some_and(|(_, packet)| packet.is_given_up());
    is_archived || is_given_up || has_vanished(evidence, &record.message)
}

/// Whether a later file does not name its appointment, or one of those that it stands for.
fn has_vanished(evidence: &Evidence<'_>, message: &Message) -> bool {
    let has_vanished = |packet: PacketId, key: &str| {
        let of_packet = evidence.seen.vanished.iter().filter(|vanished| vanished.earlier == packet);
        of_packet.into_iter().any(|vanished| !names(evidence, vanished.missing_in, key))
    };
    stood_for(evidence, message).any(|told| has_vanished(told.packet, told.key.as_str()))
}

/// The message, or those of the household for which it stands.
fn stood_for<'a>(evidence: &'a Evidence<'_>, message: &'a Message) -> impl Iterator<Item = &'a Message> {
    let members = match &message.origin {
        Origin::Household { members, .. } => &**members,
        _ => &[],
    };
    let members = members.iter().filter_map(|member| evidence.records.get(&member.message));
    std::iter::once(message).chain(members.map(|(_, record)| &record.message))
}

/// Whether its time may have run out before the faults had ended by far. Nothing is paused any more then.
fn may_be_late(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let calm = evidence.trial.schedule.start + FAULTS_FOR + CATCHES_UP_IN;
    was_narrow(evidence, position, record)
        || waited_below(evidence, record)
        || latest(evidence, position, record).is_none_or(|latest| latest < calm)
}

/// Whether it goes only when another message has brought nothing, and that one could not have been waited for any longer: it was planned
/// less than the wait before the end of this one's window, or it went late, as an attempt of it came to nothing or its queue was gone, and
/// what was left was too short.
fn waited_below(evidence: &Evidence<'_>, record: &MessageRecord) -> bool {
    let Some(place) = record.message.ladder else { return false };
    let Some((_, below)) = evidence.records.get(&place.below) else { return false };
    let went_late =
        below.state.sent_at.zip(below.state.planned_at).is_some_and(|(sent, at)| sent - at > SKEW);
    let is_late = went_late || below.state.attempts > 1;
    let catches_up = if is_late { CATCHES_UP_IN } else { TimeDelta::zero() };
    let takes = TimeDelta::from_std(place.wait).unwrap_or_default() + catches_up;
    below.state.planned_at.zip(record.state.legal_until).is_some_and(|(from, until)| until - from < takes)
}

/// Whether an attempt came to nothing, and what was left of the window was too short to find that out. A night in between, such as
/// the minutes that come once more when clocks are set back, does not count.
fn was_narrow(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let schedule = evidence.trial.schedule;
    let draft = &schedule.campaigns[position];
    let Some(contact) = &record.message.contact else { return false };
    let zones = zones(draft, schedule.zone, contact);
    let (from, until) = (record.state.planned_at, record.state.legal_until);
    let left = from.zip(until).map(|(from, until)| open_time(draft.window, &zones, from, until));
    record.state.attempts > 0 && left.is_some_and(|left| left < CATCHES_UP_IN)
}

/// Until when it could have gone: its window and its appointment, by the planner's first word.
fn latest(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> Option<DateTime<Utc>> {
    let schedule = evidence.trial.schedule;
    let draft = &schedule.campaigns[position];
    let closes = |zone: Tz| {
        let today = schedule.start.with_timezone(&zone).date_naive();
        let instant = today.and_time(draft.window.to).and_local_timezone(zone).latest()?.with_timezone(&Utc);
        let is_past_midnight = draft.window.from > draft.window.to && instant < schedule.start;
        Some(if is_past_midnight { instant + TimeDelta::days(1) } else { instant })
    };
    let zones = record.message.contact.as_ref().map(|contact| zones(draft, schedule.zone, contact));
    let closes = zones?.into_iter().filter_map(closes).min()?;
    let notice = record.message.appointment.map(|appointment| appointment.at - TimeDelta::hours(1));
    // An answer is worth sending for a while only, and a correction like what it corrects.
    let at_most = match record.message.origin {
        Origin::Reply { .. } => return None,
        Origin::Row { .. } | Origin::Correction { .. } | Origin::Household { .. } => {
            record.state.planned_at? + TimeDelta::hours(4)
        }
    };
    Some(closes.min(at_most).min(notice.unwrap_or(at_most)))
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
    let message = &record.message;
    match reason {
        SkipReason::NoContactPoint => message.contact.is_none(),
        SkipReason::Unsubscribed => has_refused(evidence, position, record),
        SkipReason::Answered => has_answered(evidence, message),
        SkipReason::Superseded => {
            has_lost_a_member(evidence, message) || has_changed(evidence, position, message)
        }
        SkipReason::Cap => may_be_full(evidence, draft, record),
        SkipReason::NoLegalInstant | SkipReason::PastDue => may_be_late(evidence, position, record),
        SkipReason::Duplicate => is_told_by_another(evidence, position, message),
        SkipReason::Grouped => was_told_at_once(evidence, record),
        SkipReason::InvalidContactPoint | SkipReason::TooManySegments => false,
    }
}

/// Whether a refusal held when it was skipped.
fn has_refused(evidence: &Evidence<'_>, position: usize, record: &MessageRecord) -> bool {
    let (message, company) = (&record.message, evidence.trial.deployment.campaigns[position].company);
    let schedule = evidence.trial.schedule;
    let contact = message.contact.as_ref().map(ContactPoint::refusal_key);
    let is_named =
        |key: &RefusalKey| message.persons().any(|person| *key == RefusalKey::Person(person.clone()));
    let skipped_at = evidence.ended_at(position, record);
    // Permission that was given surely before, and surely after the refusal, has lifted it.
    let is_lifted = |refusal: &Unsubscribed| {
        evidence.seen.unsubscribes.iter().any(|other| {
            let is_permission = other.change == UnsubscribeChange::OptedIn && other.key == refusal.key;
            // What is skipped was refused before: by as much as a store is slow.
            let slow = TimeDelta::from_std(schedule.faults.store.longest_delay).unwrap_or_default();
            let is_between = other.since > refusal.at + SKEW
                && skipped_at.is_some_and(|at| other.at + SKEW + slow + slow < at);
            is_permission && other.company == company && is_between
        })
    };
    evidence.seen.unsubscribes.iter().any(|said| {
        let is_refusal = said.company == company && said.change == UnsubscribeChange::OptedOut;
        let is_of_it = contact.as_ref() == Some(&said.key) || is_named(&said.key);
        is_refusal && is_of_it && !is_lifted(said)
    })
}

/// Whether the company has as many other messages for one of its persons as a cap allows.
fn may_be_full(evidence: &Evidence<'_>, draft: &CampaignDraft, record: &MessageRecord) -> bool {
    let Some(caps) = draft.caps else { return false };
    let campaigns = &evidence.trial.schedule.campaigns;
    record.message.persons().any(|person| {
        let others = evidence.records.values().filter(|(position, other)| {
            let is_capped =
                campaigns[*position].company == draft.company && campaigns[*position].caps.is_some();
            is_capped
                && other.message.id != record.message.id
                && other.message.persons().any(|of| of == person)
        });
        others.count() >= caps.per_day
    })
}

/// Whether the person has said something about the appointment.
fn has_answered(evidence: &Evidence<'_>, message: &Message) -> bool {
    evidence.seen.answers.iter().any(|answered| {
        let about = evidence.records.get(&answered.about).map(|(_, record)| &record.message);
        about.is_some_and(|about| {
            stood_for(evidence, message).any(|told| (&told.key, &told.person) == (&about.key, &about.person))
        })
    })
}

/// Whether a later row of the campaign speaks for the appointment, or one of those that it stands for, or none does.
fn has_changed(evidence: &Evidence<'_>, position: usize, message: &Message) -> bool {
    let campaign = evidence.campaign_id(position);
    let of_campaign = || evidence.seen.planned.iter().filter(|planned| planned.campaign == campaign);
    let spoken = |told: &Message| {
        let is_later = |packet: PacketId| packet > told.packet;
        let is_file = |packet: &Packet| matches!(packet.origin, PacketOrigin::File { .. });
        let later = evidence
            .packets
            .iter()
            .filter(|(id, (of, packet))| is_later(**id) && *of == position && is_file(packet));
        of_campaign().any(|planned| planned.key == told.key.as_str() && is_later(planned.packet))
            || later.into_iter().any(|(id, _)| names(evidence, *id, told.key.as_str()))
    };
    stood_for(evidence, message).any(spoken) || has_vanished(evidence, message)
}

/// Whether another message is about the same, by whatever method; what became of that one is judged by itself.
fn is_told_by_another(evidence: &Evidence<'_>, position: usize, message: &Message) -> bool {
    evidence.records.values().any(|(other, record)| {
        let is_duplicate = record.state.detail == Some(Detail::Skip(SkipReason::Duplicate));
        let is_one = record.message.contact.is_some() && !is_duplicate;
        *other == position && record.message.key == message.key && is_one
    })
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
