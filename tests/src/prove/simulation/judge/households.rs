//! One message for the appointments of a day that one contact point is told of.

use std::collections::{BTreeMap, BTreeSet};

use reminderly_core::domain::household::HOUSEHOLD_MAX;
use reminderly_core::domain::message::{Message, Origin};
use reminderly_core::ids::MessageId;

use super::{Accepted, Evidence};

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let accepted: BTreeSet<MessageId> =
        evidence.accepted.iter().map(|accepted| accepted.request.message).collect();
    for request in &evidence.accepted {
        at_once(evidence, request, &accepted, wrong);
    }
    // A backup may know of the messages and not of what stood for them.
    if !evidence.trial.schedule.is_restored() {
        together(evidence, &accepted, wrong);
    }
}

/// A household's message names its members, and none of them goes by itself.
fn at_once(
    evidence: &Evidence<'_>,
    request: &Accepted,
    accepted: &BTreeSet<MessageId>,
    wrong: &mut Vec<String>,
) {
    let made = evidence.seen.made.get(&request.request.message);
    let Some(Origin::Household { members, .. }) = made.map(|made| &made.origin) else { return };
    let id = request.request.message;
    let meant: BTreeSet<(&str, &str)> =
        members.iter().map(|member| (member.key.as_str(), member.person.as_str())).collect();
    let named: BTreeSet<(&str, &str)> =
        request.said.iter().map(|said| (said.key.as_str(), said.person.as_str())).collect();
    if meant != named || request.said.len() != members.len() {
        wrong.push(format!("household: message {id} names {named:?} and stands for {meant:?}"));
    }
    for member in members.iter().filter(|member| accepted.contains(&member.message)) {
        wrong.push(format!("household: message {} went although {id} had told of it", member.message));
    }
}

/// Who was told of two appointments of a day by two messages had been told of neither at once.
fn together(evidence: &Evidence<'_>, accepted: &BTreeSet<MessageId>, wrong: &mut Vec<String>) {
    let mut alike: BTreeMap<_, Vec<(MessageId, bool)>> = BTreeMap::new();
    for (id, (position, record)) in &evidence.records {
        let message = &record.message;
        if evidence.trial.schedule.campaigns[*position].is_household
            && let Some(common) = in_common(message)
        {
            let went_alone = accepted.contains(id) && record.state.household.is_none();
            alike.entry((message.packet, common)).or_default().push((*id, went_alone));
        }
    }
    for messages in alike.into_values().filter(|messages| messages.len() <= HOUSEHOLD_MAX) {
        let alone: Vec<MessageId> =
            messages.iter().filter(|(_, alone)| *alone).map(|(message, _)| *message).collect();
        if alone.len() > 1 {
            wrong.push(format!("household: {alone:?} went to one contact point about one day"));
        }
    }
}

/// What messages have in common that are told at once, by the words of the documentation.
fn in_common(message: &Message) -> Option<impl Ord + use<>> {
    let Origin::Row { entry, .. } = message.origin else { return None };
    let planned_at = message.trace.as_ref()?.planned_at?;
    let appointment_day = message.appointment?.local.date();
    let contact = message.contact.clone()?;
    let zone = message.contact_zone;
    Some((contact, appointment_day, planned_at.with_timezone(&zone).date_naive(), entry, zone.name()))
}
