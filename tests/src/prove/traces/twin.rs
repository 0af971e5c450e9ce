//! The model's side of a trace: the row of the exhaustive model, with the instants that it leaves out.

use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::action::{Action, CLAIMS, Drain};
use super::seen::{Answer, Refusal, Reported, Settled, Standing};
use super::terms::{ANSWER_AFTER, COPY_LIVES, DUE_AT, LEGAL_FOR, START_WITHIN};
use crate::prove::model::attempt::Report;
use crate::prove::model::row::{EarlierEvidence, Row};
use crate::prove::model::verdict::Verdict;

/// The model of a message, with what it depends on.
#[derive(Debug)]
pub(super) struct Twin {
    pub(super) now: i64,
    row: Row<CLAIMS>,
    earlier: EarlierEvidence,
    not_before: i64,
    legal_until: i64,
    copy_until: i64,
    answer_by: i64,
    /// The joined report of each attempt, by its place in the lattice.
    ranks: [u8; CLAIMS],
    /// The events that were taken, as bits.
    events: u32,
    is_paused: bool,
    drain: Drain,
    is_refused: bool,
}

impl Twin {
    /// A message that is planned, in a packet that sends.
    pub(super) fn new(earlier: EarlierEvidence) -> Self {
        Self {
            now: 0,
            row: Row::planned(),
            earlier,
            not_before: DUE_AT,
            legal_until: DUE_AT + LEGAL_FOR,
            copy_until: 0,
            answer_by: 0,
            ranks: [0; CLAIMS],
            events: 0,
            is_paused: false,
            drain: Drain::Off,
            is_refused: false,
        }
    }

    pub(super) fn status(&self) -> MessageStatus {
        self.row.status
    }

    /// How often the message was claimed.
    pub(super) fn epoch(&self) -> u8 {
        self.row.epoch
    }

    /// Does it.
    pub(super) fn act(&mut self, action: Action) -> Answer {
        self.now += match action {
            Action::Wait(seconds) => seconds,
            _ => 1,
        };
        match action {
            Action::Wait(_) => Answer::Nothing,
            Action::HandOver => self.hand_over(),
            Action::Claim => self.claim(None),
            Action::ClaimAgain(epoch) => self.claim(Some(epoch)),
            Action::Settle { epoch, verdict, wait } => self.settle(epoch, verdict, self.now + wait),
            Action::Report { epoch, rank, event } => self.report(epoch, rank, event),
            Action::SnoozeUnchanged => self.close(MessageEvent::Snoozed),
            Action::SnoozeFor(wait) => {
                let answer = self.close(MessageEvent::Snoozed);
                if answer == Answer::Written(true) {
                    self.not_before = self.not_before.max(self.now + wait);
                }
                answer
            }
            Action::PlanAgain(wait) => {
                let answer = self.close(MessageEvent::Snoozed);
                if answer == Answer::Written(true) {
                    self.plan_for(self.now + wait);
                }
                answer
            }
            Action::Skip => self.close(MessageEvent::Skipped),
            Action::Expire => self.close(MessageEvent::Expired),
            Action::CancelOpen => self.close(MessageEvent::Cancelled),
            Action::Pause => self.set(|twin| twin.is_paused = true),
            Action::Resume => self.set(|twin| twin.is_paused = false),
            Action::Drain(drain) => {
                let is_possible = drain == Drain::Cancelling || self.drain != Drain::Cancelling;
                self.drain = if is_possible { drain } else { self.drain };
                Answer::Written(is_possible)
            }
            Action::OptOut => self.set(|twin| twin.is_refused = true),
            Action::OptIn => self.set(|twin| twin.is_refused = false),
        }
    }

    /// Where the message stands.
    pub(super) fn standing(&self) -> Standing {
        let row = &self.row;
        let attempts = (1..=row.epoch).filter_map(|epoch| row.attempt(epoch));
        let waiting = if row.copied { self.copy_until } else { self.not_before };
        let is_overdue = row.status == MessageStatus::Sending && self.answer_by < self.now;
        let is_unknown = row.status == MessageStatus::Unknown && !row.held;
        Standing {
            status: row.status,
            epoch: row.epoch,
            attempts: row.attempts,
            held: row.held,
            redialled: row.redialled,
            not_before: Some(self.not_before),
            legal_until: Some(self.legal_until),
            copy_until: row.copied.then_some(self.copy_until),
            tries: attempts.map(|found| (found.outcome, found.report)).collect(),
            open: u64::from(row.is_open()),
            next_due: row.waits().then_some(waiting),
            overdue: is_overdue.then_some(row.epoch),
            unknown: is_unknown.then_some(row.epoch),
        }
    }

