//! Words that a text asks people to reply with, and that do not do what it promises.

use std::borrow::Cow;

use super::finding::{Finding, Severity};
use crate::domain::campaign::definition::{CampaignDefinition, LocalizedText};
use crate::domain::campaign::problem::member_path;
use crate::domain::contact_method::ContactMethod;
use crate::domain::mapping::texts;
use crate::domain::phone_keys::{KeyAction, PhoneKey};
use crate::domain::reply::{AskedWord, KeywordCollision, ReplyKind, asked_words};

/// From so many digits on a number is taken for a part of a phone number: "text 602 555 0100".
const PHONE_DIGITS: usize = 3;

/// Reports words that providers act on before we see them, and words that nobody understands.
pub(super) fn about_asked_words(definition: &CampaignDefinition, findings: &mut Vec<Finding>) {
    for part in texts::parts(definition) {
        let (path, method) = (part.path(), part.method());
        match part.text {
            LocalizedText::Same(text) => about_text(definition, method, &path, text, findings),
            LocalizedText::ByLanguage(by_language) => {
                for (language, text) in by_language {
                    about_text(definition, method, &member_path(&path, language.as_str()), text, findings);
                }
            }
        }
    }
}

fn about_text(
    definition: &CampaignDefinition,
    method: ContactMethod,
    path: &str,
    text: &str,
    findings: &mut Vec<Finding>,
) {
    let text = if path.starts_with("$.messages.email.html") { without_tags(text) } else { text.into() };
    let mut seen: Vec<String> = Vec::new();
    for asked in asked_words(&text) {
        if seen.contains(&asked.word) {
            continue;
        }
        if let Some(message) = contradiction(definition, method, &asked) {
            findings.push(Finding::new(Severity::Warning, path, message));
        }
        seen.push(asked.word);
    }
}

/// What is wrong with asking for a word.
fn contradiction(
    definition: &CampaignDefinition,
    method: ContactMethod,
    asked: &AskedWord,
) -> Option<String> {
    let word = &asked.word;
    if method == ContactMethod::Phone {
        // What else a script asks for is not pressed: "text STOP to this number".
        let key: PhoneKey = word.parse().ok()?;
        let responses = &definition.responses;
        let is_the_providers = responses.phone.action(key).is_some_and(KeyAction::is_the_providers);
        let is_known =
            is_the_providers || responses.read(method, word).classification.kind != ReplyKind::Unclear;
        return (!is_known).then(|| {
            format!(
                "asks for the key {word}, which does nothing: name it in responses.phone or responses.answers"
            )
        });
    }
    let reading = definition.responses.read(method, word).classification.kind;
    let collision = asked.collision.filter(|_| {
        // No provider acts on e-mails; what we read in them ourselves counts.
        method == ContactMethod::Sms
            || matches!(reading, ReplyKind::OptOut(_) | ReplyKind::OptIn | ReplyKind::Help)
    });
    if let Some(collision) = collision {
        let meaning = match collision {
            KeywordCollision::OptOut => "an opt-out, and nothing more is sent to who replies so",
            KeywordCollision::OptIn => "the end of an opt-out, and may not hand it on",
            KeywordCollision::Help => "a call for help, and may answer it themselves",
        };
        return Some(format!(
            "asks for \"{word}\", which providers take for {meaning}; ask for another word"
        ));
    }
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_understood = reading != ReplyKind::Unclear || (is_number && word.len() >= PHONE_DIGITS);
    (!is_understood).then(|| {
        format!(
            "asks for \"{word}\", which is not understood: name it in responses.sms or responses.answers, or ask for another \
             word"
        )
    })
}

/// The words of HTML.
fn without_tags(html: &str) -> Cow<'_, str> {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, behind)| behind);
    }
    if text.is_empty() {
        return rest.into();
    }
    text.push_str(rest);
    text.into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::check::tests::compiled;

    const SMS: &str = "$.messages.sms.text";

    fn found(changes: &[(&str, Value)]) -> Vec<(String, String)> {
        let mut findings = Vec::new();
        about_asked_words(compiled(changes).definition(), &mut findings);
        assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
        findings.into_iter().map(|finding| (finding.place, finding.message)).collect()
    }

    /// With answers "1", "2" and a rating "5".
    fn of_text(text: &str) -> Vec<(String, String)> {
        let responses =
            json!({ "sms": { "confirm": ["1"], "cancel": ["2"] }, "answers": { "5": "positive" } });
        found(&[("/messages/sms/text", json!(text)), ("/responses", responses)])
    }

    #[rstest]
    #[case::words_of_the_campaign("Reply 1 to confirm, 2 to cancel. STOP to opt out.")]
    #[case::its_answers("Reply 5 if you were happy.")]
    #[case::plain_words("Reply CONFIRM to confirm.")]
    #[case::a_phone_number("Questions? Text 602-555-0100 or 602 555 0100 for help.")]
    #[case::nothing("See you on Monday.")]
    #[case::computed("Reply {{ name }} to confirm.")]
    fn what_does_as_it_says_is_no_finding(#[case] text: &str) {
        assert_eq!(of_text(text), []);
    }

    #[rstest]
    #[case::opt_out("Reply CANCEL to cancel.", "asks for \"CANCEL\", which providers take for an opt-out")]
    #[case::opt_in(
        "Reply YES to confirm.",
        "asks for \"YES\", which providers take for the end of an opt-out"
    )]
    #[case::help("Reply INFO to confirm.", "asks for \"INFO\", which providers take for a call for help")]
    #[case::unknown("Reply 4 to confirm. Reply 4 to confirm.", "asks for \"4\", which is not understood")]
    #[case::no("Reply 1 to confirm or NO to cancel.", "asks for \"NO\", which is not understood")]
    fn what_does_not_is_found_once(#[case] text: &str, #[case] message: &str) {
        let found = of_text(text);
        let [(place, said)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(place, SMS);
        assert!(said.starts_with(message), "{said}");
    }

    #[test]
    fn every_text_of_every_language_is_looked_at() {
        let (field, bad) = (json!("row['Cell']"), "Reply CANCEL to cancel");
        let messages = json!({
            "sms": { "text": { "en": "See you.", "es": "Responda CANCEL para cancelar." } },
            "email": { "subject": "Soon", "text": bad, "html": "<p>Reply <b>CANCEL</b> to cancel</p>" },
            "phone": { "script": "Press 1 to confirm, 5 if you are happy, 0 to talk to us, 3 to hear it again.", "voicemail": "Text STOP to opt out." }
        });
        let follow_up = json!({ "unclear": { "sms": { "en": bad, "es": "No entendemos." }, "email": "Reply YES to confirm." } });
        let phone = json!({ "confirm": ["1"], "transfer": ["0"], "transfer_to": "+15205550100" });
        let found = found(&[
            ("/messages", messages),
            ("/mapping/fields/email", field.clone()),
            ("/mapping/fields/phone", field),
            ("/responses", json!({ "phone": phone, "answers": { "5": "positive" }, "follow_up": follow_up })),
        ]);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            places,
            [
                "$.messages.sms.text.es",
                "$.messages.email.text",
                "$.messages.email.html",
                "$.messages.phone.script",
                "$.responses.follow_up.unclear.sms.en",
            ],
            "YES by e-mail confirms: {found:?}"
        );
        assert!(found[3].1.starts_with("asks for the key 3, which does nothing"));
    }
}
