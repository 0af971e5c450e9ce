//! What a store keeps of a message, as the model has it: written from docs/lifecycles.md and the contracts of the ports, and from
//! none of the code that it is compared with. Statuses and events are core's words; what they do to each other is written here again.

use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::attempt::{Outcome, Report, Try};
use super::verdict::Verdict;

use MessageEvent as E;
use MessageStatus as S;

/// A message with its first `N` attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) struct Row<const N: usize> {
    pub(in crate::prove) status: MessageStatus,
    /// How often it was claimed; at most `N`.
    pub(in crate::prove) epoch: u8,
    /// How many attempts counted.
    pub(in crate::prove) attempts: u8,
    pub(in crate::prove) held: bool,
    /// A copy of it was recorded.
    pub(in crate::prove) copied: bool,
    pub(in crate::prove) redialled: bool,
    tries: [Try; N],
}

/// Whether evidence about an attempt counts that came while a later one was in work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) enum EarlierEvidence {
    /// It counts once the later one is not in work any more.
    Counts,
    /// It is kept and never looked at again: what the product did until this model was made.
    IsForgotten,
}

impl<const N: usize> Row<N> {
    /// A message that is planned.
    pub(in crate::prove) fn planned() -> Self {
        Self {
            status: S::Planned,
            epoch: 0,
            attempts: 0,
            held: false,
            copied: false,
            redialled: false,
            tries: [Try::default(); N],
        }
    }

    /// The attempt with this number, from 1.
    pub(in crate::prove) fn attempt(&self, epoch: u8) -> Option<Try> {
        self.tries.get(usize::from(epoch).checked_sub(1)?).copied()
    }

    pub(super) fn attempt_mut(&mut self, epoch: u8) -> Option<&mut Try> {
        self.tries.get_mut(usize::from(epoch).checked_sub(1)?)
    }

    /// The attempt with this number, if it was made.
    fn made_mut(&mut self, epoch: u8) -> Option<&mut Try> {
        if epoch > self.epoch { None } else { self.attempt_mut(epoch) }
    }

    /// Whether anything is still to be done.
    pub(in crate::prove) fn is_open(&self) -> bool {
        match self.status {
            S::Planned | S::Queued | S::Sending => true,
            S::Unknown => !self.held,
            _ => false,
        }
    }

    /// Whether it is planned or queued.
    pub(in crate::prove) fn waits(&self) -> bool {
        matches!(self.status, S::Planned | S::Queued)
    }

    /// Whether an acceptance is on record that is no reason to try again.
    pub(in crate::prove) fn is_known_to_be_accepted(&self) -> bool {
        self.tries.iter().any(|found| found.outcome == Outcome::Accepted)
    }

    pub(in crate::prove) fn hand_over(&mut self) -> bool {
        let moved = self.transit(E::HandedOver);
        self.copied |= moved;
        moved
    }

    /// Claims it, whatever the guards that are not its own say; answers the epoch.
    pub(in crate::prove) fn claim(&mut self) -> Option<u8> {
        if usize::from(self.epoch) >= N || !self.transit(E::Claimed) {
            return None;
        }
        self.epoch += 1;
        self.attempts += 1;
        self.copied = false;
        Some(self.epoch)
    }

    /// Puts it back, skips, expires or cancels it.
    pub(in crate::prove) fn close(&mut self, event: MessageEvent) -> bool {
        let moved = self.transit(event);
        self.copied &= !moved;
        moved
    }

    /// Settles an attempt; whether that did anything to the message.
    pub(in crate::prove) fn settle(
        &mut self,
        epoch: u8,
        verdict: Verdict,
        takes_calls: bool,
        earlier: EarlierEvidence,
    ) -> bool {
        let known = self.attempt(epoch).map(|found| found.outcome);
        let is_old_news = verdict.is_proof() && known == Some(Outcome::Redialled);
        let is_too_late = verdict == Verdict::RedialPermitted && !takes_calls;
        let is_held = self.held && !(verdict.is_proof() || verdict == Verdict::RefusedForGood);
        let concerns = match epoch.cmp(&self.epoch) {
            std::cmp::Ordering::Equal => epoch > 0,
            std::cmp::Ordering::Less => epoch > 0 && verdict.is_proof() && self.is_idle(earlier),
            std::cmp::Ordering::Greater => false,
        };
        let is_possible = { *self }.transit(verdict.event());
        if is_old_news || is_too_late || is_held || !concerns || !is_possible {
            if verdict.is_proof() {
                self.keep_acceptance(epoch, earlier);
            }
            return false;
        }
        let in_work = matches!(self.status, S::Sending | S::Unknown);
        let heeds = earlier == EarlierEvidence::Counts && !verdict.is_proof();
        let overruled = self.earlier_evidence().filter(|_| heeds && in_work);
        if let Some((epoch, evidence)) = overruled {
            self.follow(epoch, evidence);
        } else {
            self.transit(verdict.event());
            self.copied = false;
            self.held = verdict == Verdict::GivenUp;
        }
        match verdict {
            Verdict::Returned => self.attempts -= 1,
            Verdict::RedialPermitted => self.redialled = true,
            _ => {}
        }
        if let (Some(outcome), Some(found)) = (verdict.outcome(), self.made_mut(epoch)) {
            found.outcome = outcome;
        }
        // A call that is permitted again is not made if an attempt before it was accepted.
        if heeds
            && verdict == Verdict::RedialPermitted
            && let Some((epoch, evidence)) = self.earlier_evidence()
        {
            self.follow(epoch, evidence);
        }
        true
    }

