//! When a campaign may contact people: its send entries, contact windows and limits of lateness.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};

use crate::domain::contact_method::ContactMethod;

/// The schedule of a campaign, as the document's `schedule` says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// When to contact, in the document's order; a message knows its entry by the position here.
    pub send: Vec<SendEntry>,
    /// When contact is legal.
    pub windows: ContactWindows,
    /// Local dates on which nobody is contacted.
    pub closed_dates: BTreeSet<NaiveDate>,
    /// What happens to a base instant that is not legal.
    pub when_closed: WhenClosed,
    /// What [`WhenClosed::Earlier`] leaves until contact is legal no more, so that what has to wait for its turn still goes.
    #[serde(default)]
    pub closing_margin: Duration,
    /// The least time between a contact and the appointment.
    pub min_notice: Duration,
    /// The most that a message may come later than planned; `None` is no limit.
    pub max_lateness: Option<Duration>,
    /// Whether contact must be legal in every zone of the number's area too, not only in the contact zone.
    #[serde(default)]
    pub area_code_zones: AreaCodeZones,
    /// The rule packs that must permit a contact, by name.
    #[serde(default)]
    pub rule_packs: Vec<String>,
}

/// What the area of a phone number says about where the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AreaCodeZones {
    /// Nothing: the contact zone is known well enough.
    #[default]
    Ignored,
    /// They may be in any of its zones as well.
    Candidates,
}

/// One entry of `schedule.send`: a base instant, relative to the appointment or to the instant of planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendEntry {
    /// Calendar days before the appointment's written local date, at a wall time of the appointment zone.
    DaysBefore {
        /// How many days; 0 is the day of the appointment.
        days: u16,
        /// The wall time; `None` is the appointment's written one.
        at: Option<NaiveTime>,
    },
    /// Elapsed time before the appointment instant.
    HoursBefore {
        /// How long before.
        before: Duration,
    },
    /// At the instant of planning: what is sent on demand. It stands alone and needs no appointment.
    Now,
}

/// The contact windows: one for each method that has its own, and one for all others. Without any, every hour is legal as far
/// as windows go; with some, a method that has none is never legal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactWindows {
    /// The window of every method without its own.
    pub default: Option<ContactWindow>,
    /// Windows of single methods.
    pub by_method: BTreeMap<ContactMethod, ContactWindow>,
}

impl ContactWindows {
    /// The window that holds for a method; `None` if the campaign has none for it.
    pub fn of(&self, method: ContactMethod) -> Option<&ContactWindow> {
        self.by_method.get(&method).or(self.default.as_ref())
    }

    /// Whether there are no windows at all.
    pub fn is_empty(&self) -> bool {
        self.default.is_none() && self.by_method.is_empty()
    }
}

/// A recurring span of local time on some weekdays. With `from` after `to` it runs past midnight and belongs to the day on
/// which it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactWindow {
    /// The weekdays on which it starts.
    pub days: BTreeSet<Day>,
    /// Its first local time.
    pub from: NaiveTime,
    /// The local time at which it has ended. Equal to `from`, it lasts the whole day.
    pub to: NaiveTime,
}

impl ContactWindow {
    /// How long it is open, by the clock.
    pub fn length(&self) -> Duration {
        let day = TimeDelta::days(1);
        let length = self.to - self.from;
        let length = if length > TimeDelta::zero() { length } else { length + day };
        length.to_std().unwrap_or_default()
    }
}

impl Schedule {
    /// Whether messages go at the instant of planning and need no appointment.
    pub fn is_on_demand(&self) -> bool {
        self.send.contains(&SendEntry::Now)
    }
}

/// A weekday, as documents write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for Day {
    fn from(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// What happens to a base instant at which contact is not legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenClosed {
    /// The first legal instant after it.
    #[default]
    Later,
    /// The last legal whole minute before it that leaves [`Schedule::closing_margin`].
    Earlier,
    /// The nearer of the two; a tie goes to the earlier.
    Nearest,
    /// No contact.
    Skip,
}
