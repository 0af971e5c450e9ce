//! Outcomes of contacts: what the answers model learns from.

use super::bench::{Answered as _, Bench};
use super::sending::accepted;
use super::values::person;
use crate::domain::answers::ContactOutcome;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message_status::MessageStatus;
use crate::domain::response::ResponseKind;
use crate::ports::store::{IncomingOutcome, OutcomeCursor};

/// More than a case has.
const ALL: usize = 1_000;

/// What arrived is told with its answer, in any packet.
pub async fn contacts_are_told_with_their_answers(bench: &Bench) {
    let (answered, silent) = (bench.sending().await, bench.sending().await);
    for placed in [&answered, &silent] {
        bench.must_settle(placed, accepted(), MessageStatus::Sent).await;
    }
    let outcome = bench.take_in(bench.answer(&answered, ResponseKind::Cancelled, 3)).await;
    assert_eq!(outcome, IncomingOutcome::Recorded);
    let sent_at = bench.state(&answered).await.sent_at.expect("it was sent");
    let expected = |n, response| ContactOutcome {
        person: person(n),
        method: ContactMethod::Sms,
        sent_at,
        contact_zone: chrono_tz::UTC,
        response,
    };
    let told = outcomes(bench, -60, ALL).await;
    let mut expected = [
        (answered.packet, expected(answered.n, Some(ResponseKind::Cancelled))),
        (silent.packet, expected(silent.n, None)),
    ];
    expected.sort_by_key(|(packet, _)| *packet);
    assert_eq!(told, expected.map(|(_, outcome)| outcome), "packet by packet");
}

/// What did not arrive, or may not have, is no contact.
pub async fn only_what_arrived_is_a_contact(bench: &Bench) {
    for status in MessageStatus::ALL {
        let before = outcomes(bench, -1_000, ALL).await.len();
        bench.in_status(status).await;
        let arrived = matches!(status, MessageStatus::Sent | MessageStatus::Delivered);
        assert_eq!(outcomes(bench, -1_000, ALL).await.len(), before + usize::from(arrived), "{status}");
    }
}

/// From an instant on, that very one included, and in pages of any size the same.
pub async fn contacts_are_paged_from_an_instant_on(bench: &Bench) {
    let placed = bench.queued(5).await;
    bench.hand_over(placed[0].packet).await;
    for placed in &placed {
        let placed = super::bench::Placed { epoch: bench.must_claim(placed).await.epoch, ..*placed };
        bench.must_settle(&placed, accepted(), MessageStatus::Sent).await;
    }
    bench.in_status(MessageStatus::Delivered).await;
    let all = outcomes(bench, -1_000, ALL).await;
    assert_eq!(all.len(), 6);
    for limit in 1..=6 {
        assert_eq!(outcomes(bench, -1_000, limit).await, all, "{limit}");
    }
    let first = all.iter().map(|outcome| outcome.sent_at).min().expect("six");
    let minutes = (first - bench.now).num_minutes();
    assert_eq!(outcomes(bench, minutes, ALL).await.len(), 6);
    assert_eq!(outcomes(bench, 600, ALL).await, []);
}

/// Another company's contacts are its own.
pub async fn contacts_are_a_companys_own(bench: &Bench) {
    bench.in_status(MessageStatus::Sent).await;
    let other = bench.beside().await;
    assert_eq!(outcomes(&other, -1_000, ALL).await, []);
    assert_eq!(outcomes(bench, -1_000, ALL).await.len(), 1);
}

/// The outcomes of the company since so many minutes after the noon, read in pages.
async fn outcomes(bench: &Bench, minutes: i64, limit: usize) -> Vec<ContactOutcome> {
    let (mut found, mut after): (Vec<_>, Option<OutcomeCursor>) = (Vec::new(), None);
    loop {
        let since = bench.at(minutes);
        let page = bench.store.contact_outcomes(bench.company, since, after, limit).await.answered();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
