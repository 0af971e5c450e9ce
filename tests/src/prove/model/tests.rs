use std::collections::BTreeSet;

use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::bounds::{Faults, Given, Labels};
use super::row::{EarlierEvidence, Row};
use super::state::State;
use super::step::moves;
use super::*;

/// What is soon explored, also without optimisation.
const TINY: Bounds = Bounds {
    claims: 1,
    max_attempts: 1,
    copies: 1,
    commands: &[Given::OptOut, Given::WindowEnds],
    ..Bounds::SMALL
};

#[test]
fn the_protocol_is_safe_and_every_message_ends() {
    let explored = Explored::new(&TINY);
    assert!(explored.states > 10_000, "{}", explored.states);
    assert_eq!(broken(&TINY, &explored, Ends::AreSought), None);
}

#[test]
fn two_messages_share_workers_and_packet() {
    let bounds = Bounds { messages: 2, faults: Faults::UpTo(0), commands: &[Given::WindowEnds], ..TINY };
    let explored = Explored::new(&bounds);
    assert_eq!(broken(&bounds, &explored, Ends::AreSought), None);
}

#[test]
fn protocols_that_are_not_safe_fail_as_they_must() {
    for (variant, expected) in Variant::UNSAFE {
        // Those two take too long without optimisation; `tests/prove` shows them.
        if matches!(variant, Variant::NoEpoch | Variant::EarlierForgotten) {
            continue;
        }
        let (wrong, trace) = fails(variant).expect("it is not safe");
        assert_eq!(wrong, expected, "{}:\n{}", variant.as_str(), told(&trace));
    }
}

#[test]
fn the_shortest_way_to_send_twice_takes_seven_actions() {
    let (_, trace) = fails(Variant::CheckCallWrite).expect("it is not safe");
    let mut deeds: Vec<Deed> = trace.iter().map(|action| action.deed).collect();
    deeds.sort_unstable();
    // In which order the two workers check and call makes no difference.
    let needed = [
        Deed::HandOver,
        Deed::Receive,
        Deed::ReceiveOfAnother,
        Deed::Check,
        Deed::Check,
        Deed::Call,
        Deed::Call,
    ];
    assert_eq!(deeds, needed);
}

#[test]
fn copies_that_are_never_lost_need_no_sweep_if_they_are_acked_last() {
    // With one worker: copies have no names here, so that an ack of one that was acked before would take another one away.
    let trusting = Bounds { workers: 1, faults: Faults::CrashesOnly, ..Bounds::of(Variant::TrustsQueue) };
    let explored = Explored::new(&trusting);
    assert_eq!(broken(&trusting, &explored, Ends::AreSought), None);
}

#[test]
fn what_is_forgotten_of_labels_hides_nothing() {
    let kept = Explored::new(&Bounds { labels: Labels::Kept, commands: &[], ..TINY });
    let forgotten = Explored::new(&Bounds { commands: &[], ..TINY });
    assert!(forgotten.states < kept.states && kept.states < forgotten.states * 2);
    let kept_without: BTreeSet<u128> =
        kept.numbered().map(|state| State::unpacked(state).canonical(1)).collect();
    assert!(kept_without == forgotten.numbered().collect());
    let fired = |explored: &Explored| -> Vec<Deed> {
        explored.fired.iter().filter(|(_, times)| **times > 0).map(|(deed, _)| *deed).collect()
    };
    assert_eq!((fired(&kept), kept.depth), (fired(&forgotten), forgotten.depth));
}

#[test]
fn a_state_is_what_it_was_packed_from() {
    let bounds = Bounds { messages: 2, workers: 3, sweeps: 2, claims: 3, max_attempts: 3, ..Bounds::SMALL };
    let mut state = State::initial(2);
    // Far along one way through the states, by a choice that is fixed.
    for step in 0..2_000_usize {
        assert_eq!(State::unpacked(state.packed()), state);
        assert_eq!(State::unpacked(state.canonical(2)).canonical(2), state.canonical(2));
        let mut next = Vec::new();
        moves(&bounds, state, |_, to| next.extend(to.ok()));
        let Some(to) = next.get(step * 7 % next.len().max(1)) else {
            state = State::initial(2);
            continue;
        };
        state = *to;
    }
}

#[test]
fn the_rows_table_is_cores() {
    for status in MessageStatus::ALL {
        for event in MessageEvent::ALL {
            let mut row = Row::<1>::planned();
            row.status = status;
            let moved = row.close(event);
            assert_eq!(moved.then_some(row.status), status.after(event), "{event} in {status}");
        }
    }
}

#[test]
fn every_deed_has_its_own_name() {
    for (place, (deed, name)) in Deed::ALL.iter().enumerate() {
        assert_eq!((*deed as usize, deed.as_str()), (place, *name));
    }
}

#[test]
fn an_earlier_acceptance_is_heeded() {
    use super::attempt::Report;
    use super::verdict::Verdict;
    let counts = EarlierEvidence::Counts;
    let mut row = Row::<2>::planned();
    row.hand_over();
    assert_eq!(row.claim(), Some(1));
    assert!(
        row.settle(1, Verdict::Ambiguous, true, counts)
            && row.settle(1, Verdict::ResendPermitted, true, counts)
    );
    assert_eq!(row.claim(), Some(2));
    row.report(1, Report::Accepted, true, counts);
    assert!(row.settle(2, Verdict::RefusedForNow, true, counts));
    assert_eq!(row.status, MessageStatus::Sent);
}
