//! What a use case must have come to. What was sent is told by the provider's log alone: by number and text.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::executor::block_on;
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::domain::contact_point::PhoneNumber;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::packet::{PacketOrigin, PacketStage};
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange, UnsubscribeSource};
use reminderly_core::ids::AttemptId;
use reminderly_core::ports::callback::CallbackEvent;
use reminderly_core::ports::store::{
    CampaignStore as _, DispositionOutcome, DispositionStore as _, IncomingStore as _, LocatedDisposition,
    MessageStore as _, UnsubscribeStore as _,
};
use reminderly_providers::sandbox::SandboxCallback;

use super::preparations::{REFUSING, ROWS};
use super::use_cases::Ready;
use crate::material;
use crate::world::World;

/// A text message: number and text.
type Text = (String, String);

/// How the answers of [`material::document`] begin to those who write 1 and 2.
const ANSWERS: [(&str, &str); 2] = [("1", "Thank you, "), ("2", "We have cancelled it, ")];

/// Each row of the one file was told once, and whoever wrote back was heard and answered once.
pub(super) fn each_row_told_once(world: &World, campaign: &Campaign, _: &Ready) {
    told_once(world);
    heard_and_answered_once(world, campaign);
}

/// Each row of the one file was told once.
pub(super) fn told_once(world: &World) {
    told(world, (0..ROWS).map(|index| reminder(index, "Name", "Wed 2:00 PM")));
}

/// Each person was told of the first of two appointments, and of no more on that day.
pub(super) fn each_person_told_once(world: &World) {
    let first_of = |person| (material::number(person), text_to(2 * person, "Name", "Wed 2:00 PM"));
    told(world, (0..ROWS / 2).map(first_of));
}

/// Each household was told once, of both appointments.
pub(super) fn each_household_told_once(world: &World) {
    let both = |first| format!("Name{first} 2:00 PM Name{} 2:00 PM", first + 1);
    told(world, (0..ROWS / 2).map(|household| (material::number(household), both(2 * household))));
}

/// Nobody was told what the first file said and the second does not: a time that has moved, a row that vanished, another name.
/// Whatever the second says was told once.
pub(super) fn told_as_the_second_file_says(world: &World) {
    let said = |index: usize| match index % 3 {
        0 => reminder(index, "Name", "Wed 3:00 PM"),
        1 => reminder(index, "Miss ", "Wed 2:00 PM"),
        _ => reminder(index, "Name", "Wed 2:00 PM"),
    };
    told(world, (1..ROWS).map(said));
}

/// Of two reminders those who refused after the first did not get the second.
pub(super) fn no_second_to_those_who_refused(world: &World) {
    let reminders = |index| if index < REFUSING { 1 } else { 2 };
    let to = |index| repeat_n(reminder(index, "Name", "Thu 2:00 PM"), reminders(index));
    told(world, (0..ROWS).flat_map(to));
}

/// The first person refused before anything was sent; each other row was told once.
pub(super) fn all_told_but_the_first(world: &World, campaign: &Campaign) {
    told(world, (1..ROWS).map(|index| reminder(index, "Name", "Wed 2:00 PM")));
    let first = [material::number(0)].into();
    let by_operator = |source: &UnsubscribeSource| matches!(source, UnsubscribeSource::Operator(_));
    refusals_stored_once(world, campaign, &first, by_operator);
}

/// What was due at the restore may have gone before it and never goes; what is due later was told once.
pub(super) fn told_what_was_not_due_at_the_restore(world: &World) {
    told(world, (1..ROWS).step_by(2).map(|index| reminder(index, "Name", "Wed 3:00 PM")));
}

/// Whoever called was told once that it was taken, and one message went.
pub(super) fn called_once(world: &World, campaign: &Campaign) {
    let text = "Clinic: Name0, your order is ready. STOP to opt out.";
    told(world, [(material::number(0), text.to_owned())]);
    assert_eq!(world.packets(campaign).len(), 1, "calls, of one that was repeated");
}

/// Everything was cancelled before anybody was told.
pub(super) fn cancelled_untold(world: &World, campaign: &Campaign) {
    told(world, []);
    for packet in world.packets(campaign) {
        assert_eq!(packet.stage, PacketStage::Cancelled);
    }
}

