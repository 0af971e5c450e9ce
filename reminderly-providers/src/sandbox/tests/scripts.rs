use std::time::Duration;

use reminderly_core::domain::disposition::AttemptReport;

use super::super::*;
use crate::fixtures::{email, sms};

fn only(persona: &str) -> Persona {
    let script = SandboxScript::parse(&format!(r#"{{"default": {persona}}}"#)).unwrap();
    (*script.persona(0, &sms("+15205550100"))).clone()
}

#[test]
fn a_persona_is_read_in_full() {
    let persona = only(
        r#"{"request": {"time_out": {"accepted": true, "accepted_after": "40s", "times": 2}},
            "reports": [{"after": "2h", "report": {"undelivered": {"code": "30003"}}}],
            "replies": [{"after": "1d", "text": "1", "to": "every"},
                {"after": "0s", "text": "2", "to": {"nth": 3}}]}"#,
    );
    let reply = |after, text: &str, to| ScriptedReply { after, text: text.into(), to };
    let expected = Persona {
        request: RequestBehaviour::TimeOut {
            accepted: true,
            accepted_after: Duration::from_secs(40),
            times: 2,
        },
        reports: vec![ScriptedReport {
            after: Duration::from_hours(2),
            report: AttemptReport::Undelivered { code: "30003".into() },
            to: Answered::Every,
        }],
        replies: vec![
            reply(Duration::from_hours(24), "1", Answered::Every),
            reply(Duration::ZERO, "2", Answered::Nth(3)),
        ],
    };
    assert_eq!(persona, expected);
    assert!(Answered::Nth(3).includes(3) && !Answered::Nth(3).includes(2));
    assert_eq!([1, 2, 3].map(|number| Answered::From(2).includes(number)), [false, true, true]);
    let busy = only(r#"{"reports": [{"after": "3s", "report": "busy", "to": {"nth": 1}}]}"#);
    assert_eq!((&busy.reports[0].report, busy.reports[0].to), (&AttemptReport::Busy, Answered::Nth(1)));
}

#[test]
fn what_is_left_out_has_a_default() {
    assert_eq!(only("{}"), Persona::default());
    let throttle = RequestBehaviour::Throttle { retry_after: None, times: 1 };
    assert_eq!(only(r#"{"request": {"throttle": {}}}"#).request, throttle);
    let empty = SandboxScript::parse("{}").unwrap();
    assert_eq!(*empty.persona(0, &sms("+15205550100")), NamedPersona::Delivers.into());
}

#[test]
fn every_name_is_read_and_written_alike() {
    for name in NamedPersona::ALL {
        assert_eq!(only(&format!("\"{name}\"")), name.into());
    }
}

#[test]
fn contact_points_are_canonical() {
    let script = SandboxScript::parse(r#"{"contact_points": {"Ann@Example.org": "stops"}}"#).unwrap();
    assert_eq!(*script.persona(0, &email("ann@example.org")), NamedPersona::Stops.into());
}

#[test]
fn errors_name_line_column_and_problem_but_no_contact_point() {
    for (json, line, column, problem) in [
        ("", 1, 0, "EOF"),
        ("{\n  \"defualt\": \"stops\"\n}", 2, 11, "unknown field `defualt`"),
        (r#"{"default": "deliver"}"#, 1, 21, "unknown variant `deliver`"),
        (r#"{"default": 7}"#, 1, 13, "expected the name of a persona"),
        (r#"{"default": {"reply": []}}"#, 1, 20, "unknown field `reply`"),
        (r#"{"default": {"request": {"throttle": {"time": 1}}}}"#, 1, 44, "unknown field `time`"),
        (r#"{"default": {"reports": [{"after": "5 s", "report": "sent"}]}}"#, 1, 40, "a duration"),
        (
            r#"{"default": {"request": {"time_out": {"accepted": true, "accepted_after": "61s"}}}}"#,
            1,
            80,
            "60s",
        ),
        (r#"{"default": {"mix": {}}}"#, 1, 23, "weight above 0"),
        (r#"{"default": {"mix": {"stops": 0}}}"#, 1, 33, "weight above 0"),
        (r#"{"default": {"mix": {"stops": 1}, "replies": []}}"#, 1, 48, "of its own"),
        (r#"{"contact_points": {"(520) 555-0177": "stops"}}"#, 1, 36, "not a contact point"),
        (r#"{"contact_points": {"a@b.example": "stops", "A@b.example": "stops"}}"#, 1, 67, "twice"),
    ] {
        let error = SandboxScript::parse(json).unwrap_err();
        assert!(error.problem.contains(problem), "{json}: {error}");
        assert_eq!((error.line, error.column), (line, column), "{json}: {error}");
        assert!(!error.to_string().contains("0177") && !error.to_string().contains("b.example"), "{error}");
    }
}
