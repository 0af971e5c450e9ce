//! Planning: mapped rows become messages.

use chrono::TimeDelta;

use super::bench::{Answered as _, Bench, Placed};
use super::sending::accepted;
use super::values::rejected;
use crate::domain::caps::Caps;
use crate::domain::message::{Detail, MessageRecord, MessageState, PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::PacketStage;
use crate::domain::row::{RowFault, RowNumber};
use crate::domain::skip_reason::SkipReason;
use crate::ids::{MessageId, PacketId};
use crate::ports::store::{PlanBatch, PlanOutcome, StoreError};

const STORED: PlanOutcome = PlanOutcome::Stored { duplicates: 0 };

/// Messages read back as they were planned, in the order of their making.
pub async fn planned_messages_are_read_back(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let skipped = skip(bench.message(packet, 2, 2), SkipReason::Unsubscribed);
    let mut unreachable = skip(bench.message(packet, 3, 3), SkipReason::NoContactPoint);
    unreachable.message.contact = None;
    unreachable.message.person = None;
    unreachable.message.content = None;
    let planned = vec![bench.message(packet, 1, 1), bench.e_mail(packet, 1, 1), skipped, unreachable];
    assert_eq!(bench.plan(packet, 0, 3, planned.clone()).await, STORED);
    let expected: Vec<_> = planned
        .into_iter()
        .map(|planned| MessageRecord {
            state: MessageState::planned(planned.verdict),
            message: planned.message,
        })
        .collect();
    for record in &expected {
        let found = bench.store.message(bench.company, packet, record.message.id).await.answered();
        assert_eq!(found.as_ref(), Some(record));
    }
    let all = bench.store.messages(bench.company, packet, None, 10).await.answered();
    assert_eq!((all.items, all.next), (expected, None));
    assert_eq!(bench.packet(packet).await.mapped_through, RowNumber(3));
}

/// Pages in the order of making: full, full, rest.
pub async fn messages_are_paged(bench: &Bench) {
    let packet = bench.loaded(5).await;
    let planned: Vec<_> = (1..=5).rev().map(|n| bench.message(packet, 6 - n, n)).collect();
    let ids: Vec<MessageId> = planned.iter().map(|planned| planned.message.id).collect();
    bench.plan(packet, 0, 5, planned).await;
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = bench.store.messages(bench.company, packet, after, 2).await.answered();
        sizes.push(page.items.len());
        found.extend(page.items.iter().map(|record| record.message.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, sizes), (ids, vec![2, 2, 1]));
}

/// A batch that does not start where the packet stands changes nothing; repeated or ahead.
pub async fn a_plan_starts_where_the_packet_stands(bench: &Bench) {
    let packet = bench.loaded(3).await;
    let first = vec![bench.message(packet, 1, 1)];
    assert_eq!(bench.plan(packet, 0, 1, first.clone()).await, STORED);
    assert_eq!(bench.plan(packet, 0, 1, first).await, PlanOutcome::Stale);
    assert_eq!(bench.plan(packet, 2, 3, vec![bench.message(packet, 3, 3)]).await, PlanOutcome::Stale);
    assert_eq!(bench.plan(packet, 1, 3, vec![bench.message(packet, 2, 2)]).await, STORED);
    let all = bench.store.messages(bench.company, packet, None, 10).await.answered();
    assert_eq!(all.items.len(), 2);
}

/// Planning is for packets that are loaded.
pub async fn a_plan_needs_a_loaded_packet(bench: &Bench) {
    for stage in PacketStage::ALL.into_iter().filter(|stage| *stage != PacketStage::Loaded) {
        let packet = bench.packet_in(stage).await;
        let outcome = bench.plan(packet, 0, 1, vec![bench.message(packet, 1, 1)]).await;
        assert_eq!(outcome, PlanOutcome::Stale, "{stage}");
    }
    let packet = bench.loaded(1).await;
    let outcome = bench.plan(packet, 0, 1, vec![bench.message(packet, 1, 1)]).await;
    assert_eq!(outcome, STORED, "what is refused takes no natural key");
}

/// Rows count once each: planned if any message goes, skipped if none does, failed if there is none.
pub async fn planned_rows_are_counted(bench: &Bench) {
    let packet = bench.loaded(4).await;
    let messages = vec![
        skip(bench.message(packet, 1, 1), SkipReason::Unsubscribed),
        bench.e_mail(packet, 1, 1),
        bench.message(packet, 2, 2),
        bench.e_mail(packet, 2, 2),
        skip(bench.message(packet, 3, 3), SkipReason::PastDue),
        skip(bench.e_mail(packet, 3, 3), SkipReason::PastDue),
    ];
    let batch = PlanBatch {
        after: RowNumber(0),
        through: RowNumber(4),
        messages,
        appointments: Vec::new(),
        expected: Vec::new(),
        failed: vec![rejected(4, RowFault::InvalidDate)],
        named: Vec::new(),
        caps: Caps::default(),
        at: bench.now,
    };
    assert_eq!(bench.store.plan(bench.company, packet, batch).await.answered(), STORED);
    let rows = bench.packet(packet).await.rows;
    assert_eq!((rows.planned, rows.skipped, rows.failed), (2, 1, 1));
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!((counts.planned, counts.open), (3, 3));
    assert_eq!(counts.in_status(MessageStatus::Skipped), 3);
    let skipped: Vec<_> = counts.skipped.iter().map(|(reason, count)| (*reason, *count)).collect();
    assert_eq!(skipped, [(SkipReason::Unsubscribed, 1), (SkipReason::PastDue, 2)]);
    assert_eq!(counts.skipped, counts.skipped_at_planning);
    assert_eq!(counts.faults.get(&RowFault::InvalidDate), Some(&1));
    assert_eq!(counts.ledger().gaps(), []);
}

/// Rows without messages only move the packet on.
pub async fn an_empty_plan_moves_the_packet_on(bench: &Bench) {
    let packet = bench.loaded(2).await;
    assert_eq!(bench.plan(packet, 0, 2, Vec::new()).await, STORED);
    assert_eq!(bench.packet(packet).await.mapped_through, RowNumber(2));
}

/// The first of a batch takes the natural key.
pub async fn a_natural_key_is_taken_once_in_a_batch(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let messages = vec![bench.message(packet, 1, 1), bench.message(packet, 2, 1)];
    let (first, second) = pair(bench, packet, &messages);
    assert_eq!(bench.plan(packet, 0, 2, messages).await, PlanOutcome::Stored { duplicates: 1 });
    assert_eq!(bench.status(&first).await, MessageStatus::Planned);
    let state = bench.state(&second).await;
    assert_eq!(state, MessageState::planned(PlanVerdict::Skip(SkipReason::Duplicate)));
    let rows = bench.packet(packet).await.rows;
    assert_eq!((rows.planned, rows.skipped), (1, 1));
}

/// What the planner itself skipped as a duplicate took no key from anybody and is not counted again.
pub async fn a_duplicate_of_the_planner_is_not_the_stores(bench: &Bench) {
    let packet = bench.loaded(1).await;
    let messages =
        vec![bench.message(packet, 1, 1), skip(bench.message(packet, 1, 1), SkipReason::Duplicate)];
    assert_eq!(bench.plan(packet, 0, 1, messages).await, STORED);
}

/// Other appointments, contact points, methods and local days have other keys.
pub async fn natural_keys_differ_in_every_part(bench: &Bench) {
    let packet = bench.loaded(6).await;
    let of = |row, change: &dyn Fn(&mut PlannedMessage)| {
        let mut planned = bench.message(packet, row, 1);
        change(&mut planned);
        planned
    };
    let messages = vec![
        bench.message(packet, 1, 1),
        of(2, &|planned| planned.message.key = super::values::key(2)),
        of(3, &|planned| planned.message.contact = Some(super::values::sms(2))),
        bench.e_mail(packet, 4, 1),
        bench.message_at(packet, 5, 1, 37 * 60),
        // 11:00 UTC is the next day there.
        of(6, &|planned| planned.message.contact_zone = chrono_tz::Pacific::Kiritimati),
    ];
    assert_eq!(bench.plan(packet, 0, 6, messages).await, STORED);
}

/// The whole company shares natural keys, whatever the packet or campaign.
pub async fn a_natural_key_is_taken_across_packets_and_campaigns(bench: &Bench) {
    let first = bench.queued(1).await[0];
    for campaign in [bench.campaign, bench.new_campaign(bench.id()).await.id] {
        let new = crate::ports::store::NewPacket { campaign, ..bench.file(bench.serial() + 50) };
        let packet = bench.create(new).await;
        bench.raise(packet, PacketStage::Loaded).await;
        let mut again = bench.message(packet, 1, first.n);
        again.message.campaign = campaign;
        assert_eq!(bench.plan(packet, 0, 1, vec![again]).await, PlanOutcome::Stored { duplicates: 1 });
    }
}

/// A holder that ended unsent lets another one go.
pub async fn a_natural_key_is_free_when_its_holder_ends_unsent(bench: &Bench) {
    for status in MessageStatus::ALL {
        let holder = bench.in_status(status).await;
        let duplicates = u64::from(!status.is_unsent());
        assert_eq!(plan_like(bench, &holder).await.1, PlanOutcome::Stored { duplicates }, "{status}");
    }
}

/// Whoever took the freed key holds it.
pub async fn a_freed_natural_key_is_taken_by_the_next(bench: &Bench) {
    let first = bench.in_status(MessageStatus::Cancelled).await;
    assert_eq!(plan_like(bench, &first).await.1, STORED);
    assert_eq!(plan_like(bench, &first).await.1, PlanOutcome::Stored { duplicates: 1 });
}

/// A duplicate holds nothing: its end frees nothing.
pub async fn a_skipped_duplicate_does_not_free_the_key(bench: &Bench) {
    let holder = bench.in_status(MessageStatus::Sent).await;
    let (packet, outcome) = plan_like(bench, &holder).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 });
    bench.store.cancel_open(bench.company, packet, bench.now, 10).await.answered();
    assert_eq!(plan_like(bench, &holder).await.1, PlanOutcome::Stored { duplicates: 1 });
}

