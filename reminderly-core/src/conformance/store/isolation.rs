//! Data of another company answers exactly as data that does not exist.

use super::bench::{Answered as _, Bench, Placed};
use super::decoy::Snapshot;
use super::sending::accepted;
use super::values::{definition, number, person, sms};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::disposition::AttemptReport;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Draining, IngestProgress, PacketStage};
use crate::domain::response::ResponseKind;
use crate::domain::row::RowNumber;
use crate::domain::unsubscribe::RefusalKey;
use crate::domain::vanished::KeptBecause;
use crate::ports::store::{
    ClaimRefusal, DispositionOutcome, IncomingOutcome, NewPacket, StageChange, StoreError,
};

/// Nothing of another company is found.
pub async fn reads_find_nothing_of_another_company(bench: &Bench) {
    let (other, sent) = foreign(bench).await;
    let (store, company, packet) = (&bench.store, bench.company, sent.packet);
    assert_eq!(store.campaign(company, other.campaign).await.answered(), None);
    assert_eq!(store.definition(company, other.campaign, 1).await.answered(), None);
    let campaigns = store.campaigns(company, None, 10).await.answered().items;
    assert!(campaigns.iter().all(|campaign| campaign.company == company));
    assert_eq!(store.packet(company, packet).await.answered(), None);
    assert_eq!(store.packets(company, other.campaign, None, 10).await.answered().items, []);
    assert_eq!(store.rows(company, packet, RowNumber(0), 10).await.answered().items, []);
    assert_eq!(store.row(company, packet, RowNumber(1)).await.answered(), None);
    assert_eq!(store.rejected(company, packet, RowNumber(0), 10).await.answered().items, []);
    assert_eq!(store.message(company, packet, sent.message).await.answered(), None);
    assert_eq!(store.messages(company, packet, None, 10).await.answered().items, []);
    assert_eq!(store.attempts(company, packet, sent.message).await.answered(), []);
    assert_eq!(store.attempt(company, packet, sent.attempt).await.answered(), None);
    assert_eq!(store.history(company, packet, sent.message).await.answered(), []);
    assert_eq!(store.next_due(company, packet).await.answered(), None);
    assert_eq!(store.answerable(company, &sms(sent.n), bench.now).await.answered(), []);
    assert_eq!(store.open_question(company, &sms(sent.n), bench.now).await.answered(), None);
    assert_eq!(store.contact_points_of(company, &person(sent.n)).await.answered(), []);
    assert_eq!(store.incoming(company, None, 10).await.answered().items, []);
    assert_eq!(store.incoming_counts(company).await.answered().total(), 0);
    let key = RefusalKey::Number(number(sent.n));
    assert_eq!(store.refused(company, std::slice::from_ref(&key)).await.answered(), [false]);
    assert_eq!(store.unsubscribe_events(company, &key).await.answered(), []);
    let counts = [store.packet_counts(company, packet).await, store.recount_packet(company, packet).await];
    assert!(counts.iter().all(|counts| matches!(counts, Err(StoreError::Missing { .. }))), "{counts:?}");
}

/// Campaigns and packets of another company are missing, and stay as they are.
pub async fn writes_to_packets_of_another_company_find_nothing(bench: &Bench) {
    let (other, sent) = foreign(bench).await;
    let before = Snapshot::of(&other).await;
    let (store, company, packet) = (&bench.store, bench.company, sent.packet);
    assert_missing(&store.save_definition(company, other.campaign, 1, definition("Stolen")).await);
    let (from, to) = (CampaignState::Active, CampaignState::Archived);
    assert_missing(&store.change_campaign_state(company, other.campaign, from, to).await);
    let new = NewPacket { campaign: other.campaign, ..bench.file(1) };
    assert_missing(&store.create_packet(company, new).await);
    let (from, to, at) = (PacketStage::Queued, PacketStage::Complete, bench.now);
    assert_missing(&store.change_stage(company, StageChange { packet, from, to, failure: None, at }).await);
    assert_missing(&store.set_draining(company, packet, Draining::Completing).await);
    assert_missing(&store.open_ingest(company, packet, IngestProgress::default(), at).await);
    assert_missing(
        &store.append_rows(company, packet, Bench::row_batch(1, vec![super::values::row(2)], vec![])).await,
    );
    assert_missing(&store.hand_over(company, packet, bench.hand_over_terms()).await);
    assert_missing(&store.settle(company, packet, &[]).await);
    assert_missing(&store.snooze(company, packet, &[]).await);
    assert_missing(&store.close(company, packet, &[]).await);
    assert_missing(&store.cancel_open(company, packet, at, 10).await);
    assert_missing(&store.keep_vanished(company, packet, KeptBecause::NothingMapped).await);
    assert!(Snapshot::of(&other).await == before);
}

