//! How a plan was found, for people who ask why then, and why not.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::local_time::{LocalTimeNote, clock_at};
use crate::domain::plan::answers_trace::{AnswersTrace, HourTrace};
use crate::domain::rules::RuleId;
use crate::domain::schedule::{SendEntry, WhenClosed};

/// The planning rules of which a trace tells, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanRule {
    /// Rule 1: what the send entry means.
    BaseInstant,
    /// Rule 2: whether contact is legal then.
    LegalInstant,
    /// Rule 3: where a base that is not legal goes.
    WhenClosed,
    /// Rule 4: whether a planned instant that has passed can be caught up.
    Lateness,
    /// Rule 5: one message for each local day.
    SameDay,
    /// Rule 9: one method after the other.
    Ladder,
}

impl PlanRule {
    /// The number of the rule.
    pub const fn number(self) -> u8 {
        match self {
            Self::BaseInstant => 1,
            Self::LegalInstant => 2,
            Self::WhenClosed => 3,
            Self::Lateness => 4,
            Self::SameDay => 5,
            Self::Ladder => 9,
        }
    }

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BaseInstant => "base_instant",
            Self::LegalInstant => "legal_instant",
            Self::WhenClosed => "when_closed",
            Self::Lateness => "lateness",
            Self::SameDay => "same_day",
            Self::Ladder => "ladder",
        }
    }
}

impl fmt::Display for PlanRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What each rule was given and what it said. `Display` is one sentence for each rule that had a say. There is one for every message: what
/// few of them have is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTrace {
    /// The send entry.
    pub send_entry: SendEntry,
    /// The instant of the appointment, if there is one.
    pub appointment_at: Option<DateTime<Utc>>,
    /// The zone in which the base instant is written: the appointment's, or the person's if there is none.
    pub appointment_zone: Tz,
    /// The first zone in which the person may be; `None` if nobody knew any.
    pub contact_zone: Option<Tz>,
    /// What the entry means on the clock of the appointment zone, whether that clock shows it or not.
    pub base_local: NaiveDateTime,
    /// The base instant.
    pub base_at: DateTime<Utc>,
    /// What the clock of the appointment zone does then.
    pub base_note: LocalTimeNote,
    /// Whether contact by the method is ever legal: the campaign has a contact window for it, or none at all.
    pub has_window: bool,
    /// Whether contact is legal at the base instant.
    pub base_legal: bool,
    /// The first zone in which the person may be and the contact window is closed at the base instant; `None` if it is open in
    /// all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_in: Option<Tz>,
    /// The last instant that leaves the least notice; `None` without an appointment.
    pub latest: Option<DateTime<Utc>>,
    /// What the campaign says about a base that is not legal.
    pub when_closed: WhenClosed,
    /// How long before closing `planned_at` is at least, because the campaign asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_margin: Option<Duration>,
    /// The rule of a pack because of which `planned_at` is another instant than the contact window alone would give, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleTrace>,
    /// The instant after rule 3: the base if it is legal, `None` if there is no legal one.
    pub planned_at: Option<DateTime<Utc>>,
    /// What rule 4 said; `None` if the planned instant was not before now.
    pub late: Option<Box<LateTrace>>,
    /// The entry that took the local day.
    pub duplicate_of: Option<u16>,
    /// Its place on a ladder; `None` if methods are not tried one after the other.
    pub rung: Option<Box<RungTrace>>,
    /// What the answers model said, if it was asked for the first method.
    #[serde(default)]
    pub answers: Option<AnswersTrace>,
    /// What the answers model said, if it was asked for the hour. `planned_at` stays what the rules say: lateness counts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Box<HourTrace>>,
}

/// The place of a plan on a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungTrace {
    /// The number of the rung, from 1.
    pub number: u8,
    /// How many rungs the ladder has.
    pub of: u8,
    /// When the rung below was planned for, or went; `None` if none below goes.
    pub below: Option<DateTime<Utc>>,
    /// How long the rung below may stay unanswered.
    pub wait: Duration,
    /// The last instant at which the rungs above still fit before the appointment.
    pub bound: Option<DateTime<Utc>>,
    /// When the person was told by this rung, if that was since the ladder is due: then it does not go again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<DateTime<Utc>>,
}

/// A rule of a pack that kept a message from going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTrace {
    /// The rule.
    pub rule: RuleId,
    /// The instant that it does not permit, at which the message would go otherwise.
    pub instead_of: DateTime<Utc>,
}

