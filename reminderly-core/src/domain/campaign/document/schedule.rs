//! `schedule`: when to contact, and when not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::NaiveTime;

use super::super::problem::Problems;
use super::node::Node;
use super::reader::{Field, ObjectReader};
use super::values;
use crate::domain::contact_method::ContactMethod;
use crate::domain::schedule::{
    AreaCodeZones, ContactWindow, ContactWindows, Day, Schedule, SendEntry, WhenClosed,
};

/// The most entries of `send`.
const SEND_ENTRIES_MAX: usize = 20;

/// The most days of `days_before`.
const DAYS_BEFORE_MAX: u64 = 366;

/// The most rule packs of a campaign.
const RULE_PACKS_MAX: usize = 20;

const DAYS: &[(&str, Day)] = &[
    ("mon", Day::Mon),
    ("tue", Day::Tue),
    ("wed", Day::Wed),
    ("thu", Day::Thu),
    ("fri", Day::Fri),
    ("sat", Day::Sat),
    ("sun", Day::Sun),
];

const WHEN_CLOSED: &[(&str, WhenClosed)] = &[
    ("later", WhenClosed::Later),
    ("earlier", WhenClosed::Earlier),
    ("nearest", WhenClosed::Nearest),
    ("skip", WhenClosed::Skip),
];

pub(super) fn schedule(
    field: Option<Field<'_>>,
    methods: &[ContactMethod],
    problems: &mut Problems,
) -> Schedule {
    let mut schedule = Schedule::default();
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return schedule };
    if let Some(field) = object.required("send", problems) {
        schedule.send = send(&field, problems);
    }
    let on_demand = schedule.is_on_demand();
    let field = if on_demand { object.optional("windows") } else { object.required("windows", problems) };
    if let Some(field) = field {
        schedule.windows = windows(&field, methods, problems);
    }
    if let Some(field) = object.optional("closed_dates") {
        schedule.closed_dates = set(&field, |item, problems| item.parsed(values::date, problems), problems);
    }
    let when_closed = object.optional("when_closed");
    let when_closed =
        when_closed.map_or(Some(WhenClosed::default()), |field| field.choice(WHEN_CLOSED, problems));
    schedule.when_closed = when_closed.unwrap_or_default();
    if let Some(field) = object.optional("closing_margin") {
        // A faulty word has been reported already.
        if when_closed.is_some_and(|when| !matches!(when, WhenClosed::Earlier | WhenClosed::Nearest)) {
            field.fault("goes with \"when_closed\": \"earlier\" or \"nearest\" only", problems);
        }
        schedule.closing_margin = closing_margin(&field, &schedule.windows, problems).unwrap_or_default();
    }
    if let Some(field) = object.optional("min_notice") {
        schedule.min_notice = field.parsed(values::duration, problems).unwrap_or_default();
    }
    if let Some(field) = object.optional("max_lateness") {
        schedule.max_lateness = field.parsed(values::duration, problems);
    }
    if let Some(field) = object.optional("area_code_zones") {
        schedule.area_code_zones = area_code_zones(&field, problems);
    }
    if let Some(field) = object.optional("rule_packs") {
        schedule.rule_packs = rule_packs(&field, problems);
    }
    object.finish(problems);
    schedule
}

fn send(field: &Field<'_>, problems: &mut Problems) -> Vec<SendEntry> {
    if matches!(field.node, Node::Text(text) if text == "now") {
        return vec![SendEntry::Now];
    }
    let Some(items) = field.list(problems) else { return Vec::new() };
    if items.is_empty() || items.len() > SEND_ENTRIES_MAX {
        field.fault(format!("expected 1 to {SEND_ENTRIES_MAX} entries"), problems);
    }
    let mut entries = Vec::with_capacity(items.len());
    for item in items {
        let Some(entry) = send_entry(&item, problems) else { continue };
        if entries.contains(&entry) {
            item.fault("the same entry stands twice", problems);
        } else {
            entries.push(entry);
        }
    }
    entries
}

fn send_entry(field: &Field<'_>, problems: &mut Problems) -> Option<SendEntry> {
    let mut object = field.object(problems)?;
    let days = object.optional("days_before");
    let hours = object.optional("hours_before");
    let at = object.optional("at");
    object.finish(problems);
    match (days, hours, at) {
        (Some(days), None, at) => {
            let days = days.integer(0..=DAYS_BEFORE_MAX, problems);
            let at: Option<Option<NaiveTime>> = match at {
                Some(at) => at.parsed(values::time, problems).map(Some),
                None => Some(None),
            };
            Some(SendEntry::DaysBefore { days: u16::try_from(days?).ok()?, at: at? })
        }
        (None, Some(hours), at) => {
            if let Some(at) = at {
                at.fault("goes with days_before only", problems);
            }
            hours_before(&hours, problems).map(|before| SendEntry::HoursBefore { before })
        }
        _ => {
            field.fault("expected either days_before or hours_before", problems);
            None
        }
    }
}

