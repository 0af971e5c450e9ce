//! The product's side of a trace: the store in memory, driven through its ports.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::attempt::{
    Attempt, AttemptOutcome, ProviderName, ProviderReference, ReturnReason,
};
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::message_status::{MessageStatus, Transition};
use reminderly_core::domain::packet::Draining;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::{Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use reminderly_core::ids::{AttemptId, IdSourceExt as _, SeededIds};
use reminderly_core::ports::store::{
    CampaignStore as _, ClaimOutcome, ClaimRefusal, ClaimRequest, ClaimTerms, Close, CloseVerdict,
    DispositionOutcome, DispositionStore as _, HandOver, LocatedDisposition, MaxCopies, MessageStore as _,
    PacketStore as _, ReportStore as _, SettleOutcome, SettleVerdict, Settlement, Snooze, SnoozeUntil,
    UnsubscribeStore as _, WriteOutcome,
};

use super::action::{Action, Drain};
use super::bench::Bench;
use super::seen::{Answer, Refusal, Reported, Settled, Standing};
use super::terms::{ANSWER_AFTER, COPY_LIVES, LEGAL_FOR, START_WITHIN};
use crate::prove::Failure;
use crate::prove::model::attempt::{Outcome, Report};
use crate::prove::model::verdict::Verdict;

/// A message in a store, and what a trace has done to it.
#[derive(Debug)]
pub(super) struct Product {
    bench: Bench,
    now: i64,
    ids: SeededIds,
    /// The attempts that were claimed.
    attempts: Vec<AttemptId>,
    state: CampaignState,
}

impl Product {
    /// A message that is planned.
    pub(super) fn new(bench: Bench) -> Self {
        Self { bench, now: 0, ids: SeededIds::new(0), attempts: Vec::new(), state: CampaignState::Active }
    }

    /// Does it.
    pub(super) async fn act(&mut self, action: Action) -> Result<Answer, Failure> {
        self.now += match action {
            Action::Wait(seconds) => seconds,
            _ => 1,
        };
        Ok(match action {
            Action::Wait(_) => Answer::Nothing,
            Action::HandOver => self.hand_over().await?,
            Action::Claim => self.claim(self.ids.next(self.at(0))).await?,
            Action::ClaimAgain(epoch) => {
                // The id of an attempt that nobody has made is a new one.
                let known = usize::from(epoch).checked_sub(1).and_then(|place| self.attempts.get(place));
                self.claim(known.copied().unwrap_or_else(|| self.ids.next(self.at(0)))).await?
            }
            Action::Settle { epoch, verdict, wait } => {
                self.settle(epoch, self.verdict(verdict, wait)).await?
            }
            Action::Report { epoch, rank, event } => self.report(epoch, rank, event).await?,
            Action::SnoozeUnchanged => self.snooze(SnoozeUntil::Unchanged).await?,
            Action::SnoozeFor(wait) => self.snooze(SnoozeUntil::NotBefore(self.at(wait))).await?,
            Action::PlanAgain(wait) => {
                let (not_before, legal_until) = (self.at(wait), self.at(wait + LEGAL_FOR));
                self.snooze(SnoozeUntil::Planned { not_before, legal_until }).await?
            }
            Action::Skip => self.close(CloseVerdict::Skipped(SkipReason::PastDue)).await?,
            Action::Expire => self.close(CloseVerdict::Expired).await?,
            Action::CancelOpen => {
                let (company, packet) = (self.bench.company, self.bench.packet);
                let cancelled = self.bench.store.cancel_open(company, packet, self.at(0), 10).await?;
                Answer::Written(cancelled == 1)
            }
            Action::Pause => self.campaign(CampaignState::Paused).await?,
            Action::Resume => self.campaign(CampaignState::Active).await?,
            Action::Drain(drain) => self.drain(drain).await?,
            Action::OptOut => self.tell(UnsubscribeChange::OptedOut).await?,
            Action::OptIn => self.tell(UnsubscribeChange::OptedIn).await?,
        })
    }

    /// Where the message stands.
    pub(super) async fn standing(&self) -> Result<Standing, Failure> {
        let Bench { store, company, packet, message, .. } = &self.bench;
        let record = store.message(*company, *packet, *message).await?.ok_or("the message exists")?;
        let state = record.state;
        let attempts = store.attempts(*company, *packet, *message).await?;
        let counts = store.packet_counts(*company, *packet).await?;
        let overdue = store.overdue_attempts_across_companies(self.at(0), 10).await?;
        let unknown = store.unknown_attempts_across_companies(None, 10).await?;
        let ledger_closes = counts.ledger().gaps().is_empty() && counts.in_status(state.status) == 1;
        if !ledger_closes {
            return Err(format!("the ledger does not close: {:?}", counts.ledger()).into());
        }
        let seconds = |at: DateTime<Utc>| (at - self.bench.start).num_seconds();
        let epoch_of = |attempt: &Attempt| u8::try_from(attempt.epoch).unwrap_or(u8::MAX);
        Ok(Standing {
            status: state.status,
            epoch: u8::try_from(state.epoch)?,
            attempts: u8::try_from(state.attempts)?,
            held: state.held,
            redialled: state.redialled,
            not_before: state.not_before.map(seconds),
            legal_until: state.legal_until.map(seconds),
            copy_until: state.copy_until.map(seconds),
            tries: attempts.iter().map(|attempt| (outcome(attempt), report(attempt))).collect(),
            open: counts.open,
            next_due: store.next_due(*company, *packet).await?.map(seconds),
            overdue: overdue.first().map(|open| epoch_of(&open.attempt)),
            unknown: unknown.items.first().map(|open| epoch_of(&open.attempt)),
        })
    }

    /// What of the history is not as [`MessageStatus::after`] has it.
    pub(super) async fn broken_history(&self) -> Result<Option<Transition>, Failure> {
        let Bench { store, company, packet, message, .. } = &self.bench;
        let history = store.history(*company, *packet, *message).await?;
        let mut status = MessageStatus::Planned;
        Ok(history.into_iter().find(|transition| {
            let follows = transition.from == status && status.after(transition.event) == Some(transition.to);
            status = transition.to;
            !follows
        }))
    }

    fn at(&self, seconds: i64) -> DateTime<Utc> {
        self.bench.start + TimeDelta::seconds(self.now + seconds)
    }

    async fn hand_over(&self) -> Result<Answer, Failure> {
        let terms = HandOver {
            now: self.at(0),
            copy_until: self.at(COPY_LIVES),
            limit: 10,
            max_copies: MaxCopies::each(10),
        };
        let handed = self.bench.store.hand_over(self.bench.company, self.bench.packet, terms).await?;
        Ok(match (handed.due.len(), handed.late.len()) {
            (0, 0) => Answer::NotDue,
            (0, _) => Answer::Late,
            _ => Answer::HandedOver,
        })
    }

    async fn claim(&mut self, attempt: AttemptId) -> Result<Answer, Failure> {
        let Bench { store, company, packet, message, .. } = &self.bench;
        let request = ClaimRequest { message: *message, attempt };
        let terms = ClaimTerms {
            now: self.at(0),
            start_by: self.at(START_WITHIN),
            answer_by: self.at(ANSWER_AFTER),
            provider: provider(),
            method: ContactMethod::Sms,
        };
        let outcomes = store.claim(*company, *packet, &[request], &terms).await?;
        let claimed = match outcomes.into_vec().pop().ok_or("a claim is answered")? {
            ClaimOutcome::Claimed(claimed) => claimed,
            ClaimOutcome::Refused(refused) => return Ok(Answer::NotClaimed(refusal(refused))),
        };
        if self.attempts.last() != Some(&attempt) {
            self.attempts.push(attempt);
        }
        let row = store.attempt(*company, *packet, attempt).await?.ok_or("a claim has an attempt")?;
        Ok(Answer::Claimed {
            epoch: u8::try_from(claimed.epoch)?,
            attempts_before: u8::try_from(claimed.attempts)?,
            start_by: (row.start_by - self.bench.start).num_seconds(),
        })
    }

    fn verdict(&self, verdict: Verdict, wait: i64) -> SettleVerdict {
        let not_before = self.at(wait);
        let code = "code".to_owned();
        match verdict {
            Verdict::Accepted => SettleVerdict::Accepted { reference: None },
            Verdict::RefusedForNow => SettleVerdict::RefusedForNow { code, not_before },
            Verdict::RefusedForGood => SettleVerdict::RefusedForGood { code },
            Verdict::Returned => SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before },
            Verdict::Ambiguous => SettleVerdict::Ambiguous { code },
            Verdict::Reaped => SettleVerdict::Reaped,
            Verdict::Found => {
                let reference = ProviderReference("SM1".into());
                SettleVerdict::Found { reference, accepted_at: self.at(0) }
            }
            Verdict::ProvenAbsent => SettleVerdict::ProvenAbsent,
            Verdict::ResendPermitted => SettleVerdict::ResendPermitted,
            Verdict::RedialPermitted => {
                SettleVerdict::RedialPermitted { not_before, legal_until: self.at(wait + LEGAL_FOR) }
            }
            Verdict::GivenUp => SettleVerdict::GivenUp,
        }
    }

    async fn settle(&self, epoch: u8, verdict: SettleVerdict) -> Result<Answer, Failure> {
        let (message, at) = (self.bench.message, self.at(0));
        let settlement = Settlement { message, epoch: u32::from(epoch), verdict, at };
        let (company, packet) = (self.bench.company, self.bench.packet);
        let outcomes = self.bench.store.settle(company, packet, &[settlement]).await?;
        Ok(match outcomes.into_vec().pop().ok_or("a settlement is answered")? {
            SettleOutcome::Applied(status) => Answer::Settled(Settled::Applied, status),
            SettleOutcome::Stale(status) => Answer::Settled(Settled::Stale, status),
            SettleOutcome::RungAboveWent | SettleOutcome::Missing => {
                Answer::Settled(Settled::Other, MessageStatus::Planned)
            }
        })
    }

    async fn report(&self, epoch: u8, rank: u8, event: u8) -> Result<Answer, Failure> {
        let made = usize::from(epoch).checked_sub(1).and_then(|place| self.attempts.get(place)).copied();
        let Some(attempt) = made else { return Ok(Answer::Reported(Reported::Missing)) };
        let disposition = Disposition {
            provider: provider(),
            event: format!("D-{event}").into(),
            attempt,
            reference: None,
            report: ranked(rank),
            at: self.at(0),
        };
        let Bench { store, company, packet, message, .. } = &self.bench;
        let located = LocatedDisposition { packet: *packet, message: *message, disposition };
        let outcomes = store.record_dispositions(*company, &[located], self.at(0)).await?;
        Ok(Answer::Reported(match outcomes.into_vec().pop().ok_or("a report is answered")? {
            DispositionOutcome::Recorded(status) => Reported::Recorded(status),
            DispositionOutcome::Duplicate(status) => Reported::Duplicate(status),
            DispositionOutcome::Missing => Reported::Missing,
        }))
    }

    async fn snooze(&self, until: SnoozeUntil) -> Result<Answer, Failure> {
        let (message, at) = (self.bench.message, self.at(0));
        let snooze = Snooze { message, until, reason: Cow::Borrowed("a trace says so"), at };
        let (company, packet) = (self.bench.company, self.bench.packet);
        let outcomes = self.bench.store.snooze(company, packet, &[snooze]).await?.into_vec();
        Ok(Answer::Written(outcomes == [WriteOutcome::Applied]))
    }

    async fn close(&self, verdict: CloseVerdict) -> Result<Answer, Failure> {
        let close = Close { message: self.bench.message, verdict, at: self.at(0) };
        let (company, packet) = (self.bench.company, self.bench.packet);
        let outcomes = self.bench.store.close(company, packet, &[close]).await?.into_vec();
        Ok(Answer::Written(outcomes == [WriteOutcome::Applied]))
    }

    async fn campaign(&mut self, to: CampaignState) -> Result<Answer, Failure> {
        let (company, campaign) = (self.bench.company, self.bench.campaign);
        self.bench.store.change_campaign_state(company, campaign, self.state, to).await?;
        self.state = to;
        Ok(Answer::Nothing)
    }

    async fn drain(&self, drain: Drain) -> Result<Answer, Failure> {
        let drain = match drain {
            Drain::Off => Draining::Off,
            Drain::Completing => Draining::Completing,
            Drain::Cancelling => Draining::Cancelling,
        };
        let outcome = self.bench.store.set_draining(self.bench.company, self.bench.packet, drain).await?;
        Ok(Answer::Written(outcome == WriteOutcome::Applied))
    }

    async fn tell(&self, change: UnsubscribeChange) -> Result<Answer, Failure> {
        let key = self.bench.refusal.clone();
        let event = Unsubscribe { key, change, source: UnsubscribeSource::Provider, at: self.at(0) };
        self.bench.store.record_unsubscribes(self.bench.company, &[event], self.at(0)).await?.into_vec();
        Ok(Answer::Nothing)
    }
}

