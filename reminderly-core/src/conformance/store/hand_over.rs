//! Handing due messages to the queue.

use super::bench::{Answered as _, Bench, Placed};
use super::sending::accepted;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::contact_method::ContactMethod;
use crate::domain::message::{PlanVerdict, PlannedMessage};
use crate::domain::message_status::{MessageEvent, MessageStatus};
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::window::LegalInterval;
use crate::ids::{MessageId, PacketId};
use crate::ports::store::{
    ClaimOutcome, ClaimTerms, DueMessage, HandOver, HandedOver, MaxCopies, Snooze, SnoozeUntil, StoreError,
    WriteOutcome,
};

/// What is due becomes queued, with a copy, and is listed with its method.
pub async fn due_messages_are_handed_over(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let messages = vec![bench.message(packet, 1, 1), bench.e_mail(packet, 2, 2)];
    let placed: Vec<Placed> = messages.iter().map(|planned| bench.place(packet, planned, 1)).collect();
    bench.queue(packet, messages).await;
    let handed = bench.hand_over(packet).await;
    let methods = [ContactMethod::Sms, ContactMethod::Email];
    let due =
        |(placed, method): (&Placed, _)| DueMessage { id: placed.message, method, closes_at: bench.at(240) };
    let expected = placed.iter().zip(methods).map(due).collect();
    assert_eq!(handed, HandedOver { due: expected, ..HandedOver::default() });
    let state = bench.state(&placed[0]).await;
    assert_eq!((state.status, state.copy_until), (MessageStatus::Queued, Some(bench.at(10))));
    assert_eq!((state.epoch, state.attempts), (0, 0));
    let history = bench.store.history(bench.company, packet, placed[0].message).await.answered();
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].event, history[0].at), (MessageEvent::HandedOver, bench.now));
    assert_eq!((history[0].from, history[0].to), (MessageStatus::Planned, MessageStatus::Queued));
}

/// A message is due from the very instant.
pub async fn a_message_is_due_from_its_instant(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let messages = vec![bench.message_at(packet, 1, 1, 1), bench.message_at(packet, 2, 2, 0)];
    let ids = ids_of(&messages);
    bench.queue(packet, messages).await;
    assert_eq!(due(&bench.hand_over(packet).await), [ids[1]]);
    let next = HandOver { now: bench.at(1), ..bench.hand_over_terms() };
    assert_eq!(due(&bench.hand_over_with(packet, next).await), [ids[0]]);
}

/// A live copy is not doubled.
pub async fn a_message_is_handed_over_once(bench: &Bench) {
    let placed = bench.handed().await;
    assert_eq!(bench.hand_over(placed.packet).await, HandedOver::default());
    let before = HandOver { now: bench.at(9), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(placed.packet, before).await, HandedOver::default());
}

/// A copy that is presumed lost is made again, from the very instant.
pub async fn a_lost_copy_is_handed_over_again(bench: &Bench) {
    let placed = bench.handed().await;
    let again = HandOver { now: bench.at(10), copy_until: bench.at(20), ..bench.hand_over_terms() };
    assert_eq!(due(&bench.hand_over_with(placed.packet, again).await), [placed.message]);
    let state = bench.state(&placed).await;
    assert_eq!((state.status, state.copy_until), (MessageStatus::Queued, Some(bench.at(20))));
}

/// A message that was claimed has no copy to lose.
pub async fn a_claimed_message_is_not_handed_over(bench: &Bench) {
    for status in MessageStatus::ALL.into_iter().filter(|status| *status != MessageStatus::Planned) {
        let placed = bench.in_status(status).await;
        if status == MessageStatus::Queued {
            continue;
        }
        let much_later = HandOver { now: bench.at(200), ..bench.hand_over_terms() };
        assert_eq!(bench.hand_over_with(placed.packet, much_later).await, HandedOver::default(), "{status}");
    }
}

