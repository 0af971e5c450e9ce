//! Hours as one clock shows them: a contact window's, or a rule's.

use std::iter::successors;

use chrono::{NaiveDate, NaiveDateTime};

use super::local_window::{LocalWindow, Opening};
use crate::domain::rules::BoundRule;

/// What is open at some local times and closed at others.
#[derive(Debug, Clone, Copy)]
pub(super) enum LocalHours<'a> {
    /// A campaign's contact window.
    Window(&'a LocalWindow<'a>),
    /// A rule; its openings never run past midnight.
    Rule(&'a BoundRule<'a>),
}

impl LocalHours<'_> {
    /// The opening that contains a local time.
    pub(super) fn opening_at(self, local: NaiveDateTime) -> Option<Opening> {
        match self {
            Self::Window(window) => window.opening_at(local),
            Self::Rule(rule) => {
                opening_on(rule, local.date()).filter(|opening| opening.start <= local && local < opening.end)
            }
        }
    }

    /// The first start of an opening at or after `local`, not after the date of `limit`.
    pub(super) fn start_after(self, local: NaiveDateTime, limit: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Window(window) => window.start_after(local, limit),
            Self::Rule(rule) => local
                .date()
                .iter_days()
                .take_while(|day| *day <= limit.date())
                .filter_map(|day| opening_on(rule, day))
                .map(|opening| opening.start)
                .find(|start| *start >= local),
        }
    }

    /// The last end of an opening at or before `local`, of those that start on or after the day before `limit`.
    pub(super) fn end_before(self, local: NaiveDateTime, limit: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Window(window) => window.end_before(local, limit),
            Self::Rule(rule) => {
                let first = limit.date().pred_opt().unwrap_or(limit.date());
                successors(Some(local.date()), NaiveDate::pred_opt)
                    .take_while(|day| *day >= first)
                    .filter_map(|day| opening_on(rule, day))
                    .map(|opening| opening.end)
                    .find(|end| *end <= local)
            }
        }
    }
}

fn opening_on(rule: &BoundRule<'_>, day: NaiveDate) -> Option<Opening> {
    let hours = rule.hours_on(day)?;
    Some(Opening { start: hours.start(day), end: hours.end(day) })
}
