//! Short ways to hand over, claim, settle, report and answer.

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench, Placed};
use super::values::{provider, sms};
use crate::domain::contact_method::ContactMethod;
use crate::domain::disposition::{AttemptReport, Disposition};
use crate::domain::incoming::{Arrival, Incoming, IncomingEffect, IncomingRecord, TiedResponse};
use crate::domain::message::{Origin, PlannedMessage};
use crate::domain::message_status::MessageStatus;
use crate::domain::reply::{Classification, ReplyKind, ReplyReason};
use crate::domain::response::{Response, ResponseKind};
use crate::domain::skip_reason::SkipReason;
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ids::{IncomingId, PacketId};
use crate::ports::store::{
    ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Claimed, Close, CloseVerdict, DispositionOutcome,
    HandOver, HandedOver, IncomingOutcome, LocatedDisposition, MaxCopies, SettleOutcome, SettleVerdict,
    Settlement, WriteOutcome,
};

impl Bench {
    /// Everything that is due at the noon, with copies that live for ten minutes.
    pub(crate) fn hand_over_terms(&self) -> HandOver {
        HandOver { now: self.now, copy_until: self.at(10), limit: 1_000, max_copies: MaxCopies::each(1_000) }
    }

    pub(crate) async fn hand_over(&self, packet: PacketId) -> HandedOver {
        self.hand_over_with(packet, self.hand_over_terms()).await
    }

    pub(crate) async fn hand_over_with(&self, packet: PacketId, terms: HandOver) -> HandedOver {
        self.store.hand_over(self.company, packet, terms).await.answered()
    }

