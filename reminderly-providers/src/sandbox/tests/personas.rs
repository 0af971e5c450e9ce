use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt as _;
use reminderly_core::clock::{Clock as _, Monotonic};
use reminderly_core::ports::callback::CallbackEvent;
use reminderly_core::ports::provider::{Finding, SendDeadline};

use super::super::*;
use crate::fixtures::{bench, company, deadline, email, message, sms, start};

/// Outcomes of two requests, and after each how many are accepted.
fn requests(name: NamedPersona) -> [(String, u64); 2] {
    let bench = bench(SandboxSettings { script: SandboxScript::uniform(name), ..SandboxSettings::default() });
    [1, 2].map(|number| {
        let sent = message(number, sms("+15205550100"));
        let outcome = match bench.send(std::slice::from_ref(&sent)).remove(0) {
            ProviderOutcome::Accepted { reference } => {
                let logged =
                    bench.sandbox.accepted().into_iter().find(|accepted| accepted.message == sent.message);
                assert_eq!(reference, logged.map(|accepted| accepted.reference));
                "accepted".to_owned()
            }
            ProviderOutcome::Rejected { code, rejection } => format!("rejected {code} {rejection:?}"),
            ProviderOutcome::Deferred { retry_after } => format!("deferred {retry_after:?}"),
            ProviderOutcome::NotStarted => "not started".to_owned(),
            ProviderOutcome::Unknown { code } => format!("unknown {code}"),
        };
        assert_eq!(bench.sandbox.requests(), number);
        (outcome, bench.sandbox.accepted_count())
    })
}

/// Reports and replies of one accepted message, with the seconds after the request.
fn events(name: NamedPersona) -> Vec<String> {
    let bench = bench(SandboxSettings { script: SandboxScript::uniform(name), ..SandboxSettings::default() });
    bench.send(&[message(1, sms("+15205550100"))]);
    if bench.sandbox.accepted_count() == 0 {
        bench.send(&[message(2, sms("+15205550100"))]);
    }
    let Some(accepted) = bench.sandbox.accepted().pop() else { return Vec::new() };
    let seconds = |at: DateTime<Utc>| (at - accepted.at).num_seconds();
    let told = |(_, event)| match event {
        CallbackEvent::Disposition(disposition) => {
            assert_eq!(disposition.attempt, accepted.attempt);
            assert_eq!(disposition.reference.as_ref(), Some(&accepted.reference));
            format!("{} {}", seconds(disposition.at), disposition.report)
        }
        CallbackEvent::Incoming(incoming) => {
            assert_eq!(incoming.from, accepted.contact);
            assert_eq!(*incoming.account, format!("sandbox-{}", company(1)));
            format!("{} {:?}", seconds(incoming.at), incoming.text)
        }
    };
    bench.drain().into_iter().map(told).collect()
}

#[test]
fn each_persona_answers_requests_in_its_way() {
    let always = |outcome: &str, accepted: [u64; 2]| accepted.map(|count| (outcome.to_owned(), count));
    let first = |outcome: &str, accepted: [u64; 2]| {
        [(outcome.to_owned(), accepted[0]), ("accepted".to_owned(), accepted[1])]
    };
    for name in NamedPersona::ALL {
        let expected = match name {
            NamedPersona::OptedOut => always("rejected opted_out OptedOut", [0, 0]),
            NamedPersona::Invalid => always("rejected invalid_address ForGood", [0, 0]),
            NamedPersona::Throttled => first("deferred Some(30s)", [0, 1]),
            NamedPersona::ServerError => first("unknown http_503", [0, 1]),
            NamedPersona::ServerErrorAccepted => first("unknown http_503", [1, 2]),
            NamedPersona::TimeOut | NamedPersona::Hangs => first("unknown timeout", [0, 1]),
            NamedPersona::TimeOutAccepted | NamedPersona::AcceptedLate => first("unknown timeout", [1, 2]),
            NamedPersona::LostAnswer => first("unknown connection_reset", [1, 2]),
            _ => always("accepted", [1, 2]),
        };
        assert_eq!(requests(name), expected, "{name}");
    }
}