/// Draft, paused and archived campaigns send nothing.
pub async fn only_an_active_campaign_hands_over(bench: &Bench) {
    let placed = bench.queued(1).await[0];
    bench.pause().await;
    assert_eq!(bench.hand_over(placed.packet).await, HandedOver::default());
    bench.change_state(bench.campaign, CampaignState::Paused, CampaignState::Active).await;
    assert_eq!(due(&bench.hand_over(placed.packet).await), [placed.message]);
    let other = bench.queued(1).await[0];
    bench.change_state(bench.campaign, CampaignState::Active, CampaignState::Archived).await;
    assert_eq!(bench.hand_over(other.packet).await, HandedOver::default());
    assert_eq!(bench.status(&other).await, MessageStatus::Planned);
}

/// Packets that are not queued hand over nothing.
pub async fn only_a_queued_packet_hands_over(bench: &Bench) {
    use PacketStage as S;
    for stage in [S::Loaded, S::Mapped, S::Failed, S::Cancelled] {
        let packet = bench.loaded(1).await;
        bench.plan(packet, 0, 1, vec![bench.message(packet, 1, bench.serial())]).await;
        bench.raise(packet, stage).await;
        assert_eq!(bench.hand_over(packet).await, HandedOver::default(), "{stage}");
    }
}

/// Draining packets hand over nothing, until they stop draining.
pub async fn a_draining_packet_hands_over_nothing(bench: &Bench) {
    let placed = bench.queued(1).await[0];
    bench.drain(placed.packet, Draining::Completing).await;
    assert_eq!(bench.hand_over(placed.packet).await, HandedOver::default());
    bench.drain(placed.packet, Draining::Off).await;
    assert_eq!(due(&bench.hand_over(placed.packet).await), [placed.message]);
}

/// The window that closes first goes first, whatever has been due for longer.
pub async fn the_most_urgent_are_handed_over_first(bench: &Bench) {
    let packet = bench.loaded(5).await;
    let windows = [(-50, 90), (-10, 30), (-40, 60), (-20, 30), (-30, 30)];
    let messages: Vec<_> = (1..)
        .zip(windows)
        .map(|(n, (at, until))| {
            let legal = LegalInterval { from: bench.at(at), until: bench.at(until) };
            let verdict = PlanVerdict::Send { at: legal.from, legal };
            PlannedMessage { verdict, ..bench.message(packet, n, n) }
        })
        .collect();
    let ids = ids_of(&messages);
    bench.queue(packet, messages).await;
    let two = |minutes| HandOver { limit: 2, now: bench.at(minutes), ..bench.hand_over_terms() };
    // Only what is due counts, also for who asks with an earlier instant than somebody before.
    assert_eq!(due(&bench.hand_over_with(packet, two(-20)).await), [ids[4], ids[3]]);
    assert_eq!(due(&bench.hand_over_with(packet, two(-45)).await), [ids[0]]);
    // What is put back has its place again.
    let until = SnoozeUntil::NotBefore(bench.at(-15));
    let snooze = Snooze { message: ids[0], until, reason: "throttled".into(), at: bench.at(-20) };
    let outcomes = bench.store.snooze(bench.company, packet, &[snooze]).await.answered();
    assert_eq!(outcomes.into_vec(), [WriteOutcome::Applied]);
    assert_eq!(due(&bench.hand_over_with(packet, two(0)).await), [ids[1], ids[2]]);
    assert_eq!(due(&bench.hand_over_with(packet, two(0)).await), [ids[0]]);
}

/// Of windows that close at once the longest due go first, no more than the limit.
pub async fn the_longest_due_are_handed_over_first(bench: &Bench) {
    let packet = bench.loaded(4).await;
    let instants = [-10, -40, -30, -20];
    let messages: Vec<_> = (1..)
        .zip(instants)
        .map(|(n, minutes)| {
            let legal = LegalInterval { from: bench.at(minutes), until: bench.at(240) };
            let verdict = PlanVerdict::Send { at: legal.from, legal };
            PlannedMessage { verdict, ..bench.message(packet, n, n) }
        })
        .collect();
    let ids = ids_of(&messages);
    bench.queue(packet, messages).await;
    let three = HandOver { limit: 3, ..bench.hand_over_terms() };
    assert_eq!(due(&bench.hand_over_with(packet, three).await), [ids[1], ids[2], ids[3]]);
    assert_eq!(due(&bench.hand_over_with(packet, three).await), [ids[0]]);
}

