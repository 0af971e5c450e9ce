//! A contact window as one clock shows it: everything here is local time, and no clock ever changes.

use std::collections::BTreeSet;
use std::iter::successors;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use crate::domain::schedule::{ContactWindow, Day};

/// A contact window and the dates on which it does not open.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalWindow<'a> {
    from: NaiveTime,
    to: NaiveTime,
    /// A bit for each weekday, Monday first: cheaper to ask than the window's set, and asked once for each
    /// day.
    days: u8,
    closed_dates: &'a BTreeSet<NaiveDate>,
}

/// One opening of a window: half-open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// When it starts.
    pub(super) start: NaiveDateTime,
    /// When it has ended; up to a day later.
    pub(super) end: NaiveDateTime,
}

impl<'a> LocalWindow<'a> {
    pub(super) fn new(window: &ContactWindow, closed_dates: &'a BTreeSet<NaiveDate>) -> Self {
        let days = window.days.iter().fold(0, |days, day| days | 1 << (*day as u8));
        Self { from: window.from, to: window.to, days, closed_dates }
    }

    /// The whole of every day that is not closed.
    pub(super) const fn always(closed_dates: &'a BTreeSet<NaiveDate>) -> Self {
        Self { from: NaiveTime::MIN, to: NaiveTime::MIN, days: 0b0111_1111, closed_dates }
    }

    /// The opening that contains a local time.
    pub(super) fn opening_at(&self, local: NaiveDateTime) -> Option<Opening> {
        let (date, time) = (local.date(), local.time());
        let day = match (self.runs_past_midnight(), time >= self.from, time < self.to) {
            (true, true, _) | (false, true, true) => date,
            (true, false, true) => date.pred_opt()?,
            (true | false, false, _) | (false, true, false) => return None,
        };
        if self.opens_on(day) { self.opening_of(day) } else { None }
    }

    /// The first start of an opening at or after `local`, not after the date of `limit`.
    pub(super) fn start_after(&self, local: NaiveDateTime, limit: NaiveDateTime) -> Option<NaiveDateTime> {
        local
            .date()
            .iter_days()
            .take_while(|day| *day <= limit.date())
            .filter(|day| self.opens_on(*day))
            .map(|day| day.and_time(self.from))
            .find(|start| *start >= local)
    }

    /// The last end of an opening at or before `local`, of those that start on or after the day before
    /// `limit`.
    pub(super) fn end_before(&self, local: NaiveDateTime, limit: NaiveDateTime) -> Option<NaiveDateTime> {
        let first = limit.date().pred_opt().unwrap_or(limit.date());
        successors(Some(local.date()), NaiveDate::pred_opt)
            .take_while(|day| *day >= first)
            .filter(|day| self.opens_on(*day))
            .filter_map(|day| self.opening_of(day))
            .map(|opening| opening.end)
            .find(|end| *end <= local)
    }

    /// Equal times make a window of a whole day, which is one that runs past midnight as well.
    fn runs_past_midnight(&self) -> bool {
        self.from >= self.to
    }

    fn opens_on(&self, day: NaiveDate) -> bool {
        self.days & bit(day.weekday()) != 0 && !self.closed_dates.contains(&day)
    }

    fn opening_of(&self, day: NaiveDate) -> Option<Opening> {
        let last = if self.runs_past_midnight() { day.succ_opt()? } else { day };
        Some(Opening { start: day.and_time(self.from), end: last.and_time(self.to) })
    }
}

fn bit(weekday: Weekday) -> u8 {
    1 << (Day::from(weekday) as u8)
}