/// What the rule of lateness was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateTrace {
    /// The instant of planning.
    pub now: DateTime<Utc>,
    /// The first legal instant from then on.
    pub first_legal: Option<DateTime<Utc>>,
    /// The most that a message may be late; `None` is no limit.
    pub max_lateness: Option<Duration>,
    /// The rule of a pack because of which `first_legal` is not earlier, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleTrace>,
    /// When the store was restored, if the message, or a rung below it, may have been sent before then.
    #[serde(default)]
    pub restored_at: Option<DateTime<Utc>>,
}

impl PlanTrace {
    /// How late the message would go; `None` if it is not late, or nothing is legal any more.
    pub fn lateness(&self) -> Option<Duration> {
        (self.late.as_ref()?.first_legal? - self.planned_at?).to_std().ok()
    }

    /// What each rule that had a say said, in their order.
    pub fn sentences(&self) -> Vec<(PlanRule, String)> {
        let mut sentences = vec![
            (PlanRule::BaseInstant, self.base_sentence()),
            (PlanRule::LegalInstant, self.legal_sentence()),
        ];
        if !self.base_legal {
            sentences.push((PlanRule::WhenClosed, self.when_closed_sentence()));
        }
        if let Some(late) = &self.late {
            sentences.push((PlanRule::Lateness, self.late_sentence(late)));
        }
        if let Some(entry) = self.duplicate_of {
            let sentence =
                format!("send[{entry}] goes on the same local day and is nearer to the appointment.");
            sentences.push((PlanRule::SameDay, sentence));
        }
        if let Some(rung) = &self.rung {
            sentences.push((PlanRule::Ladder, self.ladder_sentence(rung)));
        }
        sentences
    }

    /// What the answers model said about the hour, if it was asked.
    pub fn hour_sentence(&self) -> Option<String> {
        let (hour, planned_at) = (self.hour.as_ref()?, self.planned_at?);
        let (planned, chosen) = (self.shown_to_contact(planned_at), self.shown_to_contact(hour.chosen_at));
        let (planned_chance, chosen_chance) = (hour.planned_chance, hour.chosen_chance);
        Some(if hour.chosen_at == planned_at {
            format!("stays at {planned}: an answer is expected with {planned_chance}, at no other hour more.")
        } else {
            format!(
                "goes at {chosen}, not at {planned}: an answer is expected with {chosen_chance} then, and with \
                 {planned_chance} before."
            )
        })
    }

    fn base_sentence(&self) -> String {
        let meaning = match self.send_entry {
            _ if self.is_above_another() => "the wait after the rung below".to_owned(),
            SendEntry::DaysBefore { days: 1, .. } => "1 day before the appointment's date".to_owned(),
            SendEntry::DaysBefore { days, .. } => format!("{days} days before the appointment's date"),
            SendEntry::HoursBefore { before } => format!("{} before the appointment", elapsed(before)),
            SendEntry::Now => "now, when it was planned,".to_owned(),
        };
        let at = shown(self.base_at, self.appointment_zone);
        let local = self.base_local.format("%Y-%m-%d %H:%M");
        let zone = self.appointment_zone;
        match self.base_note {
            LocalTimeNote::Exact => format!("{meaning} is {at}."),
            LocalTimeNote::Gap => format!("{meaning} is {local}, which clocks in {zone} skip: {at}."),
            LocalTimeNote::Ambiguous => {
                format!("{meaning} is {local}, which clocks in {zone} show twice: the first, {at}.")
            }
        }
    }

    fn is_above_another(&self) -> bool {
        self.rung.as_ref().is_some_and(|rung| rung.below.is_some())
    }

    fn ladder_sentence(&self, rung: &RungTrace) -> String {
        let place = format!("rung {} of {}", rung.number, rung.of);
        if let Some(told_at) = rung.told_at {
            let told_at = self.shown_to_contact(told_at);
            return format!(
                "{place}: the person was told by it at {told_at}; those above wait from then on."
            );
        }
        if rung.below.is_some() {
            let wait = elapsed(rung.wait);
            return format!("{place}: goes if the rung below fails, or has no answer after {wait}.");
        }
        match rung.bound.map(|bound| (bound, self.shown_to_contact(bound))) {
            Some((bound, shown)) if self.planned_at.is_some_and(|at| at < self.base_at && at <= bound) => {
                format!("{place}: moved, so that the rungs above fit before the appointment; latest {shown}.")
            }
            Some((_, shown)) => format!("{place}: the rungs above fit if it goes by {shown}."),
            None => format!("{place}."),
        }
    }