/// No more copies than allowed live at once; a claim makes room.
pub async fn live_copies_are_bounded(bench: &Bench) {
    let placed = bench.queued(5).await;
    let packet = placed[0].packet;
    let two = HandOver { max_copies: MaxCopies::each(2), ..bench.hand_over_terms() };
    assert_eq!(bench.hand_over_with(packet, two).await.due.len(), 2);
    let full = bench.hand_over_with(packet, two).await;
    assert_eq!((full.due.len(), full.held_back), (0, true), "three more are due");
    let mut claimed = 0;
    for placed in &placed {
        if claimed == 0 && bench.status(placed).await == MessageStatus::Queued {
            bench.must_claim(placed).await;
            claimed += 1;
        }
    }
    assert_eq!(bench.hand_over_with(packet, two).await.due.len(), 1);
    let three = HandOver { max_copies: MaxCopies::each(3), ..two };
    assert_eq!(bench.hand_over_with(packet, three).await.due.len(), 1);
}

/// Methods are bounded apart, and one that has no more room is passed over, however urgent its messages are.
pub async fn live_copies_are_bounded_by_method(bench: &Bench) {
    let packet = bench.loaded(6).await;
    let messages: Vec<_> = (1..=6)
        .map(|n| {
            let legal =
                LegalInterval { from: bench.at(-10), until: bench.at(30 + i64::try_from(n).expect("few")) };
            let verdict = PlanVerdict::Send { at: legal.from, legal };
            let planned = match n {
                1..=3 => bench.phone_call(packet, n, n),
                4 => bench.message(packet, n, n),
                _ => bench.e_mail(packet, n, n),
            };
            PlannedMessage { verdict, ..planned }
        })
        .collect();
    let ids = ids_of(&messages);
    let call = bench.place(packet, &messages[0], 1);
    bench.queue(packet, messages).await;
    let terms = HandOver { max_copies: MaxCopies { sms: 2, email: 1, phone: 1 }, ..bench.hand_over_terms() };
    let handed = bench.hand_over_with(packet, terms).await;
    assert_eq!((due(&handed), handed.held_back), (vec![ids[0], ids[3], ids[4]], true), "in their order");
    let full = bench.hand_over_with(packet, terms).await;
    assert_eq!((full.due, full.held_back), (Vec::new(), true));
    let claim = ClaimTerms { method: ContactMethod::Phone, ..Bench::terms_at(bench.now) };
    assert!(matches!(bench.claim_with(&call, &claim).await, ClaimOutcome::Claimed(_)));
    assert_eq!(
        due(&bench.hand_over_with(packet, terms).await),
        [ids[1]],
        "the claim makes room for its method"
    );
    let more = HandOver { max_copies: MaxCopies { sms: 2, email: 2, phone: 1 }, ..terms };
    let handed = bench.hand_over_with(packet, more).await;
    assert_eq!((due(&handed), handed.held_back), (vec![ids[5]], true), "a call is left");
    let more = HandOver { max_copies: MaxCopies::each(2), ..terms };
    let handed = bench.hand_over_with(packet, more).await;
    assert_eq!((due(&handed), handed.held_back), (vec![ids[2]], false));
}

/// Copies that are lost need no room of their own.
pub async fn lost_copies_are_replaced_at_the_bound(bench: &Bench) {
    let placed = bench.queued(3).await;
    let two = HandOver { max_copies: MaxCopies::each(2), ..bench.hand_over_terms() };
    let first = bench.hand_over_with(placed[0].packet, two).await;
    let later = HandOver { now: bench.at(10), copy_until: bench.at(20), ..two };
    let mut again = due(&bench.hand_over_with(placed[0].packet, later).await);
    let mut expected = due(&first);
    again.sort();
    expected.sort();
    assert_eq!(again, expected);
}