/// These files were taken in, each once and whole.
pub(super) fn files_taken_once(world: &World, campaign: &Campaign, names: &[&str]) {
    let packets = world.packets(campaign);
    let of_files = packets.iter().filter_map(|packet| match &packet.origin {
        PacketOrigin::File { name, .. } => Some((&**name, packet.rows.loaded)),
        _ => None,
    });
    // The second file has a row less.
    let expected = names.iter().enumerate().map(|(position, name)| (*name, (ROWS - position) as u64));
    assert_eq!(of_files.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "left: packets, right: files");
}

/// Another campaign was made and sends. There may be more of them: nothing tells a host that repeats from one that wants two.
pub(super) fn made_active_beside(world: &World, campaign: &Campaign) {
    let campaigns = block_on(world.store.campaigns(campaign.company, None, 100)).expect("listed").items;
    let is_made = |made: &&Campaign| made.id != campaign.id;
    assert!(campaigns.iter().filter(is_made).any(|made| made.state == CampaignState::Active));
    assert!(campaigns.iter().filter(is_made).all(|made| made.definition == campaign.definition));
}

/// The last edit is what the campaign says, and nobody left it paused.
pub(super) fn edited_and_active(world: &World, campaign: &Campaign) {
    let found = block_on(world.store.campaign(campaign.company, campaign.id));
    let found = found.expect("read").expect("a campaign");
    assert_eq!(found.state, CampaignState::Active);
    assert_eq!(found.definition.name, format!("Visits {}", found.version - 1));
}

/// Whatever the gateway took was stored once, and each reply that is to be answered was answered once.
pub(super) fn heard_and_answered_once(world: &World, campaign: &Campaign) {
    all_heard_and_answered_once(world, campaign, &[]);
}

/// The same, of these events too.
pub(super) fn all_heard_and_answered_once(world: &World, campaign: &Campaign, also: &[CallbackEvent]) {
    let mut events = heard_by_the_gateway(world);
    events.extend_from_slice(also);
    let replies = events.iter().filter_map(|event| match event {
        CallbackEvent::Incoming(incoming) => Some(incoming),
        CallbackEvent::Disposition(_) => None,
    });
    let reports = events.iter().filter_map(|event| match event {
        CallbackEvent::Disposition(disposition) => Some(disposition),
        CallbackEvent::Incoming(_) => None,
    });
    replies_stored_once(world, campaign, replies.clone());
    answered_once(world, replies);
    reports_stored_once(world, campaign, reports);
    let by_themselves = |source: &UnsubscribeSource| !matches!(source, UnsubscribeSource::Operator(_));
    refusals_stored_once(world, campaign, &refusing(world, &events), by_themselves);
}

/// What a callback of the sandbox says that was signed at this instant.
pub(super) fn said(world: &World, at: DateTime<Utc>, callback: &SandboxCallback) -> CallbackEvent {
    let mut events = world.sandbox.decoder().decode(&callback.request, at).expect("genuine");
    events.pop().expect("something")
}

fn heard_by_the_gateway(world: &World) -> Vec<CallbackEvent> {
    world.callbacks.iter().map(|(at, callback)| said(world, *at, callback)).collect()
}

fn reminder(index: usize, name: &str, at: &str) -> Text {
    (material::number(index), text_to(index, name, at))
}

fn text_to(index: usize, name: &str, at: &str) -> String {
    format!("Clinic: {name}{index}, see you {at}. STOP to opt out.")
}

/// Everything but the answers was accepted exactly so often.
fn told(world: &World, expected: impl IntoIterator<Item = Text>) {
    let reminders = accepted(world).filter(|(_, text)| kind_of_answer(text).is_none());
    let (found, expected) = (counted(reminders), counted(expected));
    assert_eq!(found, expected, "left: what the provider accepted, right: what was to be told");
}

/// The provider accepted exactly one answer to each reply that has one.
fn answered_once<'a>(world: &World, replies: impl Iterator<Item = &'a Incoming>) {
    let answers = accepted(world).filter_map(|(to, text)| Some((to, kind_of_answer(&text)?.to_owned())));
    let wanted = replies.filter_map(|reply| {
        let answer = ANSWERS.iter().find(|(word, _)| *word == &*reply.text);
        answer.map(|(_, answer)| (reply.from.address().to_owned(), (*answer).to_owned()))
    });
    let (found, expected) = (counted(answers), counted(wanted));
    assert_eq!(found, expected, "left: the answers that the provider accepted, right: the replies");
}