/// Evidence of a send takes the key back.
pub async fn a_natural_key_is_taken_again_by_a_late_truth(bench: &Bench) {
    let failed = bench.in_status(MessageStatus::Failed).await;
    bench.report(&failed, "late", crate::domain::disposition::AttemptReport::Delivered).await;
    assert_eq!(plan_like(bench, &failed).await.1, PlanOutcome::Stored { duplicates: 1 });
}

/// Unknown is no refusal: the message may have gone.
pub async fn a_message_in_flight_keeps_its_natural_key(bench: &Bench) {
    let sending = bench.sending().await;
    assert_eq!(plan_like(bench, &sending).await.1, PlanOutcome::Stored { duplicates: 1 });
    bench.must_settle(&sending, accepted(), MessageStatus::Sent).await;
    assert_eq!(plan_like(bench, &sending).await.1, PlanOutcome::Stored { duplicates: 1 });
}

/// A skipped message takes no key.
pub async fn a_skipped_message_takes_no_natural_key(bench: &Bench) {
    let packet = bench.loaded(2).await;
    let messages = vec![skip(bench.message(packet, 1, 1), SkipReason::Cap), bench.message(packet, 2, 1)];
    let (first, second) = pair(bench, packet, &messages);
    assert_eq!(bench.plan(packet, 0, 2, messages).await, STORED);
    assert_eq!(bench.state(&first).await.detail, Some(Detail::Skip(SkipReason::Cap)));
    assert_eq!(bench.status(&second).await, MessageStatus::Planned);
}

