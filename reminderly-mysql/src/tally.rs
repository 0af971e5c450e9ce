//! The counters of a packet, and their names in the table.

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message::PlanVerdict;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::report::PacketCounts;
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::row::RowFault;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::storage::{Counter, MessageData, Place};

/// One counter of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tally {
    /// Of messages as they stand.
    Now(Counter),
    /// Of messages of a method that have a copy in the queue.
    Copied(ContactMethod),
    /// Of messages that planning gave an instant.
    Planned,
    /// Of messages that planning skipped.
    SkippedAtPlanning(SkipReason),
    /// Of rows that were rejected.
    Fault(RowFault),
}

impl Tally {
    /// The counters in which a message counts as it stands.
    pub(crate) fn of(message: &MessageData) -> impl Iterator<Item = Self> {
        let copied = matches!(Place::of(message), Place::Copied(_));
        let copied = copied.then_some(Self::Copied(message.record.message.method));
        Counter::of(&message.record.state).map(Self::Now).chain(copied)
    }

    /// The counter of what planning made of a message.
    pub(crate) const fn of_plan(verdict: PlanVerdict) -> Self {
        match verdict {
            PlanVerdict::Send { .. } => Self::Planned,
            PlanVerdict::Skip(reason) => Self::SkippedAtPlanning(reason),
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Now(Counter::Status(status)) => format!("status.{}", status.as_str()),
            Self::Now(Counter::Skipped(reason)) => format!("skipped.{}", reason.as_str()),
            Self::Now(Counter::Open) => "open".to_owned(),
            Self::Now(Counter::Response(kind)) => format!("response.{}", kind.as_str()),
            Self::Copied(method) => format!("copied.{}", method.as_str()),
            Self::Planned => "planned".to_owned(),
            Self::SkippedAtPlanning(reason) => format!("skipped_at_planning.{}", reason.as_str()),
            Self::Fault(fault) => format!("fault.{}", fault.as_str()),
        }
    }

    /// The counter with this name; `None` if there is none.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let reason = |name: &str| SkipReason::ALL.into_iter().find(|reason| reason.as_str() == name);
        match name.split_once('.').unwrap_or((name, "")) {
            ("open", "") => Some(Self::Now(Counter::Open)),
            ("planned", "") => Some(Self::Planned),
            ("status", name) => {
                let status = MessageStatus::ALL.into_iter().find(|status| status.as_str() == name)?;
                Some(Self::Now(Counter::Status(status)))
            }
            ("skipped", name) => Some(Self::Now(Counter::Skipped(reason(name)?))),
            ("skipped_at_planning", name) => Some(Self::SkippedAtPlanning(reason(name)?)),
            ("response", name) => {
                let about = ResponseKind::ALL.into_iter().find(|kind| kind.as_str() == name);
                let kind = about.or_else(|| name.parse().ok().map(ResponseKind::Answer))?;
                Some(Self::Now(Counter::Response(kind)))
            }
            ("copied", name) => name.parse().ok().map(Self::Copied),
            ("fault", name) => {
                RowFault::ALL.into_iter().find(|fault| fault.as_str() == name).map(Self::Fault)
            }
            _ => None,
        }
    }

    /// Adds to the counter of a report; copies are in none.
    pub(crate) fn add_to(self, counts: &mut PacketCounts, count: u64) {
        let counter = match self {
            Self::Now(Counter::Status(status)) => counts.messages.entry(status).or_default(),
            Self::Now(Counter::Skipped(reason)) => counts.skipped.entry(reason).or_default(),
            Self::Now(Counter::Open) => &mut counts.open,
            Self::Now(Counter::Response(kind)) => counts.responses.entry(kind).or_default(),
            Self::Planned => &mut counts.planned,
            Self::SkippedAtPlanning(reason) => counts.skipped_at_planning.entry(reason).or_default(),
            Self::Fault(fault) => counts.faults.entry(fault).or_default(),
            Self::Copied(_) => return,
        };
        *counter += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_by_their_names() {
        let statuses = MessageStatus::ALL.map(|status| Tally::Now(Counter::Status(status)));
        let reasons = SkipReason::ALL;
        let skipped = reasons.map(|reason| Tally::Now(Counter::Skipped(reason)));
        let planned = reasons.map(Tally::SkippedAtPlanning);
        let own = ResponseKind::Answer("positive".parse().expect("a name"));
        let responses =
            ResponseKind::ALL.into_iter().chain([own]).map(|kind| Tally::Now(Counter::Response(kind)));
        let copied = ContactMethod::ALL.map(Tally::Copied);
        let faults = RowFault::ALL.map(Tally::Fault);
        let all =
            statuses.into_iter().chain(skipped).chain(planned).chain(responses).chain(copied).chain(faults);
        let all: Vec<Tally> = all.chain([Tally::Now(Counter::Open), Tally::Planned]).collect();
        for tally in &all {
            assert_eq!(Tally::named(&tally.name()), Some(*tally));
        }
        assert_eq!(Tally::named("status.lost"), None);
    }
}
