use futures::executor::block_on;

use super::{Desk, scope, settings};
use crate::domain::access::Actor;
use crate::domain::campaign::definition::UnknownOutcome;
use crate::domain::message_status::MessageStatus;
use crate::ports::provider::MockProviderDirectory;
use crate::services::ServiceError;
use crate::services::sweep::OverdueClaims;

fn sweep(desk: &Desk) -> u64 {
    let sweep = OverdueClaims::new(&desk.ports(MockProviderDirectory::new()), &settings());
    block_on(sweep.sweep(&scope(Actor::Worker))).unwrap()
}

#[test]
fn a_claim_is_unknown_once_its_answer_is_overdue_by_the_margin() {
    let desk = Desk::new(UnknownOutcome::default());
    let all = desk.sending(2, "stub");
    for (seconds, reaped, status) in
        [(0, 0, MessageStatus::Sending), (60, 0, MessageStatus::Sending), (61, 2, MessageStatus::Unknown)]
    {
        desk.is(seconds);
        assert_eq!(sweep(&desk), reaped, "{seconds} s");
        assert_eq!(desk.statuses(&all), [status; 2], "{seconds} s");
    }
    assert_eq!(sweep(&desk), 0);
}

#[test]
fn there_may_be_more_than_one_batch_of_them() {
    let desk = Desk::new(UnknownOutcome::default());
    let all = [desk.sending(600, "stub"), desk.sending(401, "stub")].concat();
    desk.is(61);
    assert_eq!(sweep(&desk), 1_001);
    assert_eq!(desk.statuses(&all), vec![MessageStatus::Unknown; 1_001]);
}

#[test]
fn only_workers_reap() {
    let desk = Desk::new(UnknownOutcome::default());
    let sweep = OverdueClaims::new(&desk.ports(MockProviderDirectory::new()), &settings());
    let refusal = block_on(sweep.sweep(&scope(Actor::Operator))).unwrap_err();
    assert!(matches!(refusal, ServiceError::Denied(_)), "{refusal:?}");
}
