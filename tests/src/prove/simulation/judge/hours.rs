//! Nothing outside of the hours in any zone in which the person may be; nothing too late; and nothing to the wrong company.

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;

use super::super::draw::{AREAS, knows};
use super::super::schedule::{CampaignDraft, Hours};
use super::{Accepted, Evidence, SKEW};

/// Answers go at any hour so soon after what they answer.
const REPLY_WITHIN: TimeDelta = TimeDelta::seconds(5 * 60 + 1);

/// Between whiles the hours are looked at so often: no night is shorter.
const LOOK_EVERY: TimeDelta = TimeDelta::minutes(10);

/// How long before an appointment is too late.
const NOTICE: TimeDelta = TimeDelta::hours(1);

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    for accepted in &evidence.accepted {
        whose(evidence, accepted, wrong);
        when(evidence, accepted, wrong);
    }
}

fn whose(evidence: &Evidence<'_>, accepted: &Accepted, wrong: &mut Vec<String>) {
    let deployment = &evidence.trial.deployment;
    let Some(company) = deployment.companies.iter().position(|id| *id == accepted.request.company) else {
        wrong.push("companies: a request for none of ours".to_owned());
        return;
    };
    let address = accepted.request.contact.address();
    let at_home = match accepted.request.method {
        ContactMethod::Email => address.contains(&format!("@c{company}.")),
        ContactMethod::Sms | ContactMethod::Phone => knows(company, address),
    };
    let of_campaign =
        evidence.campaign_of(accepted).map(|position| evidence.trial.schedule.campaigns[position].company);
    if !at_home || of_campaign.is_some_and(|of| of != company) {
        wrong.push(format!("companies: {company} wrote to {address} for the campaign of {of_campaign:?}"));
    }
}

fn when(evidence: &Evidence<'_>, accepted: &Accepted, wrong: &mut Vec<String>) {
    let schedule = evidence.trial.schedule;
    let Some(position) = evidence.campaign_of(accepted) else { return };
    let draft = &schedule.campaigns[position];
    let zones = zones(draft, schedule.zone, &accepted.request.contact);
    let legal = |at: DateTime<Utc>| zones.iter().all(|zone| is_open(draft.window, at, *zone));
    // A worker can only know what its own clock says.
    let jumps = [TimeDelta::hours(1), TimeDelta::hours(-1), TimeDelta::zero()];
    let shifts = std::iter::once(accepted.skew).chain(jumps.into_iter().filter(|_| schedule.jumps()));
    let shifts: Vec<TimeDelta> = shifts.collect();
    let answers = evidence.seen.replies.get(&accepted.request.message);
    if answers.is_some_and(|asked| accepted.at <= *asked + REPLY_WITHIN) {
        return;
    }
    if !shifts.iter().any(|shift| legal(accepted.at + *shift)) {
        wrong.push(format!(
            "hours: at {} (skew {}) in {zones:?}, {:?} {:?}",
            accepted.at, accepted.skew, draft.window, accepted.said
        ));
    }
    if accepted.said.is_empty() {
        return;
    }
    // The provider must not deliver it at or after this instant.
    let last = accepted.request.expires_at - TimeDelta::microseconds(2);
    let in_between = std::iter::successors(Some(accepted.at + SKEW), |at| Some(*at + LOOK_EVERY));
    let mut instants = in_between.take_while(|at| !schedule.jumps() && *at < last).chain([last]);
    if let Some(closed) = instants.find(|at| !legal(*at)) {
        wrong.push(format!(
            "hours: may be delivered until {last}, also at {closed}, outside of {:?} in {zones:?}",
            draft.window
        ));
    }
    let instants =
        accepted.said.iter().filter_map(|said| schedule.zone.from_local_datetime(&said.at?).earliest());
    for appointment in instants {
        let latest = appointment.with_timezone(&Utc) - NOTICE;
        if !shifts.iter().any(|shift| accepted.at + *shift <= latest) {
            wrong.push(format!("hours: too late for the appointment, at {}, latest {latest}", accepted.at));
        }
        if !schedule.jumps() && last >= appointment {
            wrong.push(format!(
                "hours: may be delivered until {last}, after the appointment at {appointment}"
            ));
        }
    }
}

/// Every zone in which the person may be.
pub(super) fn zones(draft: &CampaignDraft, zone: Tz, contact: &ContactPoint) -> Vec<Tz> {
    let mut zones = vec![zone];
    let address = contact.address();
    if draft.area_code_zones && contact.method() != ContactMethod::Email {
        let area = AREAS.iter().find(|(area, _)| address.get(2..5) == Some(area.to_string().as_str()));
        zones.extend(area.into_iter().flat_map(|(_, zones)| zones.iter().copied()));
    }
    zones
}

/// Whether what the clock shows lies in the hours. All days are open.
fn is_open(hours: Hours, at: DateTime<Utc>, zone: Tz) -> bool {
    let shown = at.with_timezone(&zone).time();
    if hours.from < hours.to {
        hours.from <= shown && shown < hours.to
    } else {
        hours.from <= shown || shown < hours.to
    }
}

/// For how long, to the minute, all zones lie in the hours between two instants.
pub(super) fn open_time(hours: Hours, zones: &[Tz], from: DateTime<Utc>, until: DateTime<Utc>) -> TimeDelta {
    let minute = TimeDelta::minutes(1);
    let minutes = std::iter::successors(Some(from), |at| Some(*at + minute)).take_while(|at| *at < until);
    let open = minutes.filter(|at| zones.iter().all(|zone| is_open(hours, *at, *zone)));
    open.fold(TimeDelta::zero(), |sum, _| sum + minute)
}
