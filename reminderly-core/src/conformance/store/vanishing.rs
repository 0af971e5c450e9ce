//! Appointments that the next file does not name.

use super::bench::{Answered as _, Bench, Placed};
use super::ledger::{Saying, saying};
use super::sending::ambiguous;
use super::values::key;
use crate::domain::appointment_change::AppointmentChange;
use crate::domain::attempt::ReturnReason;
use crate::domain::held_appointment::Standing;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, PacketStage};
use crate::domain::row::RowNumber;
use crate::domain::vanished::KeptBecause;
use crate::ids::PacketId;
use crate::ports::store::{
    ClaimRefusal, PlanBatch, PlanOutcome, SettleVerdict, StoreError, VanishOutcome, Vanishing, WriteOutcome,
};

/// What waits is cancelled, whether it was handed over or not; everything closes, and the later packet tells how much it was.
pub async fn what_vanishes_is_cancelled(bench: &Bench) {
    let planned = bench.say_first(saying(1)).await;
    let queued = bench.say_first(saying(2)).await;
    bench.hand_over(queued.packet).await;
    let later = bench.later_file().await;
    for placed in [&planned, &queued] {
        assert_eq!(vanish(bench, later, placed.packet).await, page(1));
        assert_eq!(bench.status(placed).await, MessageStatus::Cancelled);
        let history = bench.store.history(bench.company, placed.packet, placed.message).await.answered();
        let reason = &history.last().expect("it was cancelled").reason;
        assert!(reason.contains(&later.to_string()), "{reason}");
        super::counters::assert_packet(bench, placed.packet).await;
    }
    assert_eq!(bench.held(1).await[0].standing, Standing::Vanished);
    let vanished = bench.packet(later).await.vanished;
    assert_eq!((vanished.appointments, vanished.cancelled, vanished.kept), (2, 2, None));
}

/// To do it again changes nothing.
pub async fn what_has_vanished_vanishes_once(bench: &Bench) {
    let placed = bench.say_first(saying(1)).await;
    let later = bench.later_file().await;
    assert_eq!(vanish(bench, later, placed.packet).await, page(1));
    let (held, packet) = (bench.held(1).await, bench.packet(later).await);
    assert_eq!(vanish(bench, later, placed.packet).await, page(0));
    assert_eq!((bench.held(1).await, bench.packet(later).await), (held, packet));
}

/// What a later packet has named stays, in whatever words; so does what lies in the past, and what the later packet itself brings.
pub async fn what_is_named_or_past_does_not_vanish(bench: &Bench) {
    let unchanged = bench.say_first(saying(1)).await;
    let unmapped = bench.say_first(saying(2)).await;
    let past = bench.say_first(Saying { hour: -1, ..saying(3) }).await;
    let begins = bench.say_first(Saying { hour: 0, ..saying(4) }).await;
    let later = bench.later_file().await;
    let mut batch = bench.batch_of(later, &bench.held(1).await, saying(1), Vec::new());
    batch.named = vec![key(2)];
    assert_eq!(bench.plan_batch(later, batch).await, PlanOutcome::Stored { duplicates: 0 });
    for placed in [&unchanged, &unmapped, &past, &begins] {
        assert_eq!(vanish(bench, later, placed.packet).await, page(0));
        assert_eq!(bench.status(placed).await, MessageStatus::Planned);
    }
    assert_eq!(vanish(bench, later, later).await, page(0));
    let still_later = bench.later_file().await;
    assert_eq!(vanish(bench, still_later, unmapped.packet).await, page(1), "named once is not named again");
}

/// An earlier packet cannot make vanish what a later one has named.
pub async fn an_earlier_packet_makes_nothing_of_a_later_one_vanish(bench: &Bench) {
    let earlier = bench.later_file().await;
    let placed = bench.say_first(saying(1)).await;
    assert_eq!(vanish(bench, earlier, placed.packet).await, page(0));
    assert_eq!(bench.status(&placed).await, MessageStatus::Planned);
}

/// What is in flight when its appointment vanishes, and comes back unsent, dies at the next claim.
pub async fn what_comes_back_vanished_is_refused(bench: &Bench) {
    let placed = bench.say_first(saying(1)).await;
    bench.hand_over(placed.packet).await;
    let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
    let later = bench.later_file().await;
    assert_eq!(vanish(bench, later, placed.packet).await, page(0));
    let returned = SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: bench.now };
    bench.must_settle(&placed, returned, MessageStatus::Queued).await;
    bench.hand_over(placed.packet).await;
    bench.assert_refused(&placed, ClaimRefusal::Superseded).await;
    assert_eq!(bench.packet(later).await.vanished.appointments, 1);
}