    fn legal_sentence(&self) -> String {
        let at = self.shown_to_contact(self.base_at);
        if self.base_legal {
            format!("{at} is inside the contact window.")
        } else if !self.has_window {
            format!("{at} is not legal: the campaign has no contact window for the method.")
        } else if let Some(latest) = self.latest.filter(|latest| self.base_at > *latest) {
            let latest = self.shown_to_contact(latest);
            format!("{at} is after {latest}, the last instant that leaves enough notice.")
        } else if self.contact_zone.is_none() {
            format!("{at} is not legal: the zone of the person is unknown.")
        } else if let Some(rule) = self.rule.as_ref().filter(|rule| rule.instead_of == self.base_at) {
            format!("{at} is inside the contact window, but {} does not permit it.", rule.rule)
        } else if let Some(zone) = self.closed_in.filter(|zone| Some(*zone) != self.contact_zone) {
            let there = shown(self.base_at, zone);
            format!(
                "{at} is outside the contact window in {zone}, where the person may be too: it is {there} there."
            )
        } else {
            format!("{at} is outside the contact window.")
        }
    }

    fn when_closed_sentence(&self) -> String {
        let wanted = match self.when_closed {
            WhenClosed::Later => "the first legal instant after it",
            WhenClosed::Earlier => "the last legal minute before it",
            WhenClosed::Nearest => "the nearest legal instant",
            WhenClosed::Skip => {
                return "the campaign skips messages that fall outside the window.".to_owned();
            }
        };
        let rule = self.rule.as_ref().filter(|rule| rule.instead_of != self.base_at);
        let rule = self.rule_sentence(rule);
        if let Some(at) = self.planned_at {
            let margin =
                self.closing_margin.map(elapsed).map(|left| format!(" that leaves {left} until closing"));
            let (margin, at) = (margin.unwrap_or_default(), self.shown_to_contact(at));
            return format!("{wanted}{margin} is {at}{rule}.");
        }
        match self.latest.map(|latest| self.shown_to_contact(latest)) {
            Some(latest) => {
                format!("{wanted} does not exist: no legal one leaves enough notice, until {latest}{rule}.")
            }
            None => format!("{wanted} does not exist{rule}."),
        }
    }

    fn late_sentence(&self, late: &LateTrace) -> String {
        if let Some(restored_at) = late.restored_at {
            let restored = self.shown_to_contact(restored_at);
            return format!("it may have been sent before the store was restored at {restored}.");
        }
        let now = self.shown_to_contact(late.now);
        let (Some(first), Some(lateness)) = (late.first_legal, self.lateness()) else {
            let rule = self.rule_sentence(late.rule.as_ref());
            return format!("that had passed at {now}, and no legal instant is left{rule}.");
        };
        let rule = self.rule_sentence(late.rule.as_ref());
        let next = self.shown_to_contact(first);
        let next = format!("that had passed at {now}{rule}; the next legal instant is {next}");
        let lateness_shown = elapsed(lateness);
        match late.max_lateness {
            Some(max) if lateness > max => {
                format!("{next}, {lateness_shown} late, more than the {} allowed.", elapsed(max))
            }
            Some(max) => format!("{next}, {lateness_shown} late, within the {} allowed.", elapsed(max)),
            None => format!("{next}, {lateness_shown} late, and the campaign sets no limit."),
        }
    }

    /// `, as … does not permit …`, or nothing.
    fn rule_sentence(&self, rule: Option<&RuleTrace>) -> String {
        rule.map_or_else(String::new, |held| {
            format!(", as {} does not permit {}", held.rule, self.shown_to_contact(held.instead_of))
        })
    }

    fn shown_to_contact(&self, at: DateTime<Utc>) -> String {
        shown(at, self.contact_zone.unwrap_or(self.appointment_zone))
    }
}

impl fmt::Display for PlanTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (rule, sentence)) in self.sentences().iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{}. {sentence}", rule.number())?;
        }
        Ok(())
    }
}

fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&clock_at(at, zone)).format("%a %Y-%m-%d %H:%M %Z").to_string()
}

fn elapsed(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    match (minutes / 60, minutes % 60, duration.as_secs() % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
