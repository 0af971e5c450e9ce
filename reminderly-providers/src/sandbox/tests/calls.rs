use std::sync::Arc;

use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::content::Content;
use reminderly_core::domain::phone_keys::{KeyAction, PhoneKeys};
use reminderly_core::ports::callback::CallbackEvent;

use super::super::*;
use crate::fixtures::{bench, message};

/// A call with the keys that the personas press.
fn call(number: u64, voicemail: Option<&str>) -> OutboundMessage {
    let to = PhoneNumber::parse_stored("+15205550199").unwrap();
    let keys = [
        ('1', KeyAction::Confirm),
        ('9', KeyAction::Cancel),
        ('8', KeyAction::OptOut),
        ('*', KeyAction::Repeat),
        ('0', KeyAction::Transfer { to }),
    ];
    let keys = PhoneKeys(keys.map(|(key, action)| (key.try_into().unwrap(), action)).into());
    let content = Content::Phone {
        script: "See you at 3. Press 1 to confirm.".into(),
        voicemail: voicemail.map(Arc::from),
        keys: Arc::new(keys),
    };
    let contact = ContactPoint::Phone(PhoneNumber::parse_stored("+15205550100").unwrap());
    OutboundMessage { content, ..message(number, contact) }
}

/// What is reported and pressed about so many calls to one persona, one after the other.
fn told(name: NamedPersona, calls: u64, voicemail: Option<&str>) -> Vec<String> {
    let bench = bench(SandboxSettings { script: SandboxScript::uniform(name), ..SandboxSettings::default() });
    (1..=calls)
        .flat_map(|number| {
            let start = bench.clock.now();
            bench.send(&[call(number, voicemail)]);
            bench.drain().into_iter().map(move |(at, event)| {
                let seconds = (at - start).num_seconds();
                match event {
                    CallbackEvent::Disposition(disposition) => {
                        assert_eq!(disposition.provider, "sandbox-phone".into());
                        format!("{seconds} {}", disposition.report)
                    }
                    CallbackEvent::Incoming(incoming) => {
                        assert_eq!(incoming.from.method(), ContactMethod::Phone);
                        format!("{seconds} {:?}", incoming.text)
                    }
                }
            })
        })
        .collect()
}

#[test]
fn each_persona_of_calls_does_what_its_name_says() {
    use NamedPersona as N;
    let cases: [(N, &[&str]); 12] = [
        (N::PressesOne, &["1 sent", "8 delivered", "20 \"1\""]),
        (N::PressesNine, &["1 sent", "8 delivered", "20 \"9\""]),
        (N::PressesEight, &["1 sent", "8 delivered", "20 \"8\""]),
        (N::RepeatsThenPressesOne, &["1 sent", "8 delivered", "35 \"1\""]),
        (N::Listens, &["1 sent", "8 delivered"]),
        (N::Voicemail, &["1 sent", "40 voicemail"]),
        (N::Machine, &["1 sent", "25 machine"]),
        (N::Busy, &["1 sent", "3 busy"]),
        (N::BusyOnce, &["1 sent", "3 busy"]),
        (N::NoAnswer, &["1 sent", "60 no_answer"]),
        (N::NoAnswerOnce, &["1 sent", "60 no_answer"]),
        (N::FailedNumber, &["1 sent", "2 undelivered:no_such_number"]),
    ];
    for (name, expected) in cases {
        assert_eq!(told(name, 1, Some("Please call back.")), expected, "{name}");
    }
}

#[test]
fn the_second_call_may_go_otherwise() {
    let answered = ["1 sent", "8 delivered"];
    assert_eq!(told(NamedPersona::BusyOnce, 2, None)[2..], answered);
    assert_eq!(told(NamedPersona::NoAnswerOnce, 2, None)[2..], answered);
    assert_eq!(told(NamedPersona::Busy, 2, None)[2..], ["1 sent", "3 busy"]);
}

#[test]
fn nothing_is_left_on_a_machine_if_there_is_nothing_to_leave() {
    assert_eq!(told(NamedPersona::Voicemail, 1, None), ["1 sent", "40 machine"]);
}

#[test]
fn calls_stand_in_the_accepted_log() {
    let bench = bench(SandboxSettings::default());
    bench.send(&[call(1, Some("Please call back."))]);
    let [accepted] = bench.sandbox.accepted().try_into().unwrap();
    assert_eq!(accepted.method, ContactMethod::Phone);
    assert_eq!(accepted.content, call(1, Some("Please call back.")).content);
    assert_eq!(accepted.content.text(), "See you at 3. Press 1 to confirm.");
    assert!(!format!("{:?}", accepted.content).contains("See you"));
}