/// What is due after its interval is told and left alone.
pub async fn late_messages_are_listed_and_not_recorded(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let messages = vec![bench.message_at(packet, 1, 1, -240), bench.message_at(packet, 2, 2, -239)];
    let placed = bench.place(packet, &messages[0], 1);
    let ids = ids_of(&messages);
    bench.queue(packet, messages).await;
    for expected_due in [vec![ids[1]], vec![]] {
        let handed = bench.hand_over(packet).await;
        assert_eq!((due(&handed), handed.late), (expected_due, vec![ids[0]]));
    }
    let state = bench.state(&placed).await;
    assert_eq!((state.status, state.copy_until), (MessageStatus::Planned, None));
    assert_eq!(bench.store.history(bench.company, packet, ids[0]).await.answered(), []);
}

/// A lost copy whose interval has ended is late, not due.
pub async fn a_lost_copy_may_be_late(bench: &Bench) {
    let placed = bench.handed().await;
    let later = HandOver { now: bench.at(240), copy_until: bench.at(250), ..bench.hand_over_terms() };
    let handed = bench.hand_over_with(placed.packet, later).await;
    assert_eq!(handed, HandedOver { late: vec![placed.message], ..HandedOver::default() });
    assert_eq!(bench.state(&placed).await.copy_until, Some(bench.at(10)));
}

/// The next instant is that of the first message without a copy, or of the first lost copy.
pub async fn the_next_due_instant_is_told(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let messages = vec![
        bench.message_at(packet, 1, 1, 90),
        bench.message_at(packet, 2, 2, -5),
        bench.message_at(packet, 3, 3, 5),
    ];
    let placed = bench.place(packet, &messages[1], 2);
    bench.queue(packet, messages).await;
    assert_eq!(next_due(bench, packet).await, Some(bench.at(-5)), "a past instant means now");
    bench.hand_over(packet).await;
    assert_eq!(next_due(bench, packet).await, Some(bench.at(5)));
    bench.hand_over_with(packet, HandOver { now: bench.at(5), ..bench.hand_over_terms() }).await;
    assert_eq!(next_due(bench, packet).await, Some(bench.at(10)), "a copy may be lost");
    bench.must_claim(&placed).await;
    assert_eq!(next_due(bench, packet).await, Some(bench.at(10)));
}

/// Nothing is due when all is closed or claimed.
pub async fn nothing_is_due_when_nothing_waits(bench: &Bench) {
    let sending = bench.sending().await;
    assert_eq!(next_due(bench, sending.packet).await, None);
    bench.must_settle(&sending, accepted(), MessageStatus::Sent).await;
    assert_eq!(next_due(bench, sending.packet).await, None);
    assert_eq!(next_due(bench, bench.id()).await, None);
}

/// A snoozed message has no copy and waits for its new instant.
pub async fn a_snoozed_message_is_due_later(bench: &Bench) {
    let placed = bench.handed().await;
    let until = SnoozeUntil::Planned { not_before: bench.at(30), legal_until: bench.at(60) };
    let snooze = Snooze { message: placed.message, until, reason: "throttled".into(), at: bench.at(1) };
    let outcomes = bench.store.snooze(bench.company, placed.packet, &[snooze]).await.answered();
    assert_eq!(outcomes.into_vec(), [WriteOutcome::Applied]);
    assert_eq!(next_due(bench, placed.packet).await, Some(bench.at(30)));
    assert_eq!(bench.hand_over(placed.packet).await, HandedOver::default());
    let later = HandOver { now: bench.at(30), copy_until: bench.at(40), ..bench.hand_over_terms() };
    assert_eq!(due(&bench.hand_over_with(placed.packet, later).await), [placed.message]);
}

/// A packet that does not exist says so.
pub async fn a_missing_packet_hands_over_nothing(bench: &Bench) {
    let terms = bench.hand_over_terms();
    let outcome = bench.store.hand_over(bench.company, bench.id::<PacketId>(), terms).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

fn due(handed: &HandedOver) -> Vec<MessageId> {
    handed.due.iter().map(|due| due.id).collect()
}

fn ids_of(messages: &[PlannedMessage]) -> Vec<MessageId> {
    messages.iter().map(|planned| planned.message.id).collect()
}

async fn next_due(bench: &Bench, packet: PacketId) -> Option<chrono::DateTime<chrono::Utc>> {
    bench.store.next_due(bench.company, packet).await.answered()
}