fn hours_before(field: &Field<'_>, problems: &mut Problems) -> Option<Duration> {
    let Node::Number(number) = field.node else {
        field.fault(format!("expected a number, found {}", field.node.kind()), problems);
        return None;
    };
    let minutes = number.as_f64().map(|hours| hours * 60.0)?;
    let rounded = minutes.round();
    let whole = rounded >= 1.0 && (minutes - rounded).abs() < 1e-6;
    let before = whole.then(|| Duration::try_from_secs_f64(rounded * 60.0).ok()).flatten();
    let before = before.filter(|before| *before <= values::DURATION_MAX);
    if before.is_none() {
        field.fault("expected hours above 0, in whole minutes, at most 366 days", problems);
    }
    before
}

/// What is left until closing; shorter than every window, or it would leave nothing of one.
fn closing_margin(field: &Field<'_>, windows: &ContactWindows, problems: &mut Problems) -> Option<Duration> {
    let margin = field.parsed(values::duration, problems)?;
    let mut windows = windows.default.iter().chain(windows.by_method.values());
    if windows.any(|window| window.length() <= margin) {
        field.fault("is as long as a window, or longer", problems);
    }
    Some(margin)
}

fn area_code_zones(field: &Field<'_>, problems: &mut Problems) -> AreaCodeZones {
    match field.node {
        Node::Bool(true) => AreaCodeZones::Candidates,
        Node::Bool(false) => AreaCodeZones::Ignored,
        other => {
            field.fault(format!("expected true or false, found {}", other.kind()), problems);
            AreaCodeZones::Ignored
        }
    }
}

/// Names, each of them once. Whether there are such packs is asked when the campaign is compiled: the host knows.
fn rule_packs(field: &Field<'_>, problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let items = field.list(problems).unwrap_or_default();
    if items.len() > RULE_PACKS_MAX {
        field.fault(format!("expected at most {RULE_PACKS_MAX} rule packs"), problems);
    }
    for item in items.iter().take(RULE_PACKS_MAX) {
        let Some(name) = item.text(problems) else { continue };
        if names.iter().any(|other| other == name) {
            item.fault("stands twice", problems);
        }
        names.push(name.to_owned());
    }
    names
}

fn windows(field: &Field<'_>, methods: &[ContactMethod], problems: &mut Problems) -> ContactWindows {
    let mut windows = ContactWindows { default: None, by_method: BTreeMap::new() };
    let Some(mut object) = field.object(problems) else { return windows };
    let mut faulty = false;
    let mut read = |object: &mut ObjectReader<'_>, key, problems: &mut Problems| {
        let field = object.optional(key)?;
        let window = window(&field, problems);
        faulty |= window.is_none();
        window
    };
    windows.default = read(&mut object, "default", problems);
    for (key, method) in
        [("sms", ContactMethod::Sms), ("email", ContactMethod::Email), ("phone", ContactMethod::Phone)]
    {
        if let Some(window) = read(&mut object, key, problems) {
            windows.by_method.insert(method, window);
        }
    }
    object.finish(problems);
    // A faulty window has been reported already.
    for method in methods.iter().filter(|method| !faulty && windows.of(**method).is_none()) {
        field.fault(format!("no window for {method}: give \"{method}\" or \"default\""), problems);
    }
    windows
}

fn window(field: &Field<'_>, problems: &mut Problems) -> Option<ContactWindow> {
    let mut object = field.object(problems)?;
    let days = object.required("days", problems);
    let from = object.required("from", problems);
    let to = object.required("to", problems);
    object.finish(problems);
    let from = from.and_then(|field| field.parsed(values::time, problems));
    let to = to.and_then(|field| field.parsed(values::end_time, problems));
    let days_field = days?;
    let days = set(&days_field, |item, problems| item.choice(DAYS, problems), problems);
    if matches!(days_field.node, Node::List(items) if items.is_empty()) {
        days_field.fault("expected at least one weekday", problems);
    }
    Some(ContactWindow { days, from: from?, to: to? }).filter(|window| !window.days.is_empty())
}

/// The items of a list, each of them once.
fn set<T: Ord>(
    field: &Field<'_>,
    read: impl Fn(&Field<'_>, &mut Problems) -> Option<T>,
    problems: &mut Problems,
) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in field.list(problems).unwrap_or_default() {
        if let Some(value) = read(&item, problems)
            && !set.insert(value)
        {
            item.fault("stands twice", problems);
        }
    }
    set
}