/// Messages and attempts of another company are missing, and stay as they are.
pub async fn writes_to_messages_of_another_company_find_nothing(bench: &Bench) {
    let (other, sent) = foreign(bench).await;
    let waiting = other.handed().await;
    let before = Snapshot::of(&other).await;
    bench.assert_refused(&waiting, ClaimRefusal::Missing).await;
    let report = bench.report(&sent, "D-9", AttemptReport::Delivered).await;
    assert_eq!(report, DispositionOutcome::Missing);
    let answer = bench.take_in(bench.answer(&sent, ResponseKind::Cancelled, 4)).await;
    assert_eq!(answer, IncomingOutcome::Stale);
    let mut record = bench.incoming(1);
    record.effect.follow_up = Some(bench.follow_up(sent.packet, record.id, 1));
    assert_missing(&bench.store.record_incoming(bench.company, record).await);
    assert!(Snapshot::of(&other).await == before);
}

/// A message of one company is not found through a packet of another.
pub async fn a_message_is_found_in_its_own_packet_only(bench: &Bench) {
    let (_, theirs) = foreign(bench).await;
    let own = bench.sending().await;
    let mixed = Placed { packet: own.packet, ..theirs };
    assert_eq!(bench.store.message(bench.company, own.packet, theirs.message).await.answered(), None);
    assert_eq!(bench.store.attempt(bench.company, own.packet, theirs.attempt).await.answered(), None);
    bench.assert_refused(&mixed, ClaimRefusal::Missing).await;
    let settled = bench.settle(&mixed, accepted()).await;
    assert_eq!(settled, crate::ports::store::SettleOutcome::Missing);
    assert_eq!(bench.report(&mixed, "D-9", AttemptReport::Delivered).await, DispositionOutcome::Missing);
}

/// Ids of another company that are used again harm nobody.
pub async fn ids_of_another_company_are_not_taken_over(bench: &Bench) {
    let (other, sent) = foreign(bench).await;
    let before = Snapshot::of(&other).await;
    bench.store.create_packet(bench.company, NewPacket { id: sent.packet, ..bench.file(7) }).await.ok();
    let own = bench.handed().await;
    let stolen = Placed { attempt: sent.attempt, ..own };
    bench.claim_with(&stolen, &Bench::terms_at(bench.now)).await;
    assert!(Snapshot::of(&other).await == before);
    let location = bench.store.locate_attempts_across_companies(&[sent.attempt]).await.answered();
    assert_eq!(location[0].map(|location| location.company), Some(other.company));
}

/// Pause and opt-out stop nobody else.
pub async fn guards_are_a_companys_own(bench: &Bench) {
    let other = bench.beside().await;
    let own = bench.handed().await;
    other.pause().await;
    other.opt_out(RefusalKey::Number(number(own.n))).await;
    other.opt_out(RefusalKey::Person(person(own.n))).await;
    bench.must_claim(&own).await;
}

/// Another company with a message that was sent and answered, a person who wrote, and an opt-out.
async fn foreign(bench: &Bench) -> (Bench, Placed) {
    let other = bench.beside().await;
    let sent = other.in_status(MessageStatus::Sent).await;
    let answer = other.answer(&sent, ResponseKind::Confirmed, 4);
    assert_eq!(other.take_in(answer).await, IncomingOutcome::Recorded);
    other.opt_out(RefusalKey::Number(number(sent.n))).await;
    (other, sent)
}

#[track_caller]
fn assert_missing<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}
