//! The sweeps that close what nobody has settled: they read, ask, and write some time later.

use reminderly_core::domain::message_status::MessageStatus;

use super::{Moves, Next, excuse, of, request};
use crate::prove::model::action::{Action, Deed};
use crate::prove::model::bounds::Policy;
use crate::prove::model::state::{Age, Request, Settlement};
use crate::prove::model::variant::Variant;
use crate::prove::model::verdict::Verdict;

impl<F: FnMut(Action, Next)> Moves<'_, F> {
    pub(super) fn sweeps(&mut self, id: u8) {
        let message = *self.message(id);
        let row = message.row;
        if row.epoch == 0 {
            return;
        }
        let is_overdue = message.age >= Age::Overdue;
        if row.status == MessageStatus::Sending && is_overdue {
            self.decides(Deed::Reap, id, Verdict::Reaped);
        }
        if row.status != MessageStatus::Unknown || row.held {
            return;
        }
        let request = request(&message, row.epoch);
        let is_dead = message.age == Age::Quiet || self.bounds.variant == Variant::LookUpAtOnce;
        if request == Request::Accepted {
            self.decides(Deed::Find, id, Verdict::Found);
        } else if is_dead && row.attempts < self.bounds.max_attempts {
            self.decides(Deed::ProveAbsent, id, Verdict::ProvenAbsent);
        } else if is_dead {
            self.decides(Deed::Exhaust, id, Verdict::RefusedForGood);
        }
        // The provider may not be able to say.
        if is_overdue {
            if self.bounds.policy == Policy::ResendOnce && row.attempts == 1 {
                self.decides(Deed::PermitResend, id, Verdict::ResendPermitted);
            }
            self.decides(Deed::GiveUp, id, Verdict::GivenUp);
        }
    }

    pub(super) fn write_of_sweep(&mut self, place: usize) {
        let Some(Settlement { message: id, epoch, verdict }) = self.state.sweeps[place] else { return };
        let mut idle = self.state;
        idle.sweeps[place] = None;
        let mut next = idle;
        let variant = self.bounds.variant;
        let takes_calls = !self.state.is_draining();
        let message = of(&mut next, id);
        let row = &mut message.row;
        let epoch = if variant == Variant::NoEpoch { row.epoch } else { epoch };
        let is_reaped_and_queued = variant.queues_reaped() && verdict == Verdict::Reaped;
        let verdict = if is_reaped_and_queued { Verdict::RefusedForNow } else { verdict };
        let written = row.settle(epoch, verdict, takes_calls, variant.earlier_evidence());
        if written && verdict == Verdict::ResendPermitted {
            excuse(message, epoch);
        }
        let deed = if written { Deed::SweepWrites } else { Deed::SweepWritesInVain };
        self.tell(deed.to(id), next);
        if self.faulty(Deed::SweepCrashes).is_some() {
            // Whoever sweeps next reads anew.
            self.tell(Deed::SweepCrashes.to(id), idle);
        }
    }

    fn decides(&mut self, deed: Deed, message: u8, verdict: Verdict) {
        let epoch = self.message(message).row.epoch;
        let mut next = self.state;
        let free = next.sweeps.iter_mut().take(self.bounds.sweeps).find(|sweep| sweep.is_none());
        if let Some(free) = free {
            *free = Some(Settlement { message, epoch, verdict });
            self.tell(deed.to(message), next);
        }
    }
}
