//! What people answer to a household's message.

use super::bench::{Answered as _, Bench, Placed};
use super::counters::assert_packet;
use super::family::{Family, child, keys};
use super::values::{own_answer, person, sms};
use crate::domain::incoming::{Answerable, Arrival, IncomingRecord, TiedResponse};
use crate::domain::message_status::MessageStatus;
use crate::domain::response::{Response, ResponseKind};
use crate::ports::store::{IncomingOutcome, SettleVerdict};

/// A household's message can be answered for each of its appointments.
pub async fn each_appointment_of_a_household_is_answerable(bench: &Bench) {
    let family = bench.told_family().await;
    let found = answerable(bench, &family).await;
    assert_eq!(found.iter().map(|it| it.key.clone()).collect::<Vec<_>>(), keys(&family));
    for ((position, it), member) in (0..).zip(&found).zip(&family.children) {
        assert_eq!((it.message, it.member), (family.household.message, Some(member.message)));
        assert_eq!(it.person, person(member.n));
        let appointment = child(family.household.n, position).appointment(bench);
        assert_eq!((it.appointment, it.until), (Some(appointment), appointment.at));
        assert_eq!((it.response, it.answer), (None, None));
    }
}

/// One answer may be about all of them, as one fact; each appointment has it, and counts it.
pub async fn an_answer_may_be_about_all_appointments_of_a_household(bench: &Bench) {
    let family = bench.told_family().await;
    let record = answer(bench, &family, &[0, 1], ResponseKind::Confirmed);
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    let confirmed = Some(ResponseKind::Confirmed);
    for it in answerable(bench, &family).await {
        assert_eq!(it.response, confirmed);
    }
    for member in &family.children {
        assert_eq!(bench.state(member).await.response.map(|response| response.kind), confirmed);
    }
    let counts = bench.store.packet_counts(bench.company, family.packet).await.answered();
    assert_eq!(counts.responses.get(&ResponseKind::Confirmed), Some(&2));
    assert_packet(bench, family.packet).await;
    let page = bench.store.contact_outcomes(bench.company, bench.at(-600), None, 100).await.answered();
    let contacts: Vec<_> = page.items.iter().map(|contact| contact.response).collect();
    assert_eq!(contacts, [confirmed], "one contact, and it was answered");
}

/// An answer about one of them leaves the other as it is.
pub async fn an_answer_may_be_about_one_appointment_of_a_household(bench: &Bench) {
    let family = bench.told_family().await;
    let record = answer(bench, &family, &[1], ResponseKind::Cancelled);
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    let responses: Vec<_> = answerable(bench, &family).await.iter().map(|it| it.response).collect();
    assert_eq!(responses, [None, Some(ResponseKind::Cancelled)]);
    let later = bench.loaded(2).await;
    let mut next =
        [0, 1].map(|position| super::family::alone(bench, later, family.household.n, position, 24 * 60));
    for planned in &mut next {
        planned.message.packet = later;
    }
    let placed = [0, 1].map(|position: usize| bench.place(later, &next[position], 1));
    bench.plan(later, 0, 2, next.to_vec()).await;
    assert_eq!(bench.status(&placed[0]).await, MessageStatus::Planned);
    assert_eq!(bench.status(&placed[1]).await, MessageStatus::Skipped, "it is released");
}

/// If one of the answers cannot be given any more, none is.
pub async fn answers_of_a_household_are_stored_together(bench: &Bench) {
    let family = bench.told_family().await;
    bench.take_in(answer(bench, &family, &[1], ResponseKind::Cancelled)).await;
    let stale = answer(bench, &family, &[0, 1], ResponseKind::Confirmed);
    assert_eq!(bench.take_in(stale).await, IncomingOutcome::Stale);
    let responses: Vec<_> = answerable(bench, &family).await.iter().map(|it| it.response).collect();
    assert_eq!(responses, [None, Some(ResponseKind::Cancelled)]);
    let mut stranger = answer(bench, &family, &[0], ResponseKind::Confirmed);
    stranger.effect.responses[0].member = Some(bench.id());
    assert_eq!(bench.take_in(stranger).await, IncomingOutcome::Stale, "no member");
}

/// A campaign's own answer is the message's, for all of them.
pub async fn a_campaigns_own_answer_is_the_households(bench: &Bench) {
    let family = bench.told_family().await;
    let good = own_answer("positive");
    let mut record = answer(bench, &family, &[0], good);
    record.effect.responses[0].member = None;
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    for it in answerable(bench, &family).await {
        assert_eq!((it.response, it.answer), (None, Some(good)));
    }
}

/// Who answers has got the message, and so all of it.
pub async fn an_answer_proves_that_a_household_was_told(bench: &Bench) {
    let family = bench.sending_family().await;
    let ambiguous = SettleVerdict::Ambiguous { code: "timeout".to_owned() };
    bench.must_settle(&family.household, ambiguous, MessageStatus::Unknown).await;
    let record = answer(bench, &family, &[1], ResponseKind::Confirmed);
    assert_eq!(bench.take_in(record).await, IncomingOutcome::Recorded);
    let told = [MessageStatus::Sent, MessageStatus::Skipped, MessageStatus::Skipped];
    assert_eq!(bench.statuses(&family).await, told);
}

async fn answerable(bench: &Bench, family: &Family) -> Vec<Answerable> {
    bench.store.answerable(bench.company, &sms(family.household.n), bench.now).await.answered()
}

/// An answer to a household's message about these of its children.
fn answer(bench: &Bench, family: &Family, children: &[usize], kind: ResponseKind) -> IncomingRecord {
    let Placed { packet, message, n, .. } = family.household;
    let mut record = bench.incoming(n);
    let response = Response { kind, incoming: record.id, at: bench.at(4) };
    let tied = |position: &usize| {
        let member = Some(family.children[*position].message);
        TiedResponse { packet, message, member, response, arrival: Arrival::Proven }
    };
    record.effect.responses = children.iter().map(tied).collect();
    record
}
