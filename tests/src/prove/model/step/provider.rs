//! The provider: what it makes of requests, and what it reports.

use reminderly_core::domain::message_status::MessageStatus;

use super::{Moves, Next, excuse, of, request, set_request};
use crate::prove::model::action::{Action, Deed};
use crate::prove::model::attempt::{Outcome, Report};
use crate::prove::model::bounds::Policy;
use crate::prove::model::state::{Request, Step, Worker};
use crate::prove::model::verdict::Verdict;

impl<F: FnMut(Action, Next)> Moves<'_, F> {
    pub(super) fn provider(&mut self, id: u8) {
        for epoch in 1..=self.bounds.claims {
            match request(self.message(id), epoch) {
                Request::OnItsWay => self.decide(id, epoch),
                Request::Accepted => self.report(id, epoch),
                Request::NotMade | Request::Dead => {}
            }
        }
        if self.bounds.policy == Policy::Redial {
            self.redial(id);
        }
    }

    fn decide(&mut self, id: u8, epoch: u8) {
        let waits =
            |worker: &Worker| worker.step == Step::Calling && worker.message == id && worker.epoch == epoch;
        let is_waited_for = self.state.workers.iter().any(waits);
        let deed = if is_waited_for { Deed::Accept } else { Deed::AcceptLate };
        let mut accepted = self.state;
        set_request(of(&mut accepted, id), epoch, Request::Accepted);
        self.tell(deed.to(id), accepted);
        let mut lost = self.state;
        set_request(of(&mut lost, id), epoch, Request::Dead);
        self.tell(Deed::LoseRequest.to(id), lost);
    }

    /// A report may come at any time, and again; one that changes nothing is left out.
    fn report(&mut self, id: u8, epoch: u8) {
        let row = self.message(id).row;
        if epoch > row.epoch {
            return;
        }
        let known = row.attempt(epoch).unwrap_or_default().report;
        for report in [Report::Accepted, Report::Undelivered, Report::Delivered] {
            let mut next = self.state;
            let earlier = self.bounds.variant.earlier_evidence();
            of(&mut next, id).row.report(epoch, report, report > known, earlier);
            if next != self.state {
                let deed = if epoch == row.epoch { Deed::Report } else { Deed::ReportEarlier };
                self.tell(deed.to(id), next);
            }
        }
    }

    /// The rule of the campaign: one more call, if the first reached nobody.
    fn redial(&mut self, id: u8) {
        let row = self.message(id).row;
        let latest = row.attempt(row.epoch).unwrap_or_default();
        let reached_nobody = latest.report == Report::Undelivered && latest.outcome == Outcome::Accepted;
        if row.status != MessageStatus::Undelivered || !reached_nobody || row.redialled {
            return;
        }
        let mut next = self.state;
        let takes_calls = !self.state.is_draining();
        let earlier = self.bounds.variant.earlier_evidence();
        if of(&mut next, id).row.settle(row.epoch, Verdict::RedialPermitted, takes_calls, earlier) {
            excuse(of(&mut next, id), row.epoch);
            self.tell(Deed::PermitRedial.to(id), next);
        }
    }
}