#[test]
fn each_persona_reports_and_replies_in_its_way() {
    let delivers = ["1 sent", "5 delivered"];
    for name in NamedPersona::ALL {
        let expected = match name {
            NamedPersona::Silent | NamedPersona::Invalid | NamedPersona::OptedOut => vec![],
            NamedPersona::Undelivered => vec!["1 sent", "30 undelivered:unreachable"],
            NamedPersona::Landline => vec!["1 sent", "3 undelivered:landline"],
            NamedPersona::Confirms => [&delivers[..], &["120 \"1\""]].concat(),
            NamedPersona::Cancels => [&delivers[..], &["120 \"2\""]].concat(),
            NamedPersona::Stops => [&delivers[..], &["120 \"STOP\""]].concat(),
            NamedPersona::Gibberish => [&delivers[..], &["120 \"hm, who is this?\""]].concat(),
            NamedPersona::DuplicateReports => vec!["2 delivered", "3 delivered", "4 sent", "5 sent"],
            NamedPersona::Complains => [&delivers[..], &["600 complained"]].concat(),
            NamedPersona::PressesOne => vec!["1 sent", "8 delivered", "20 \"1\""],
            NamedPersona::PressesNine => vec!["1 sent", "8 delivered", "20 \"9\""],
            NamedPersona::PressesEight => vec!["1 sent", "8 delivered", "20 \"8\""],
            NamedPersona::RepeatsThenPressesOne => {
                vec!["1 sent", "8 delivered", "20 \"*\"", "35 \"1\""]
            }
            NamedPersona::Listens => vec!["1 sent", "8 delivered"],
            NamedPersona::Voicemail => vec!["1 sent", "40 delivered"],
            NamedPersona::Machine => vec!["1 sent", "25 undelivered:machine"],
            NamedPersona::BusyOnce | NamedPersona::Busy => vec!["1 sent", "3 undelivered:busy"],
            NamedPersona::NoAnswer | NamedPersona::NoAnswerOnce => {
                vec!["1 sent", "60 undelivered:no_answer"]
            }
            NamedPersona::FailedNumber => vec!["1 sent", "2 undelivered:no_such_number"],
            _ => delivers.to_vec(),
        };
        assert_eq!(events(name), expected, "{name}");
    }
}

#[test]
fn well_known_contact_points_are_their_personas() {
    for (position, name) in NamedPersona::ALL.into_iter().enumerate() {
        let expected = Persona::from(name);
        let script = SandboxScript::uniform(NamedPersona::Silent);
        let number = format!("+120255501{position:02}");
        assert_eq!(*script.persona(0, &sms(&number)), expected, "{name}");
        for address in [format!("{name}@{DOMAIN}"), format!("{name}+7@{DOMAIN}")] {
            assert_eq!(*script.persona(0, &email(&address)), expected, "{name}");
        }
        let overruled = script.with_contact_point(&sms(&number), NamedPersona::Undelivered);
        assert_eq!(*overruled.persona(0, &sms(&number)), NamedPersona::Undelivered.into(), "{name}");
    }
    let others = SandboxScript::uniform(NamedPersona::Stops);
    for contact in [sms("+12025550132"), sms("+15205550104"), email("invalid@sandbox.example.org")] {
        assert_eq!(*others.persona(0, &contact), NamedPersona::Stops.into());
    }
}

#[test]
fn nothing_starts_at_or_after_start_by() {
    let bench = bench(SandboxSettings::default());
    let provider = bench.sandbox.provider(ContactMethod::Sms);
    let messages = [message(1, sms("+12025550100")), message(2, sms("+12025550108"))];
    let start_by = bench.clock.monotonic();
    let late = SendDeadline { start_by, answer_by: start_by.plus(Duration::from_secs(10)) };
    let outcomes = provider.send(&messages, late).now_or_never().unwrap().unwrap().into_vec();
    assert_eq!(outcomes, [ProviderOutcome::NotStarted, ProviderOutcome::NotStarted]);
    assert_eq!((bench.sandbox.requests(), bench.sandbox.accepted_count()), (0, 0));
    assert_eq!(late.start_by, Monotonic::new(Duration::ZERO));
}

#[test]
fn messages_beyond_the_batch_or_of_another_method_are_not_sent() {
    let bench = bench(SandboxSettings::default());
    let mut messages = vec![message(1, email("ann@example.org"))];
    messages.extend((2..=102).map(|number| message(number, sms("+15205550100"))));
    let outcomes = bench.send_by(&*bench.sandbox.provider(ContactMethod::Sms), &messages);
    assert!(matches!(outcomes[0], ProviderOutcome::Rejected { rejection: Rejection::ForGood, .. }));
    assert!(matches!(outcomes[99], ProviderOutcome::Accepted { .. }));
    assert_eq!(outcomes[100..], [ProviderOutcome::NotStarted, ProviderOutcome::NotStarted]);
    assert_eq!(bench.sandbox.accepted_count(), 99);
}

#[test]
fn who_told_the_carrier_to_stop_is_sent_nothing_of_that_company() {
    let bench = bench(SandboxSettings::default());
    bench.sandbox.opt_out(company(1), sms("+15205550100"));
    let of_another = OutboundMessage { company: company(2), ..message(2, sms("+15205550100")) };
    let outcomes =
        bench.send(&[message(1, sms("+15205550100")), of_another, message(3, sms("+15205550101"))]);
    let refused = ProviderOutcome::Rejected { code: "opted_out".into(), rejection: Rejection::OptedOut };
    assert_eq!(outcomes[0], refused);
    let accepted = bench.sandbox.accepted();
    assert_eq!(
        accepted.iter().map(|request| request.message).collect::<Vec<_>>(),
        [2, 3].map(|number| message(number, sms("+15205550100")).message)
    );
}

