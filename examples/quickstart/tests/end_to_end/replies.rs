//! What a campaign makes of one reply.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Ended, bundled, directory, quickstart};

/// The bundled campaign with answers of its own.
fn campaign() -> Value {
    let document = fs::read_to_string(bundled("doctor_smith.json")).unwrap();
    let mut campaign: Value = serde_json::from_str(&document).unwrap();
    campaign["responses"]["answers"] = json!({ "5": "positive", "So-so": "neutral" });
    campaign
}

fn reply(campaign: &Value, arguments: &[&str]) -> Ended {
    let directory = directory();
    fs::write(directory.path().join("c.json"), campaign.to_string()).unwrap();
    let ended =
        quickstart(directory.path(), ["reply", "--campaign", "c.json"].iter().chain(arguments.iter()));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
    ended
}

#[test]
fn the_kind_stands_alone_on_the_first_line_and_the_reason_behind_it() {
    let campaign = campaign();
    let cases = [
        ("please stop texting me", "opt_out", "\"stop texting\""),
        ("Dejen de mandar mensajes", "opt_out", "not to be contacted"),
        ("STOPALL", "opt_out", "every contact point of the person"),
        ("CANCEL", "opt_out", "providers act on: \"cancel\""),
        ("START", "opt_in", "\"start\""),
        ("aide", "help", "\"aide\""),
        ("1", "confirm", "reply word of the campaign: \"1\""),
        ("Je ne peux pas venir", "cancel", "plain words"),
        ("can we move it?", "reschedule", "\"move it\""),
        ("5", "positive", "reply word of the campaign: \"5\""),
        ("so so!", "neutral", "\"so so\""),
        ("what time?", "unclear", "matched nothing known"),
        ("don't stop", "unclear", "matched nothing known"),
        ("1 or 2", "unclear", "two different answers"),
        ("", "unclear", "holds no words"),
    ];
    for (text, kind, reason) in cases {
        let ended = reply(&campaign, &["--method", "sms", "--", text]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{text}");
        let (first, rest) = ended.stdout.split_once('\n').unwrap();
        assert_eq!(first, kind, "{text}");
        assert!(rest.starts_with("reason: it ") && rest.contains(reason), "{text}: {rest}");
    }
    for method in ["email", "phone"] {
        let ended = reply(&campaign, &["--method", method, "--", "5"]);
        assert!(ended.stdout.starts_with("positive\n"), "{method}: {}", ended.stdout);
    }
    let ended = reply(&campaign, &["--method", "sms", "--", "--stop", "texting", "me"]);
    assert!(ended.stdout.starts_with("opt_out\n"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let mut unusable = campaign();
    unusable["responses"]["answers"] = json!({ "2": "negative", "END": "negative" });
    unusable["name"] = json!("");
    let ended = reply(&unusable, &["--method", "sms", "--", "1"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    for path in ["$.name", "$.responses.answers['2']", "$.responses.answers.END"] {
        assert!(ended.stderr.contains(path), "{path} in {}", ended.stderr);
    }
    let usable = campaign();
    for arguments in [&["--method", "fax", "--", "1"][..], &["--", "1"], &["--method", "sms"]] {
        let ended = reply(&usable, arguments);
        assert_eq!((ended.code, ended.stderr.trim_end().lines().count()), (Some(2), 1), "{}", ended.stderr);
    }
}

#[test]
fn help_explains_the_kinds() {
    let ended = quickstart(directory().path(), ["reply", "--help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for word in ["opt_out", "unclear", "responses.answers", "--method", "Exit codes"] {
        assert!(ended.stdout.contains(word), "{word}");
    }
}
