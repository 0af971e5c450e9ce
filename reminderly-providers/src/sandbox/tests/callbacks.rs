use std::time::Duration;

use chrono::TimeDelta;
use reminderly_core::clock::Clock as _;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::ports::callback::{CallbackError, CallbackEvent};

use super::super::*;
use crate::fixtures::{Bench, bench, company, message, sms, start};
use crate::standard_webhooks::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

fn events_of(bench: &Bench) -> Vec<String> {
    let name = |event| match event {
        CallbackEvent::Disposition(disposition) => disposition.event.to_string(),
        CallbackEvent::Incoming(incoming) => incoming.event.to_string(),
    };
    bench.drain().into_iter().map(|(_, event)| name(event)).collect()
}

/// The callback of a reply, which has every kind of field.
fn reply() -> (Bench, SandboxCallback) {
    let bench = bench(SandboxSettings::default());
    bench.send(&[message(1, sms("+12025550113"))]);
    bench.clock.advance(Duration::from_mins(2));
    let callback = bench.sandbox.take_callbacks(bench.clock.now()).pop().unwrap();
    (bench, callback)
}

fn decode(bench: &Bench, request: &CallbackRequest) -> Result<Vec<CallbackEvent>, CallbackError> {
    bench.sandbox.decoder().decode(request, bench.clock.now())
}

#[test]
fn only_due_callbacks_are_taken_and_only_once() {
    let bench = bench(SandboxSettings::default());
    bench.send(&[message(1, sms("+12025550111"))]);
    let at = |seconds| start() + TimeDelta::seconds(seconds);
    assert_eq!(bench.sandbox.next_callback_at(), Some(at(1)));
    assert!(bench.sandbox.take_callbacks(at(0)).is_empty());
    assert_eq!(bench.sandbox.take_callbacks(at(5)).len(), 2);
    assert!(bench.sandbox.take_callbacks(at(5)).is_empty());
    assert_eq!(bench.sandbox.next_callback_at(), Some(at(120)));
}

#[test]
fn a_callback_that_was_put_back_is_the_same_event_signed_anew() {
    let (bench, callback) = reply();
    let later = bench.clock.now() + TimeDelta::hours(1);
    bench.sandbox.put_back(callback.clone(), later);
    assert_eq!(bench.sandbox.next_callback_at(), Some(later));
    bench.clock.advance_to(later);
    let again = bench.sandbox.take_callbacks(later).pop().unwrap();
    assert_eq!(again.provider, callback.provider);
    assert_eq!(again.request.body, callback.request.body);
    assert_eq!(again.request.header(ID_HEADER), callback.request.header(ID_HEADER));
    assert_ne!(again.request.header(SIGNATURE_HEADER), callback.request.header(SIGNATURE_HEADER));
    assert!(decode(&bench, &again.request).is_ok());
    assert!(decode(&bench, &callback.request).is_err(), "an hour old");
}

#[test]
fn a_strangers_callback_is_not_put_back() {
    let (bench, callback) = reply();
    bench.sandbox.put_back(SandboxCallback { provider: "other".into(), ..callback }, bench.clock.now());
    assert_eq!(bench.sandbox.next_callback_at(), None);
}

#[test]
fn a_report_that_comes_twice_is_one_event_and_every_request_has_its_own() {
    let bench = bench(SandboxSettings::default());
    bench.send(&[message(1, sms("+12025550115")), message(1, sms("+12025550115"))]);
    let mut events = events_of(&bench);
    assert_eq!(events.len(), 8);
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 4);
}

#[test]
fn replies_answer_the_messages_that_the_script_says() {
    let script = r#"{"default": {"replies": [
        {"after": "1s", "text": "first"}, {"after": "2s", "text": "second", "to": {"nth": 2}},
        {"after": "3s", "text": "every", "to": "every"}]}}"#;
    let script = SandboxScript::parse(script).unwrap();
    let bench = bench(SandboxSettings { script, ..SandboxSettings::default() });
    bench.send(&[1, 2, 3].map(|number| message(number, sms("+15205550100"))));
    let text = |event| match event {
        CallbackEvent::Incoming(incoming) => incoming.text.to_string(),
        CallbackEvent::Disposition(_) => unreachable!("this persona reports nothing"),
    };
    let texts: Vec<_> = bench.drain().into_iter().map(|(_, event)| text(event)).collect();
    assert_eq!(texts, ["first", "second", "every", "every", "every"]);
}

#[test]
fn replies_go_to_the_account_of_the_company() {
    let accounts = [(company(1), "+15205550199".into())].into();
    let bench = bench(SandboxSettings { accounts, ..SandboxSettings::default() });
    bench.send(&[message(1, sms("+12025550111"))]);
    let events = bench.drain();
    let Some((_, CallbackEvent::Incoming(incoming))) = events.last() else {
        unreachable!("a reply comes last")
    };
    assert_eq!(&*incoming.account, "+15205550199");
    assert_eq!(incoming.provider, "sandbox-sms".into());
}