    fn set(&mut self, change: impl FnOnce(&mut Self)) -> Answer {
        change(self);
        Answer::Nothing
    }

    fn plan_for(&mut self, at: i64) {
        self.not_before = at;
        self.legal_until = at + LEGAL_FOR;
    }

    fn hand_over(&mut self) -> Answer {
        let waits_until = if self.row.copied { self.copy_until } else { self.not_before };
        let sends = !self.is_paused && self.drain == Drain::Off;
        if !sends || !self.row.waits() || self.now < waits_until {
            return Answer::NotDue;
        }
        if self.legal_until <= self.now {
            return Answer::Late;
        }
        self.row.hand_over();
        self.copy_until = self.now + COPY_LIVES;
        Answer::HandedOver
    }

    fn claim(&mut self, again: Option<u8>) -> Answer {
        let is_ours = again == Some(self.row.epoch) && self.row.status == MessageStatus::Sending;
        if !is_ours {
            let is_used = again.is_some_and(|epoch| (1..=self.row.epoch).contains(&epoch));
            let refusal = self.refusal().or(is_used.then_some(Refusal::NotQueued));
            if let Some(refusal) = refusal {
                return Answer::NotClaimed(refusal);
            }
            // P2: nothing queues a message again that is on record as accepted, so there is no guard for it.
            if self.row.is_known_to_be_accepted() || self.row.claim().is_none() {
                return Answer::NotClaimed(Refusal::Other);
            }
            self.answer_by = self.now + ANSWER_AFTER;
        }
        let start_by = (self.answer_by - ANSWER_AFTER + START_WITHIN).min(self.legal_until);
        Answer::Claimed { epoch: self.row.epoch, attempts_before: self.row.attempts - 1, start_by }
    }

    /// The guards, in the order of the port's contract.
    fn refusal(&self) -> Option<Refusal> {
        if self.row.status != MessageStatus::Queued {
            Some(Refusal::NotQueued)
        } else if self.drain != Drain::Off {
            Some(Refusal::PacketClosed)
        } else if self.is_paused {
            Some(Refusal::CampaignNotActive)
        } else if self.is_refused {
            Some(Refusal::Unsubscribed)
        } else if self.now < self.not_before {
            Some(Refusal::NotYet)
        } else {
            (self.legal_until <= self.now).then_some(Refusal::OutsideWindow)
        }
    }

    fn settle(&mut self, epoch: u8, verdict: Verdict, not_before: i64) -> Answer {
        let takes_calls = self.drain == Drain::Off;
        if !self.row.settle(epoch, verdict, takes_calls, self.earlier) {
            return Answer::Settled(Settled::Stale, self.row.status);
        }
        match verdict {
            Verdict::RefusedForNow | Verdict::Returned if self.row.waits() => self.not_before = not_before,
            Verdict::ProvenAbsent | Verdict::ResendPermitted if self.row.waits() => {
                self.not_before = self.now;
            }
            Verdict::RedialPermitted => self.plan_for(not_before),
            _ => {}
        }
        Answer::Settled(Settled::Applied, self.row.status)
    }

    fn report(&mut self, epoch: u8, rank: u8, event: u8) -> Answer {
        if epoch == 0 || epoch > self.row.epoch {
            return Answer::Reported(Reported::Missing);
        }
        if self.events & 1 << event > 0 {
            return Answer::Reported(Reported::Duplicate(self.row.status));
        }
        self.events |= 1 << event;
        let known = &mut self.ranks[usize::from(epoch) - 1];
        let is_more = rank > *known;
        *known = rank.max(*known);
        // The places of docs/lifecycles.md; a failure with a code has two, one for each of two codes.
        let report = match rank {
            1 | 2 => Report::Accepted,
            3..=7 => Report::Undelivered,
            _ => Report::Delivered,
        };
        self.row.report(epoch, report, is_more, self.earlier);
        Answer::Reported(Reported::Recorded(self.row.status))
    }

    fn close(&mut self, event: MessageEvent) -> Answer {
        Answer::Written(self.row.close(event))
    }
}
