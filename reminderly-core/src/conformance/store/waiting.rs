//! What waits for which stretch of time.

use super::bench::{Answered as _, Bench, Placed};
use super::sending::accepted;
use crate::domain::contact_method::ContactMethod;
use crate::domain::forecast::WaitingWindow;
use crate::domain::message::{PlanVerdict, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::LegalInterval;
use crate::ids::PacketId;
use crate::ports::store::{Snooze, SnoozeUntil, WriteOutcome};

async fn windows(bench: &Bench, packet: PacketId, minutes: i64) -> Vec<WaitingWindow> {
    let (now, until) = (bench.at(minutes), bench.at(24 * 60));
    bench.store.waiting_windows(bench.company, packet, now, until, 100).await.answered()
}

fn sms(bench: &Bench, opens: i64, closes: i64, messages: u64) -> WaitingWindow {
    let (opens_at, closes_at) = (bench.at(opens), bench.at(closes));
    WaitingWindow { method: ContactMethod::Sms, opens_at, closes_at, messages }
}

/// Messages of the same minutes and method are one window, those that close first before the others.
pub async fn waiting_messages_are_counted_by_window(bench: &Bench) {
    let packet = bench.loaded(6).await;
    let at = |row, minutes| bench.message_at(packet, row, row, minutes);
    let mut skipped = at(6, 30);
    skipped.verdict = PlanVerdict::Skip(SkipReason::Duplicate);
    let messages = vec![at(1, 90), at(2, 30), at(3, 90), at(4, 24 * 60), bench.e_mail(packet, 5, 5), skipped];
    bench.queue(packet, messages).await;
    let e_mail = WaitingWindow { method: ContactMethod::Email, ..sms(bench, 0, 240, 1) };
    let expected = [e_mail, sms(bench, 30, 270, 1), sms(bench, 90, 330, 2)];
    assert_eq!(windows(bench, packet, 0).await, expected, "what begins at the end of the view is not in it");
    let first = bench.store.waiting_windows(bench.company, packet, bench.now, bench.at(60), 1).await;
    assert_eq!(first.answered(), expected[..1]);
}

/// What is due waits from now on, with everything else that is; instants within a minute are one.
pub async fn what_is_due_waits_from_now_on(bench: &Bench) {
    let packet = bench.loaded(4).await;
    let seconds = |seconds| chrono::TimeDelta::seconds(seconds);
    let message = |row, opens, closes| {
        let legal = LegalInterval { from: bench.now + seconds(opens), until: bench.at(60) + seconds(closes) };
        let verdict = PlanVerdict::Send { at: legal.from, legal };
        PlannedMessage { verdict, ..bench.message(packet, row, row) }
    };
    let messages = vec![message(1, -500, 0), message(2, 0, -59), message(3, 65, -1), message(4, 119, 1)];
    bench.queue(packet, messages).await;
    assert_eq!(
        windows(bench, packet, 0).await,
        [sms(bench, 0, 60, 2), sms(bench, 1, 60, 1), sms(bench, 1, 61, 1)]
    );
    assert_eq!(windows(bench, packet, 5).await, [sms(bench, 5, 60, 3), sms(bench, 5, 61, 1)]);
}

/// Handed over or not, a message waits until it is claimed, and again when it is put back.
pub async fn only_what_is_planned_or_queued_waits(bench: &Bench) {
    let placed = bench.queued(2).await;
    let packet = placed[0].packet;
    assert_eq!(windows(bench, packet, 0).await, [sms(bench, 0, 240, 2)]);
    bench.hand_over(packet).await;
    assert_eq!(windows(bench, packet, 0).await, [sms(bench, 0, 240, 2)]);
    let until = SnoozeUntil::Planned { not_before: bench.at(30), legal_until: bench.at(60) };
    let snooze = Snooze { message: placed[1].message, until, reason: "later".into(), at: bench.at(1) };
    let outcomes = bench.store.snooze(bench.company, packet, &[snooze]).await.answered();
    assert_eq!(outcomes.into_vec(), [WriteOutcome::Applied]);
    assert_eq!(windows(bench, packet, 0).await, [sms(bench, 30, 60, 1), sms(bench, 0, 240, 1)]);
    let claimed = bench.must_claim(&placed[0]).await;
    assert_eq!(windows(bench, packet, 0).await, [sms(bench, 30, 60, 1)]);
    bench.must_settle(&Placed { epoch: claimed.epoch, ..placed[0] }, accepted(), MessageStatus::Sent).await;
    assert_eq!(bench.store.cancel_open(bench.company, packet, bench.at(2), 10).await.answered(), 1);
    assert_eq!(windows(bench, packet, 0).await, []);
}

/// Nothing waits in a packet that does not exist, or is somebody else's.
pub async fn nothing_waits_in_a_missing_packet(bench: &Bench) {
    assert_eq!(windows(bench, bench.id(), 0).await, []);
    let other = bench.beside().await;
    let packet = other.queued(1).await[0].packet;
    assert_eq!(windows(bench, packet, 0).await, []);
    assert_eq!(windows(&other, packet, 0).await.len(), 1);
}