#[test]
fn bodies_look_as_documented() {
    let (bench, callback) = reply();
    let body: serde_json::Value = serde_json::from_slice(&callback.request.body).unwrap();
    let reference = bench.sandbox.accepted().pop().unwrap().reference;
    let expected = serde_json::json!({"incoming_v1": {
        "event": format!("{reference}-m0"),
        "account": format!("sandbox-{}", company(1)),
        "from": {"method": "sms", "address": "+12025550113"},
        "text": "STOP",
        "at": "2026-05-28T20:28:40Z",
    }});
    assert_eq!(body, expected);
    assert_eq!(callback.request.header(ID_HEADER), Some(&*format!("{reference}-m0")));
}

#[test]
fn every_flipped_bit_of_a_callback_is_refused() {
    let (bench, callback) = reply();
    assert!(decode(&bench, &callback.request).is_ok());
    for bit in 0..callback.request.body.len() * 8 {
        let mut forged = callback.request.clone();
        forged.body[bit / 8] ^= 1 << (bit % 8);
        let refused = matches!(decode(&bench, &forged), Err(CallbackError::NotGenuine { .. }));
        assert!(refused, "body, bit {bit}");
    }
    for position in 0..callback.request.headers.len() {
        let (name, value) = callback.request.headers[position].clone();
        for bit in 0..(name.len() + value.len()) * 8 {
            let mut text = [name.as_bytes(), value.as_bytes()].concat();
            text[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(text) else { continue };
            let (other_name, other_value) = text.split_at(name.len());
            if other_name.eq_ignore_ascii_case(&name) && other_value == value {
                continue;
            }
            let mut forged = callback.request.clone();
            forged.headers[position] = (other_name.to_owned(), other_value.to_owned());
            let refused = matches!(decode(&bench, &forged), Err(CallbackError::NotGenuine { .. }));
            assert!(refused, "{name}, bit {bit}");
        }
    }
}

#[test]
fn a_callback_of_another_sandbox_is_refused() {
    let (_, callback) = reply();
    let other = bench(SandboxSettings { seed: 1, ..SandboxSettings::default() });
    other.clock.advance(Duration::from_mins(2));
    assert!(matches!(decode(&other, &callback.request), Err(CallbackError::NotGenuine { .. })));
}

#[test]
fn without_a_key_everything_is_refused() {
    let (bench, callback) = reply();
    let refused = SandboxDecoder::new(Vec::new()).decode(&callback.request, bench.clock.now());
    assert!(matches!(refused, Err(CallbackError::NotGenuine { .. })));
}

#[test]
fn callbacks_of_both_keys_are_read_during_a_rotation() {
    let keys = [[1; 32], [2; 32]].map(|bytes| WebhookKey::new(&bytes).unwrap());
    let settings = SandboxSettings { keys: keys.to_vec(), ..SandboxSettings::default() };
    let bench = bench(settings);
    let (_, callback) = reply();
    bench.clock.advance(Duration::from_mins(2));
    for key in keys {
        let mut request = callback.request.clone();
        request.headers = key.sign("event", bench.clock.now(), &request.body);
        assert!(decode(&bench, &request).is_ok());
    }
}

#[test]
fn the_size_is_looked_at_before_the_signature_and_the_body_after_it() {
    let key = WebhookKey::new(&[1; 32]).unwrap();
    let bench = bench(SandboxSettings { keys: vec![key.clone()], ..SandboxSettings::default() });
    let signed = |body: &[u8]| CallbackRequest {
        url: String::new(),
        headers: key.sign("event", start(), body),
        body: body.to_vec(),
    };
    let too_large = CallbackError::TooLarge { bytes: MAX_BODY_BYTES + 1, limit: MAX_BODY_BYTES };
    assert_eq!(decode(&bench, &signed(&vec![b' '; MAX_BODY_BYTES + 1])).unwrap_err(), too_large);
    let malformed = decode(&bench, &signed(b"{\n \"report_v2\": {}}")).unwrap_err();
    assert!(matches!(malformed, CallbackError::Malformed { line: 2, .. }), "{malformed}");
    for body in ["", "{}", "[]", r#"{"incoming_v1": {}}"#, "\u{0}", &"[".repeat(MAX_BODY_BYTES)] {
        let error = decode(&bench, &signed(body.as_bytes())).unwrap_err();
        assert!(matches!(error, CallbackError::Malformed { .. }), "{error}");
        let mut unsigned = signed(body.as_bytes());
        unsigned.headers.retain(|(name, _)| name == TIMESTAMP_HEADER);
        let error = decode(&bench, &unsigned).unwrap_err();
        assert!(matches!(error, CallbackError::NotGenuine { .. }), "verified before it is read");
    }
}

#[test]
fn a_report_comes_back_as_it_was_scripted() {
    let bench = bench(SandboxSettings::default());
    bench.send(&[message(1, sms("+12025550103"))]);
    let events = bench.drain();
    let Some((_, CallbackEvent::Disposition(last))) = events.last() else { unreachable!("it reports") };
    assert_eq!(last.report, AttemptReport::Undelivered { code: "landline".into() });
    assert_eq!(last.provider, "sandbox-sms".into());
}