#[test]
fn a_dropped_call_may_have_been_accepted() {
    let bench = bench(SandboxSettings::default());
    let provider = bench.sandbox.provider(ContactMethod::Sms);
    let messages = [message(1, sms("+12025550109"))];
    assert!(provider.send(&messages, deadline(bench.clock.monotonic())).now_or_never().is_none());
    assert_eq!(bench.sandbox.accepted_count(), 1);
}

#[test]
fn duplicates_are_accepted_each_with_its_own_reference() {
    let bench = bench(SandboxSettings::default());
    bench.send(&[message(1, sms("+15205550100")), message(1, sms("+15205550100"))]);
    let accepted = bench.sandbox.accepted();
    assert_eq!((accepted.len(), bench.sandbox.accepted_count()), (2, 2));
    assert_eq!(accepted[0].message, accepted[1].message);
    assert_ne!(accepted[0].reference, accepted[1].reference);
}

#[test]
fn the_look_up_finds_what_was_accepted_and_when() {
    let bench = bench(SandboxSettings::default());
    let lookup = bench.sandbox.lookup();
    let numbers = ["+12025550110", "+12025550117", "+12025550106"];
    let messages: Vec<_> =
        (1..).zip(numbers).map(|(number, contact)| message(number, sms(contact))).collect();
    bench.send(&messages);
    let attempts: Vec<_> = messages.iter().map(|message| message.attempt).collect();
    let find = || lookup.find(&attempts).now_or_never().unwrap().unwrap().into_vec();

    let [lost, late] = bench.sandbox.accepted().try_into().unwrap();
    let found =
        |accepted: AcceptedRequest| Finding::Accepted { reference: accepted.reference, at: accepted.at };
    assert_eq!(find(), [found(lost.clone()), Finding::Absent, Finding::Absent]);
    bench.clock.advance_to(start() + TimeDelta::seconds(40));
    assert_eq!(find(), [found(lost), found(late), Finding::Absent]);
}

#[test]
fn a_counting_log_keeps_nothing_and_proves_nothing() {
    let settings = SandboxSettings { log: AcceptedLog::Counting, ..SandboxSettings::default() };
    let bench = bench(settings);
    let sent = message(1, sms("+12025550110"));
    bench.send(std::slice::from_ref(&sent));
    assert_eq!((bench.sandbox.accepted_count(), bench.sandbox.accepted().len()), (1, 0));
    let findings = bench.sandbox.lookup().find(&[sent.attempt]).now_or_never().unwrap().unwrap();
    assert_eq!(findings.into_vec(), [Finding::Inconclusive]);
}

#[test]
fn a_message_that_expires_first_is_not_delivered_and_not_answered() {
    let bench = bench(SandboxSettings::default());
    let expires_at = start() + TimeDelta::seconds(5);
    bench.send(&[OutboundMessage { expires_at, ..message(1, sms("+12025550111")) }]);
    let reports: Vec<_> = bench
        .drain()
        .into_iter()
        .map(|(at, event)| match event {
            CallbackEvent::Disposition(disposition) => (at, disposition.report.to_string()),
            CallbackEvent::Incoming(_) => (at, "incoming".to_owned()),
        })
        .collect();
    let sent = (start() + TimeDelta::seconds(1), "sent".to_owned());
    assert_eq!(reports, [sent, (expires_at, "undelivered:expired".to_owned())]);
}

#[test]
fn who_was_reached_in_time_stays_reached_however_late_that_is_told_again() {
    let bench = bench(SandboxSettings::default());
    let expires_at = start() + TimeDelta::milliseconds(2_500);
    bench.send(&[OutboundMessage { expires_at, ..message(1, sms("+12025550115")) }]);
    let reports: Vec<_> = bench
        .drain()
        .into_iter()
        .filter_map(|(_, event)| match event {
            CallbackEvent::Disposition(disposition) => Some(disposition.report.to_string()),
            CallbackEvent::Incoming(_) => None,
        })
        .collect();
    assert_eq!(reports, ["delivered", "delivered", "sent", "sent"]);
}

#[test]
fn debug_shows_nothing_personal() {
    let contact = sms("+15205550100");
    let script = SandboxScript::default().with_contact_point(&contact, NamedPersona::Confirms);
    let bench = bench(SandboxSettings { script: script.clone(), ..SandboxSettings::default() });
    bench.send(&[message(1, contact)]);
    bench.clock.advance(Duration::from_mins(5));
    let callbacks = bench.sandbox.take_callbacks(bench.clock.now());
    let shown = format!("{script:?} {:?} {:?} {callbacks:?}", bench.sandbox, bench.sandbox.accepted());
    assert!(!shown.contains("5550100") && !shown.contains("See you"), "{shown}");
}