/// Writes to a packet that does not exist say so; reads find nothing.
pub async fn messages_of_a_missing_packet_are_missing(bench: &Bench) {
    let (company, packet) = (bench.company, bench.id::<PacketId>());
    let (after, through, at) = (RowNumber(0), RowNumber(1), bench.now + TimeDelta::zero());
    let batch = PlanBatch {
        after,
        through,
        messages: Vec::new(),
        appointments: Vec::new(),
        expected: Vec::new(),
        failed: Vec::new(),
        named: Vec::new(),
        caps: Caps::default(),
        at,
    };
    let planned = bench.store.plan(company, packet, batch).await;
    assert!(matches!(planned, Err(StoreError::Missing { .. })), "{planned:?}");
    assert_eq!(bench.store.message(company, packet, bench.id()).await.answered(), None);
    assert!(bench.store.messages(company, packet, None, 9).await.answered().items.is_empty());
    assert_eq!(bench.store.attempts(company, packet, bench.id()).await.answered(), []);
    assert_eq!(bench.store.attempt(company, packet, bench.id()).await.answered(), None);
    assert_eq!(bench.store.history(company, packet, bench.id()).await.answered(), []);
}

fn skip(planned: PlannedMessage, reason: SkipReason) -> PlannedMessage {
    PlannedMessage { verdict: PlanVerdict::Skip(reason), ..planned }
}

fn pair(bench: &Bench, packet: PacketId, messages: &[PlannedMessage]) -> (Placed, Placed) {
    (bench.place(packet, &messages[0], 1), bench.place(packet, &messages[1], 1))
}

/// Plans a message with the natural key of a placed one in a new packet.
async fn plan_like(bench: &Bench, holder: &Placed) -> (PacketId, PlanOutcome) {
    let packet = bench.loaded(1).await;
    let message = bench.message(packet, 1, holder.n);
    (packet, bench.plan(packet, 0, 1, vec![message]).await)
}