fn kind_of_answer(text: &str) -> Option<&'static str> {
    ANSWERS.iter().map(|(_, answer)| *answer).find(|answer| text.starts_with(answer))
}

fn accepted(world: &World) -> impl Iterator<Item = Text> {
    let requests = world.sandbox.accepted().into_iter();
    requests.map(|request| (request.contact.address().to_owned(), request.content.text().trim().to_owned()))
}

fn counted(texts: impl IntoIterator<Item = Text>) -> BTreeMap<Text, usize> {
    let mut counts = BTreeMap::new();
    texts.into_iter().for_each(|text| *counts.entry(text).or_default() += 1);
    counts
}

fn replies_stored_once<'a>(world: &World, campaign: &Campaign, replies: impl Iterator<Item = &'a Incoming>) {
    let page = block_on(world.store.incoming(campaign.company, None, 10_000)).expect("listed");
    let mut stored: Vec<_> = page.items.into_iter().map(|record| record.incoming.event).collect();
    let mut said: Vec<_> = replies.map(|reply| Arc::clone(&reply.event)).collect();
    stored.sort();
    said.sort();
    assert_eq!(stored, said, "left: the replies that are stored, right: those that were taken");
}

/// Each report is known, and what is known of an attempt is their join.
fn reports_stored_once<'a>(
    world: &World,
    campaign: &Campaign,
    reports: impl Iterator<Item = &'a Disposition>,
) {
    let mut joined: BTreeMap<AttemptId, AttemptReport> = BTreeMap::new();
    for disposition in reports {
        let report = disposition.report.clone();
        let earlier = joined.remove(&disposition.attempt).unwrap_or(AttemptReport::Accepted);
        joined.insert(disposition.attempt, earlier.join(report));
        let found = block_on(world.store.locate_attempts_across_companies(&[disposition.attempt]));
        let place = found.expect("read")[0].expect("an attempt");
        let (packet, message) = (place.packet, place.message);
        let located = LocatedDisposition { packet, message, disposition: disposition.clone() };
        let again = block_on(world.store.record_dispositions(campaign.company, &[located], world.now()));
        let again = again.expect("recorded").into_vec();
        assert!(matches!(again[..], [DispositionOutcome::Duplicate(_)]), "not stored: {disposition:?}");
    }
    for packet in world.packets(campaign) {
        for record in world.messages(campaign.company, packet.id) {
            let attempts = world.store.attempts(campaign.company, packet.id, record.message.id);
            for attempt in block_on(attempts).expect("listed") {
                assert_eq!(attempt.report.as_ref(), joined.get(&attempt.id), "{attempt:?}");
            }
        }
    }
}

/// The numbers of those who refuse, by what they write or complain of.
fn refusing(world: &World, events: &[CallbackEvent]) -> BTreeSet<String> {
    let requests = world.sandbox.accepted();
    let of_attempt = |id| requests.iter().find(|request| request.attempt == id).expect("an accepted request");
    let refusals = events.iter().filter_map(|event| match event {
        CallbackEvent::Incoming(reply) => (&*reply.text == "STOP").then(|| reply.from.clone()),
        CallbackEvent::Disposition(report) => {
            (report.report == AttemptReport::Complained).then(|| of_attempt(report.attempt).contact.clone())
        }
    });
    refusals.map(|from| from.address().to_owned()).collect()
}

/// The register holds these refusals, each once, and no others that came this way.
fn refusals_stored_once(
    world: &World,
    campaign: &Campaign,
    said: &BTreeSet<String>,
    came: fn(&UnsubscribeSource) -> bool,
) {
    let said: BTreeMap<&str, usize> = said.iter().map(|number| (number.as_str(), 1)).collect();
    let numbers: Vec<String> = (0..ROWS).map(material::number).collect();
    let stored = numbers.iter().map(|number| {
        let key = RefusalKey::Number(PhoneNumber::parse_stored(number).expect("a number"));
        let events = block_on(world.store.unsubscribe_events(campaign.company, &key)).expect("listed");
        let refusals = events.iter().filter(|event| event.change == UnsubscribeChange::OptedOut);
        (number.as_str(), refusals.filter(|event| came(&event.source)).count())
    });
    let stored: BTreeMap<_, _> = stored.filter(|(_, times)| *times > 0).collect();
    assert_eq!(stored, said, "left: the refusals that are stored, right: those that were said");
}