    /// A message whose copy is in the queue.
    pub(crate) async fn handed(&self) -> Placed {
        let placed = self.queued(1).await[0];
        let due = self.hand_over(placed.packet).await.due;
        assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [placed.message]);
        placed
    }

    pub(crate) fn terms_at(now: DateTime<Utc>) -> ClaimTerms {
        ClaimTerms {
            now,
            start_by: now + TimeDelta::seconds(1),
            answer_by: now + TimeDelta::seconds(30),
            provider: provider(),
            method: ContactMethod::Sms,
        }
    }

    /// Claims with a new attempt id.
    pub(crate) async fn claim(&self, placed: &Placed) -> ClaimOutcome {
        self.claim_with(&Placed { attempt: self.id(), ..*placed }, &Bench::terms_at(self.now)).await
    }

    /// Claims with the attempt id of the placed message.
    pub(crate) async fn claim_with(&self, placed: &Placed, terms: &ClaimTerms) -> ClaimOutcome {
        let request = ClaimRequest { message: placed.message, attempt: placed.attempt };
        let outcomes = self.store.claim(self.company, placed.packet, &[request], terms).await.answered();
        outcomes.into_vec().remove(0)
    }

    pub(crate) async fn assert_refused(&self, placed: &Placed, refusal: ClaimRefusal) {
        assert_eq!(self.claim(placed).await, ClaimOutcome::Refused(refusal));
    }

    /// Claims with the attempt id of the placed message, at the noon.
    pub(crate) async fn must_claim(&self, placed: &Placed) -> Claimed {
        match self.claim_with(placed, &Bench::terms_at(self.now)).await {
            ClaimOutcome::Claimed(claimed) => *claimed,
            ClaimOutcome::Refused(refusal) => panic!("not claimed: {refusal:?}"),
        }
    }

    /// A message that is being sent.
    pub(crate) async fn sending(&self) -> Placed {
        let placed = self.handed().await;
        let claimed = self.must_claim(&placed).await;
        Placed { epoch: claimed.epoch, ..placed }
    }

    /// Hands a queued message over again, when it is due, and claims it again.
    pub(crate) async fn send_again(&self, placed: &Placed) -> Placed {
        let state = self.state(placed).await;
        let now = state.not_before.map_or(self.now, |at| at.max(self.now));
        self.hand_over_with(placed.packet, HandOver { now, ..self.hand_over_terms() }).await;
        let again = Placed { attempt: self.id(), ..*placed };
        match self.claim_with(&again, &Bench::terms_at(now)).await {
            ClaimOutcome::Claimed(claimed) => Placed { epoch: claimed.epoch, ..again },
            ClaimOutcome::Refused(refusal) => panic!("not claimed again: {refusal:?}"),
        }
    }

    pub(crate) async fn settle(&self, placed: &Placed, verdict: SettleVerdict) -> SettleOutcome {
        let (message, epoch) = (placed.message, placed.epoch);
        let settlement = Settlement { message, epoch, verdict, at: self.at(2) };
        let outcomes = self.store.settle(self.company, placed.packet, &[settlement]).await.answered();
        outcomes.into_vec().remove(0)
    }

    pub(crate) async fn must_settle(&self, placed: &Placed, verdict: SettleVerdict, status: MessageStatus) {
        assert_eq!(self.settle(placed, verdict).await, SettleOutcome::Applied(status));
    }

    pub(crate) async fn close(&self, placed: &Placed, verdict: CloseVerdict) -> WriteOutcome {
        let close = Close { message: placed.message, verdict, at: self.at(2) };
        let outcomes = self.store.close(self.company, placed.packet, &[close]).await.answered();
        outcomes.into_vec().remove(0)
    }

    /// A message of its own packet, brought into a status.
    pub(crate) async fn in_status(&self, status: MessageStatus) -> Placed {
        use MessageStatus as S;
        let placed = match status {
            S::Planned | S::Skipped | S::Cancelled => self.queued(1).await[0],
            S::Queued | S::Expired => self.handed().await,
            _ => self.sending().await,
        };
        match status {
            S::Planned | S::Queued | S::Sending => {}
            S::Skipped => {
                let close = self.close(&placed, CloseVerdict::Skipped(SkipReason::Superseded)).await;
                assert_eq!(close, WriteOutcome::Applied);
            }
            S::Expired => assert_eq!(self.close(&placed, CloseVerdict::Expired).await, WriteOutcome::Applied),
            S::Cancelled => {
                let done = self.store.cancel_open(self.company, placed.packet, self.at(2), 10).await;
                assert_eq!(done.answered(), 1);
            }
            S::Sent => drop(self.settle(&placed, SettleVerdict::Accepted { reference: None }).await),
            S::Delivered => drop(self.report(&placed, "in-status", AttemptReport::Delivered).await),
            S::Undelivered => drop(self.report(&placed, "in-status", undelivered("30003")).await),
            S::Failed => drop(self.settle(&placed, refused_for_good()).await),
            S::Unknown => drop(self.settle(&placed, ambiguous()).await),
        }
        assert_eq!(self.status(&placed).await, status);
        placed
    }

    pub(crate) fn disposition(placed: &Placed, event: &str, report: AttemptReport) -> LocatedDisposition {
        let disposition = Disposition {
            provider: provider(),
            event: event.into(),
            attempt: placed.attempt,
            reference: None,
            report,
            at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
        };
        LocatedDisposition { packet: placed.packet, message: placed.message, disposition }
    }

    pub(crate) async fn report(
        &self,
        placed: &Placed,
        event: &str,
        report: AttemptReport,
    ) -> DispositionOutcome {
        let located = Self::disposition(placed, event, report);
        let recorded = self.store.record_dispositions(self.company, &[located], self.at(3)).await;
        recorded.answered().into_vec().remove(0)
    }

    /// A message from the person of a number, that nothing follows from.
    pub(crate) fn incoming(&self, from: u64) -> IncomingRecord {
        let incoming = Incoming {
            provider: provider(),
            account: "+15205550000".into(),
            event: format!("E-{}", self.serial()).into(),
            from: sms(from),
            text: "1".into(),
            at: self.at(4),
        };
        let classification = Classification { kind: ReplyKind::Confirm, reason: ReplyReason::CampaignWord };
        let effect = IncomingEffect::default();
        IncomingRecord { id: self.id(), incoming, classification, effect, recorded_at: self.at(5) }
    }

    /// A message from the person of a placed message, that answers it.
    pub(crate) fn answer(&self, placed: &Placed, kind: ResponseKind, minutes: i64) -> IncomingRecord {
        let mut record = self.incoming(placed.n);
        let response = Response { kind, incoming: record.id, at: self.at(minutes) };
        let Placed { packet, message, .. } = *placed;
        let tied = TiedResponse { packet, message, member: None, response, arrival: Arrival::Proven };
        record.effect.responses = vec![tied];
        record
    }

    /// A message that answers a message from the person.
    pub(crate) fn follow_up(&self, packet: PacketId, incoming: IncomingId, n: u64) -> PlannedMessage {
        let mut planned = self.message(packet, 1, n);
        planned.message.origin = Origin::Reply { incoming };
        planned
    }

    pub(crate) async fn take_in(&self, record: IncomingRecord) -> IncomingOutcome {
        self.store.record_incoming(self.company, record).await.answered()
    }

    pub(crate) fn will(&self, key: RefusalKey, change: UnsubscribeChange, minutes: i64) -> Unsubscribe {
        Unsubscribe { key, change, source: UnsubscribeSource::Provider, at: self.at(minutes) }
    }

    /// Records wills an hour after the noon.
    pub(crate) async fn tell(&self, events: &[Unsubscribe]) -> Vec<WriteOutcome> {
        self.tell_at(60, events).await
    }

    pub(crate) async fn tell_at(&self, minutes: i64, events: &[Unsubscribe]) -> Vec<WriteOutcome> {
        let now = self.at(minutes);
        self.store.record_unsubscribes(self.company, events, now).await.answered().into_vec()
    }

    pub(crate) async fn opt_out(&self, key: RefusalKey) {
        let event = self.will(key, UnsubscribeChange::OptedOut, 0);
        assert_eq!(self.tell(&[event]).await, [WriteOutcome::Applied]);
    }
}

pub(crate) fn undelivered(code: &str) -> AttemptReport {
    AttemptReport::Undelivered { code: code.into() }
}

pub(crate) fn refused_for_good() -> SettleVerdict {
    SettleVerdict::RefusedForGood { code: "21211".to_owned() }
}

pub(crate) fn ambiguous() -> SettleVerdict {
    SettleVerdict::Ambiguous { code: "timeout".to_owned() }
}

pub(crate) fn accepted() -> SettleVerdict {
    SettleVerdict::Accepted { reference: None }
}