fn provider() -> ProviderName {
    ProviderName::from("stub")
}

/// The report with this place in the lattice, from 1; of the two codes of a failure the greater has the higher one.
fn ranked(rank: u8) -> AttemptReport {
    match rank {
        1 => AttemptReport::Accepted,
        2 => AttemptReport::Sent,
        3 => AttemptReport::Undelivered { code: "30003".into() },
        4 => AttemptReport::Undelivered { code: "30005".into() },
        5 => AttemptReport::Busy,
        6 => AttemptReport::NoAnswer,
        7 => AttemptReport::Machine,
        8 => AttemptReport::Voicemail,
        9 => AttemptReport::Delivered,
        _ => AttemptReport::Complained,
    }
}

fn refusal(refusal: ClaimRefusal) -> Refusal {
    match refusal {
        ClaimRefusal::NotQueued(_) => Refusal::NotQueued,
        ClaimRefusal::PacketClosed => Refusal::PacketClosed,
        ClaimRefusal::CampaignNotActive => Refusal::CampaignNotActive,
        ClaimRefusal::Unsubscribed => Refusal::Unsubscribed,
        ClaimRefusal::NotYet => Refusal::NotYet,
        ClaimRefusal::OutsideWindow => Refusal::OutsideWindow,
        _ => Refusal::Other,
    }
}

fn outcome(attempt: &Attempt) -> Outcome {
    match &attempt.outcome {
        None => Outcome::Open,
        Some(AttemptOutcome::Accepted) => Outcome::Accepted,
        Some(AttemptOutcome::Refused { .. }) => Outcome::Refused,
        Some(AttemptOutcome::Returned { .. }) => Outcome::Returned,
        Some(AttemptOutcome::Unknown { .. }) => Outcome::Unknown,
        Some(AttemptOutcome::Absent) => Outcome::Absent,
        Some(AttemptOutcome::Redialled) => Outcome::Redialled,
    }
}

fn report(attempt: &Attempt) -> Report {
    match &attempt.report {
        None => Report::Nothing,
        Some(AttemptReport::Accepted | AttemptReport::Sent) => Report::Accepted,
        Some(
            AttemptReport::Undelivered { .. }
            | AttemptReport::Busy
            | AttemptReport::NoAnswer
            | AttemptReport::Machine,
        ) => Report::Undelivered,
        Some(AttemptReport::Voicemail | AttemptReport::Delivered | AttemptReport::Complained) => {
            Report::Delivered
        }
    }
}
