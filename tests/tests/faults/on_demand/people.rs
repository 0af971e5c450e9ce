//! What people answer to calls, and who does not want them.

use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::services::Unsubscribes;

use super::*;

#[test]
fn an_opt_out_holds_at_planning_and_at_the_claim() {
    let mut case = Case::plain();
    let contact = |index| ContactPoint::Sms(PhoneNumber::parse(&material::number(index), None).unwrap());
    let scope = case.world.scope(case.campaign.company, Action::ManageUnsubscribes);
    let unsubscribes = Unsubscribes::new(&case.world.ports);
    let refuse = |index: usize| {
        let change = UnsubscribeChange::OptedOut;
        block_on(unsubscribes.change(&scope, contact(index).refusal_key(), change)).map(drop).unwrap();
    };
    refuse(0);
    let planned = case.send(&line(0));
    // Handed to the queue; then the person refuses, before a poller has taken it.
    let queued = case.send(&line(1));
    assert_eq!(queued.stage, PacketStage::Queued);
    refuse(1);
    case.world.settle();
    for receipt in [planned, queued] {
        let outcome = case.outcome(&receipt, CallProgress::Reported, SOON);
        assert_eq!(statuses(&outcome), [MessageStatus::Skipped]);
        assert_eq!(outcome.messages[0].detail, Some(Detail::Skip(SkipReason::Unsubscribed)));
        assert_eq!(outcome.messages[0].reference, None);
    }
    assert_eq!(case.world.sandbox.accepted_count(), 0);
    case.end();
}

#[test]
fn a_stop_ends_what_is_sent_on_demand() {
    let script = json!({ "default": "stops" });
    let mut case = Case::new(script, &material::on_demand());
    case.send(&line(0));
    case.world.run_for(Duration::from_hours(1));
    assert_eq!(case.texts_to(0).len(), 1);
    let receipt = case.send(&OnDemandCall { key: key("next"), ..line(0) });
    let outcome = case.outcome(&receipt, CallProgress::Settled, SOON);
    assert_eq!(outcome.messages[0].detail, Some(Detail::Skip(SkipReason::Unsubscribed)));
    assert_eq!(case.texts_to(0).len(), 1);
    case.end();
}

#[test]
fn a_message_about_no_appointment_is_answered_for_three_days() {
    for (after, expected) in [("71h", Some(ResponseKind::Confirmed)), ("73h", None)] {
        let script = json!({ "contact_points": { (material::number(0)): {
            "reports": [{ "after": "1s", "report": "delivered" }], "replies": [{ "after": after, "text": "1" }]
        } } });
        let mut case = Case::new(script, &material::on_demand());
        let receipt = case.send(&line(0));
        case.world.run_for(Duration::from_hours(74));
        let messages = case.world.messages(case.campaign.company, receipt.packet);
        assert_eq!(messages[0].state.response.map(|response| response.kind), expected, "{after}");
        // The follow-up is made of the one-liner's row.
        let thanks = expected.map(|_| "Thank you, Name0.".to_owned());
        assert_eq!(case.texts_to(0).get(1), thanks.as_ref());
        judge::at_most_once(&case.world);
    }
}
