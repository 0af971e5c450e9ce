//! A worker: receive, claim, call, settle, ack; `services::dispatch` in the product.

use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::{Moves, Next, has_live_request, of, request, set_request, worker_of};
use crate::prove::model::action::{Action, Deed};
use crate::prove::model::state::{Age, Command, Message, Request, State, Step, Worker};
use crate::prove::model::variant::{Variant, Wrong};
use crate::prove::model::verdict::Verdict;

/// What the guards of the claim say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    Open,
    NotQueued,
    /// Not now.
    Wait,
    /// The person has refused.
    Refused,
}

impl<F: FnMut(Action, Next)> Moves<'_, F> {
    pub(super) fn worker(&mut self, id: u8) {
        let worker = self.state.workers[usize::from(id)];
        match worker.step {
            Step::Idle => return self.receive(id),
            Step::Received if self.bounds.variant.claims() && !self.bounds.variant.checks_first() => {
                self.claim(id, worker);
            }
            Step::Received => self.check(id, worker),
            Step::Checked => self.claim(id, worker),
            Step::Unanswered => self.claim_again(id, worker),
            Step::Claimed => {
                self.call(id, worker);
                let deed = if worker.is_late { Deed::ReturnLate } else { Deed::ReturnUnsent };
                self.go(deed, id, worker.at(Step::SettlesReturned));
            }
            Step::Calling => self.answer(id, worker),
            Step::Snoozes => self.write(id, worker, Deed::Snooze, MessageEvent::Snoozed),
            Step::Skips => self.write(id, worker, Deed::Skip, MessageEvent::Skipped),
            Step::Acks => self.ack(id, worker),
            _ => self.settle(id, worker),
        }
        if let Some(mut crashed) = self.faulty(Deed::Crash) {
            *worker_of(&mut crashed, id) = Worker::IDLE;
            self.tell(Deed::Crash.by(id, worker.message), crashed);
        }
    }

    /// Nothing hides a copy that another worker has: its lease may be lost at any moment.
    fn receive(&mut self, id: u8) {
        for message in (0..2).take(self.bounds.messages) {
            if self.message(message).copies == 0 {
                continue;
            }
            let other = |worker: &Worker| worker.step != Step::Idle && worker.message == message;
            let is_held = self.state.workers.iter().any(other);
            let mut next = self.state;
            *worker_of(&mut next, id) = Worker { step: Step::Received, message, epoch: 0, is_late: false };
            if self.bounds.variant.acks_first() {
                of(&mut next, message).copies -= 1;
            }
            let deed = if is_held { Deed::ReceiveOfAnother } else { Deed::Receive };
            self.tell(deed.by(id, message), next);
        }
    }

    /// The guards, in the order of the port's contract.
    fn guard(&self, message: &Message) -> Guard {
        if message.row.status != MessageStatus::Queued {
            Guard::NotQueued
        } else if self.state.is_draining() || self.state.pause != Command::NotGiven {
            Guard::Wait
        } else if message.refusal != Command::NotGiven {
            Guard::Refused
        } else if message.window_is_over {
            Guard::Wait
        } else {
            Guard::Open
        }
    }

    /// Of the protocols that ask first and act afterwards.
    fn check(&mut self, id: u8, worker: Worker) {
        let to = match self.guard(self.message(worker.message)) {
            Guard::Open if self.bounds.variant.claims() => worker.at(Step::Checked),
            Guard::Open => worker.at(Step::Claimed),
            refused => return self.refuse(id, worker, refused),
        };
        self.go(Deed::Check, id, to);
    }

    fn claim(&mut self, id: u8, worker: Worker) {
        let message = *self.message(worker.message);
        let guard = match (worker.step, message.row.status) {
            (Step::Checked, MessageStatus::Queued) => Guard::Open,
            (Step::Checked, _) => Guard::NotQueued,
            _ => self.guard(&message),
        };
        if guard != Guard::Open {
            return self.refuse(id, worker, guard);
        }
        if message.row.epoch >= self.bounds.claims {
            return;
        }
        if message.row.is_known_to_be_accepted() {
            return self.conclude(Deed::Claim.by(id, worker.message), Err(Wrong::ClaimedThoughAccepted));
        }
        let is_late = worker.is_late || message.window_is_over;
        let claimed = |mut next: State, step: Step| {
            let claimed = of(&mut next, worker.message);
            claimed.age = Age::Young;
            let epoch = claimed.row.claim()?;
            *worker_of(&mut next, id) = Worker { step, epoch, is_late, ..worker };
            Some(next)
        };
        if let Some(next) = claimed(self.state, Step::Claimed) {
            self.tell(Deed::Claim.by(id, worker.message), next);
        }
        if let Some(next) =
            self.faulty(Deed::ClaimUnanswered).and_then(|next| claimed(next, Step::Unanswered))
        {
            self.tell(Deed::ClaimUnanswered.by(id, worker.message), next);
        }
        if let Some(mut next) = self.faulty(Deed::ClaimNotMade)
            && worker.step != Step::Unanswered
        {
            *worker_of(&mut next, id) = worker.at(Step::Unanswered);
            self.tell(Deed::ClaimNotMade.by(id, worker.message), next);
        }
    }

    /// Asks with the same attempt id what became of the claim.
    fn claim_again(&mut self, id: u8, worker: Worker) {
        let message = *self.message(worker.message);
        if self.bounds.variant == Variant::LostAnswerBelieved {
            let epoch = if worker.epoch > 0 { worker.epoch } else { message.row.epoch + 1 };
            if epoch <= self.bounds.claims {
                self.go(Deed::ClaimAgain, id, Worker { step: Step::Claimed, epoch, ..worker });
            }
            return;
        }
        if worker.epoch == 0 {
            return self.claim(id, worker);
        }
        let is_ours = message.row.status == MessageStatus::Sending && message.row.epoch == worker.epoch;
        if is_ours {
            self.go(Deed::ClaimAgain, id, worker.at(Step::Claimed));
        } else {
            self.refuse(id, worker, Guard::NotQueued);
        }
    }

    fn refuse(&mut self, id: u8, worker: Worker, guard: Guard) {
        let step = match guard {
            Guard::Open | Guard::NotQueued => Step::Acks,
            Guard::Wait => Step::Snoozes,
            Guard::Refused => Step::Skips,
        };
        self.go(Deed::RefuseClaim, id, worker.done(step));
    }

    fn call(&mut self, id: u8, worker: Worker) {
        if worker.is_late && self.bounds.variant != Variant::NoStartBy {
            return;
        }
        let message = *self.message(worker.message);
        let made = message.requests.iter().filter(|request| **request != Request::NotMade).count();
        let epoch = match worker.epoch {
            // Without a claim, a request has no number but its own.
            0 => u8::try_from(made + 1).unwrap_or(u8::MAX),
            claimed => claimed,
        };
        if epoch > self.bounds.claims {
            return;
        }
        let action = Deed::Call.by(id, worker.message);
        if has_live_request(&message) {
            return self.conclude(action, Err(Wrong::SecondRequest));
        }
        if let Some(wrong) = self.forbidden(&message) {
            return self.conclude(action, Err(wrong));
        }
        let mut next = self.state;
        set_request(of(&mut next, worker.message), epoch, Request::OnItsWay);
        *worker_of(&mut next, id) = Worker { step: Step::Calling, epoch, is_late: false, ..worker };
        self.tell(action, next);
    }

    /// What forbids a request at this moment, whoever makes it.
    fn forbidden(&self, message: &Message) -> Option<Wrong> {
        let in_force = |command| command == Command::InForce;
        if in_force(message.refusal) {
            Some(Wrong::AfterRefusal)
        } else if in_force(self.state.pause) {
            Some(Wrong::AfterPause)
        } else if in_force(self.state.cancel) {
            Some(Wrong::AfterCancel)
        } else {
            message.window_is_over.then_some(Wrong::OutsideWindow)
        }
    }

    fn answer(&mut self, id: u8, worker: Worker) {
        let message = *self.message(worker.message);
        let may_try_again = message.row.attempts < self.bounds.max_attempts;
        match request(&message, worker.epoch) {
            Request::Accepted => self.go(Deed::AnswerAccepted, id, worker.at(Step::SettlesAccepted)),
            Request::Dead => {
                if may_try_again {
                    self.go(Deed::AnswerRefused, id, worker.at(Step::SettlesRefusedForNow));
                }
                self.go(Deed::AnswerRefusedForGood, id, worker.at(Step::SettlesRefusedForGood));
                self.go(Deed::AnswerWait, id, worker.at(Step::SettlesReturned));
            }
            Request::NotMade | Request::OnItsWay => {}
        }
        if let Some(mut next) = self.faulty(Deed::AnswerAmbiguous) {
            let variant = self.bounds.variant;
            let step = match variant {
                Variant::AmbiguousIsFailed => Step::SettlesRefusedForGood,
                _ if variant.retries_ambiguous() && may_try_again => Step::SettlesRefusedForNow,
                _ => Step::SettlesAmbiguous,
            };
            *worker_of(&mut next, id) = worker.at(step);
            self.tell(Deed::AnswerAmbiguous.by(id, worker.message), next);
        }
    }

    fn settle(&mut self, id: u8, worker: Worker) {
        let Some(verdict) = worker.step.verdict() else { return };
        let mut next = self.state;
        let deed = if self.settled(&mut next, worker, verdict) { Deed::Settle } else { Deed::SettleInVain };
        if let Some(mut unanswered) = self.faulty(Deed::SettleUnanswered)
            && deed == Deed::Settle
        {
            unanswered.messages = next.messages;
            self.tell(Deed::SettleUnanswered.by(id, worker.message), unanswered);
        }
        *worker_of(&mut next, id) = worker.done(Step::Acks);
        self.tell(deed.by(id, worker.message), next);
    }

    fn settled(&self, next: &mut State, worker: Worker, verdict: Verdict) -> bool {
        let takes_calls = !self.state.is_draining();
        let row = &mut of(next, worker.message).row;
        match self.bounds.variant {
            Variant::CheckCallWrite => {
                row.status = match verdict {
                    Verdict::Accepted => MessageStatus::Sent,
                    Verdict::RefusedForGood => MessageStatus::Failed,
                    Verdict::Ambiguous => MessageStatus::Unknown,
                    _ => MessageStatus::Queued,
                };
                row.copied = false;
                true
            }
            variant => {
                let epoch = if variant == Variant::NoEpoch { row.epoch } else { worker.epoch };
                row.settle(epoch, verdict, takes_calls, variant.earlier_evidence())
            }
        }
    }

    fn write(&mut self, id: u8, worker: Worker, deed: Deed, event: MessageEvent) {
        let mut next = self.state;
        of(&mut next, worker.message).row.close(event);
        *worker_of(&mut next, id) = worker.done(Step::Acks);
        self.tell(deed.by(id, worker.message), next);
    }

    fn ack(&mut self, id: u8, worker: Worker) {
        let mut next = self.state;
        *worker_of(&mut next, id) = Worker::IDLE;
        if !self.bounds.variant.acks_first() {
            let copies = &mut of(&mut next, worker.message).copies;
            *copies = copies.saturating_sub(1);
        }
        self.tell(Deed::Ack.by(id, worker.message), next);
    }

    fn go(&mut self, deed: Deed, id: u8, to: Worker) {
        let mut next = self.state;
        *worker_of(&mut next, id) = to;
        self.tell(deed.by(id, to.message), next);
    }
}