    /// Takes a report about an attempt.
    pub(in crate::prove) fn report(
        &mut self,
        epoch: u8,
        report: Report,
        is_more: bool,
        earlier: EarlierEvidence,
    ) {
        let Some(found) = self.made_mut(epoch) else { return };
        found.report = found.report.max(report);
        let joined = found.report;
        let redialled = found.outcome == Outcome::Redialled;
        if !redialled {
            found.outcome = Outcome::Accepted;
        }
        let evidence = *found;
        let moves = if epoch == self.epoch {
            !redialled || is_more
        } else {
            self.is_idle(earlier) && (!redialled || joined == Report::Delivered)
        };
        if moves {
            self.follow(epoch, evidence);
        }
    }

    /// Whether no attempt is in work, so that evidence about an earlier one counts.
    fn is_idle(&self, earlier: EarlierEvidence) -> bool {
        match self.status {
            S::Queued | S::Skipped | S::Expired | S::Cancelled | S::Failed => true,
            S::Unknown => earlier == EarlierEvidence::Counts,
            _ => false,
        }
    }

    fn keep_acceptance(&mut self, epoch: u8, earlier: EarlierEvidence) {
        let Some(found) = self.made_mut(epoch) else { return };
        let is_news = match earlier {
            EarlierEvidence::Counts => found.outcome != Outcome::Redialled,
            EarlierEvidence::IsForgotten => found.outcome == Outcome::Open,
        };
        if is_news {
            found.outcome = Outcome::Accepted;
        }
    }

    /// The best evidence about an attempt before the latest: it was accepted, and if that is why another call was permitted, it has
    /// reached somebody after all.
    fn earlier_evidence(&self) -> Option<(u8, Try)> {
        let earlier = (1..self.epoch).filter_map(|epoch| Some((epoch, self.attempt(epoch)?)));
        let counts = |(_, found): &(u8, Try)| match found.outcome {
            Outcome::Accepted => true,
            Outcome::Redialled => found.report == Report::Delivered,
            _ => false,
        };
        earlier.filter(counts).max_by_key(|(_, found)| found.report)
    }

    fn follow(&mut self, epoch: u8, evidence: Try) {
        let before = self.status;
        let redialled = evidence.outcome == Outcome::Redialled;
        let found = (!redialled).then_some(E::Found);
        for event in found.into_iter().chain([evidence.report.event()]) {
            if self.transit(event) {
                self.copied = false;
                self.held = false;
            }
        }
        // The call that was permitted is withdrawn.
        if redialled
            && self.status != before
            && let Some(found) = self.made_mut(epoch)
        {
            found.outcome = Outcome::Accepted;
        }
    }

    /// The table of docs/lifecycles.md, row by row; whether the pair stands in it.
    fn transit(&mut self, event: MessageEvent) -> bool {
        // A call was made already, so that the message does not end unsent.
        let event = match (event, self.status) {
            (E::Skipped | E::Expired | E::Cancelled, S::Queued)
            | (E::RefusedForGood, S::Sending | S::Unknown)
                if self.redialled =>
            {
                E::RedialDropped
            }
            (event, _) => event,
        };
        let (from, to): (&[MessageStatus], MessageStatus) = match event {
            E::HandedOver => (&[S::Planned, S::Queued], S::Queued),
            E::Claimed => (&[S::Queued], S::Sending),
            E::Snoozed => (&[S::Planned, S::Queued], self.status),
            E::Returned | E::RefusedForNow => (&[S::Sending, S::Unknown], S::Queued),
            E::RefusedForGood => (&[S::Sending, S::Unknown], S::Failed),
            E::Ambiguous => (&[S::Sending, S::Unknown], S::Unknown),
            E::Reaped => (&[S::Sending], S::Unknown),
            E::ProvenAbsent | E::ResendPermitted => (&[S::Unknown], S::Queued),
            E::RedialPermitted => (&[S::Undelivered], S::Queued),
            E::RedialDropped => (&[S::Queued, S::Sending, S::Unknown], S::Undelivered),
            E::GivenUp => (&[S::Unknown], S::Unknown),
            E::Skipped => (&[S::Planned, S::Queued], S::Skipped),
            E::Expired => (&[S::Queued], S::Expired),
            E::Cancelled => (&[S::Planned, S::Queued], S::Cancelled),
            E::Accepted | E::Found => (
                &[S::Queued, S::Sending, S::Unknown, S::Skipped, S::Expired, S::Cancelled, S::Failed],
                S::Sent,
            ),
            E::Undelivered => (
                &[
                    S::Queued,
                    S::Sending,
                    S::Sent,
                    S::Unknown,
                    S::Skipped,
                    S::Expired,
                    S::Cancelled,
                    S::Failed,
                ],
                S::Undelivered,
            ),
            E::Delivered => (
                &[
                    S::Queued,
                    S::Sending,
                    S::Sent,
                    S::Undelivered,
                    S::Unknown,
                    S::Skipped,
                    S::Expired,
                    S::Cancelled,
                    S::Failed,
                ],
                S::Delivered,
            ),
        };
        let allowed = from.contains(&self.status);
        if allowed {
            self.status = to;
        }
        allowed
    }
}