/// What goes on for the row of a packet that has nothing else to send vanishes with it: before it comes back unsent, and after.
pub async fn what_goes_on_for_another_row_vanishes_with_it(bench: &Bench) {
    for n in [1, 2] {
        let placed = bench.say_first(saying(n)).await;
        bench.hand_over(placed.packet).await;
        let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
        bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown).await;
        let (_, outcome) = bench.say(Saying { digest: 2, ..saying(n) }).await;
        assert_eq!(outcome, PlanOutcome::Stored { duplicates: 1 }, "the message goes on");
        if n == 1 {
            bench.must_settle(&placed, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
        }
        let later = bench.later_file().await;
        assert_eq!(vanish(bench, later, placed.packet).await, page(2 - n));
        if n == 2 {
            bench.must_settle(&placed, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
            let again = Placed { attempt: bench.id(), ..placed };
            bench.assert_refused(&again, ClaimRefusal::Superseded).await;
        } else {
            assert_eq!(bench.status(&placed).await, MessageStatus::Cancelled);
        }
        assert_eq!(bench.packet(later).await.vanished.appointments, 1);
        assert_eq!(bench.held(n).await[0].standing, Standing::Vanished);
        super::counters::assert_packet(bench, placed.packet).await;
    }
}

/// What may come back because the packet that moved it is cancelled vanishes all the same: whether it was cancelled before or after,
/// and whether the message has come back by then.
pub async fn what_a_cancelled_packet_moved_vanishes(bench: &Bench) {
    for (n, is_cancelled_before, comes_back_before) in [(1, true, false), (2, true, true), (3, false, false)]
    {
        let placed = bench.say_first(saying(n)).await;
        bench.hand_over(placed.packet).await;
        let placed = Placed { epoch: bench.must_claim(&placed).await.epoch, ..placed };
        bench.must_settle(&placed, ambiguous(), MessageStatus::Unknown).await;
        let (moved, _) = bench.say(Saying { hour: 60, ..saying(n) }).await;
        let later = bench.later_file().await;
        if is_cancelled_before {
            bench.drain(moved.packet, Draining::Cancelling).await;
        }
        if comes_back_before {
            bench.must_settle(&placed, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
        }
        let of_moved = vanish(bench, later, moved.packet).await;
        assert!(matches!(of_moved, VanishOutcome::Page { next: None, .. }), "case {n}: {of_moved:?}");
        assert_eq!(vanish(bench, later, placed.packet).await, page(u64::from(comes_back_before)), "case {n}");
        if !is_cancelled_before {
            bench.drain(moved.packet, Draining::Cancelling).await;
        }
        if comes_back_before {
            assert_eq!(bench.status(&placed).await, MessageStatus::Cancelled);
        } else {
            bench.must_settle(&placed, SettleVerdict::ProvenAbsent, MessageStatus::Queued).await;
            let again = Placed { attempt: bench.id(), ..placed };
            bench.assert_refused(&again, ClaimRefusal::Superseded).await;
        }
        assert_eq!(bench.held(n).await[0].standing, Standing::Vanished, "case {n}");
        assert_eq!(bench.packet(later).await.vanished.appointments, 1, "case {n}");
        super::counters::assert_packet(bench, placed.packet).await;
    }
}

/// An appointment that comes back is planned again, even if it says what it said; one of an older file is not.
pub async fn what_has_vanished_may_come_back(bench: &Bench) {
    let older = bench.later_file().await;
    let placed = bench.say_first(saying(1)).await;
    let later = bench.later_file().await;
    vanish(bench, later, placed.packet).await;
    let stale = bench.batch_of(older, &bench.held(1).await, saying(1), Vec::new());
    assert!(matches!(stale.appointments[0].change, AppointmentChange::Stale(_)));
    let (again, outcome) = bench.say(saying(1)).await;
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
    assert_eq!(bench.held(1).await[0].standing, Standing::Live);
    bench.hand_over(again.packet).await;
    bench.must_claim(&again).await;
}

/// Messages are looked at page by page: full, full, rest; a row that a page cuts vanishes whole.
pub async fn what_vanishes_is_paged(bench: &Bench) {
    let packet = bench.later_file().await;
    let (mut batch, mut messages) = (None::<PlanBatch>, Vec::new());
    for row in 1..=3 {
        let says = saying(row);
        messages.extend([bench.message_of(packet, row, says), bench.e_mail(packet, row, row)]);
        let mut of_row = bench.batch_of(packet, &[], says, Vec::new());
        of_row.appointments[0].row = RowNumber(row);
        match &mut batch {
            Some(batch) => batch.appointments.append(&mut of_row.appointments),
            None => batch = Some(of_row),
        }
    }
    let mut batch = batch.expect("three rows");
    (batch.messages, batch.through) = (messages, RowNumber(3));
    assert_eq!(bench.plan_batch(packet, batch).await, PlanOutcome::Stored { duplicates: 0 });
    let later = bench.later_file().await;
    let (mut after, mut sizes) = (None, Vec::new());
    loop {
        let vanishing = Vanishing { missing_in: later, earlier: packet, after, limit: 3, now: bench.now };
        let outcome = bench.store.cancel_vanished(bench.company, vanishing).await.answered();
        let VanishOutcome::Page { cancelled, next } = outcome else { panic!("{outcome:?}") };
        sizes.push(cancelled);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [3, 3]);
    assert_eq!(bench.packet(later).await.vanished.appointments, 3);
}

/// What a packet brings that is mapped after a later one vanishes too, unless the later one named it in whatever words.
pub async fn what_is_mapped_late_vanishes_too(bench: &Bench) {
    let (first, second) = (bench.later_file().await, bench.later_file().await);
    let later = bench.later_file().await;
    let mut of_later = bench.batch_of(later, &[], saying(1), Vec::new());
    of_later.named = vec![key(3)];
    assert_eq!(bench.plan_batch(later, of_later).await, PlanOutcome::Stored { duplicates: 0 });
    assert_eq!(vanish(bench, later, first).await, page(0), "there is nothing yet");
    bench.raise(later, PacketStage::Mapped).await;
    for (earlier, n, cancelled) in [(first, 2, 1), (second, 3, 0)] {
        let message = bench.message_of(earlier, 1, saying(n));
        let placed = bench.place(earlier, &message, n);
        let batch = bench.batch_of(earlier, &bench.held(n).await, saying(n), vec![message]);
        assert_eq!(bench.plan_batch(earlier, batch).await, PlanOutcome::Stored { duplicates: 0 });
        assert_eq!(vanish(bench, later, earlier).await, page(cancelled));
        let status = if cancelled > 0 { MessageStatus::Cancelled } else { MessageStatus::Planned };
        assert_eq!(bench.status(&placed).await, status);
        super::counters::assert_packet(bench, earlier).await;
    }
    assert_eq!(bench.held(2).await[0].standing, Standing::Vanished);
    assert_eq!(bench.packet(later).await.vanished.appointments, 1);
}

/// What a later packet has named without speaking for it does not vanish from one that is mapped late, whoever spoke for it and is
/// cancelled: it said the same as an older packet, or something else than a newer one. What only the cancelled one named vanishes.
pub async fn what_another_row_stood_for_does_not_vanish(bench: &Bench) {
    for (n, speaks_later, is_named) in [(1, false, true), (2, true, true), (3, true, false)] {
        let older = bench.later_file().await;
        let (earlier, later) = (bench.later_file().await, bench.later_file().await);
        let newer = bench.later_file().await;
        let speaker = if speaks_later { newer } else { older };
        let message = bench.message_of(speaker, 1, saying(n));
        let batch = bench.batch_of(speaker, &[], saying(n), vec![message]);
        assert_eq!(bench.plan_batch(speaker, batch).await, PlanOutcome::Stored { duplicates: 0 });
        if is_named {
            let named = bench.batch_of(later, &bench.held(n).await, saying(n), Vec::new());
            let change = named.appointments[0].change;
            assert_eq!(matches!(change, AppointmentChange::Stale(_)), speaks_later, "{change}");
            assert_eq!(bench.plan_batch(later, named).await, PlanOutcome::Stored { duplicates: 0 });
        }
        bench.drain(speaker, Draining::Cancelling).await;
        let message = bench.message_of(earlier, 1, saying(n));
        let placed = bench.place(earlier, &message, n);
        let batch = bench.batch_of(earlier, &bench.held(n).await, saying(n), vec![message]);
        assert!(batch.appointments[0].change.replaces().is_some());
        bench.plan_batch(earlier, batch).await;
        assert_eq!(vanish(bench, later, earlier).await, page(u64::from(!is_named)), "case {n}");
        let standing = if is_named { Standing::Live } else { Standing::Vanished };
        assert_eq!(bench.held(n).await[0].standing, standing, "case {n}");
        assert_eq!(bench.status(&placed).await == MessageStatus::Cancelled, !is_named, "case {n}");
    }
}

/// Only a packet whose rows are read makes anything vanish; and only one that is being mapped says that nothing does.
pub async fn only_a_packet_that_is_read_makes_things_vanish(bench: &Bench) {
    use PacketStage as Stage;
    for (n, stage) in (1..).zip(Stage::ALL) {
        let placed = bench.say_first(saying(n)).await;
        let later = bench.packet_in(stage).await;
        let is_read = matches!(stage, Stage::Loaded | Stage::Mapped | Stage::Queued | Stage::Complete);
        let (outcome, status) = if is_read {
            (page(1), MessageStatus::Cancelled)
        } else {
            (VanishOutcome::Stale, MessageStatus::Planned)
        };
        assert_eq!(vanish(bench, later, placed.packet).await, outcome, "{stage}");
        assert_eq!(bench.status(&placed).await, status, "{stage}");
        if stage != Stage::Loaded {
            assert_eq!(keep(bench, later).await, WriteOutcome::Stale, "{stage}");
        }
    }
    let placed = bench.say_first(saying(100)).await;
    let (cancelled, kept) = (bench.later_file().await, bench.later_file().await);
    bench.drain(cancelled, Draining::Cancelling).await;
    assert_eq!(keep(bench, kept).await, WriteOutcome::Applied);
    for later in [cancelled, kept] {
        assert_eq!(vanish(bench, later, placed.packet).await, VanishOutcome::Stale);
    }
    assert_eq!(bench.status(&placed).await, MessageStatus::Planned);
}

/// A packet says why nothing vanishes.
pub async fn why_nothing_vanishes_is_recorded(bench: &Bench) {
    let later = bench.later_file().await;
    assert_eq!(bench.packet(later).await.vanished.kept, None);
    assert_eq!(keep(bench, later).await, WriteOutcome::Applied);
    assert_eq!(keep(bench, later).await, WriteOutcome::Applied);
    assert_eq!(bench.packet(later).await.vanished.kept, Some(KeptBecause::RowsUnread(3)));
}

/// Packets that do not exist are missing, and so are those of others; their appointments stay as they are.
pub async fn nothing_of_another_company_vanishes(bench: &Bench) {
    let other = bench.beside().await;
    let theirs = other.say_first(saying(1)).await;
    let own = bench.say_first(saying(1)).await;
    let (later, their_later) = (bench.later_file().await, other.later_file().await);
    for (missing_in, earlier) in
        [(later, theirs.packet), (their_later, own.packet), (later, bench.id()), (bench.id(), own.packet)]
    {
        let vanishing = Vanishing { missing_in, earlier, after: None, limit: 9, now: bench.now };
        let outcome = bench.store.cancel_vanished(bench.company, vanishing).await;
        assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
    }
    let kept = bench.store.keep_vanished(bench.company, their_later, KeptBecause::NothingMapped).await;
    assert!(matches!(kept, Err(StoreError::Missing { .. })), "{kept:?}");
    let keys = [key(1)];
    let found = bench.store.appointments(bench.company, other.campaign, &keys).await.answered();
    assert!(found[0].is_empty());
    assert_eq!(other.held(1).await[0].standing, Standing::Live);
    assert_eq!(other.status(&theirs).await, MessageStatus::Planned);
}

fn page(cancelled: u64) -> VanishOutcome {
    VanishOutcome::Page { cancelled, next: None }
}

async fn vanish(bench: &Bench, missing_in: PacketId, earlier: PacketId) -> VanishOutcome {
    let vanishing = Vanishing { missing_in, earlier, after: None, limit: 100, now: bench.now };
    bench.store.cancel_vanished(bench.company, vanishing).await.answered()
}

async fn keep(bench: &Bench, packet: PacketId) -> WriteOutcome {
    bench.store.keep_vanished(bench.company, packet, KeptBecause::RowsUnread(3)).await.answered()
}
