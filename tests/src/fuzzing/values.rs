//! Single values: numbers, addresses, languages, names, replies.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{EmailAddress, PhoneNumber};
use reminderly_core::domain::language::Language;
use reminderly_core::domain::number_area::UsState;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::reply::{self, AnswerName, ReplyKind, ReplyWords, classify, normalise};
use reminderly_core::domain::rules::DayHours;
use reminderly_core::domain::segments::count_segments;
use reminderly_core::domain::unsubscribe::RefusalKey;
use reminderly_core::ids::MessageId;
use reminderly_core::ports::queue::QueueName;
use reminderly_providers::standard_webhooks::WebhookKey;

use super::text;

/// Regions whose numbers are written in different ways.
const REGIONS: [Option<&str>; 5] = [None, Some("US"), Some("GB"), Some("MX"), Some("FR")];

/// A number is canonical: read again it is itself, whatever region is meant. A country code goes before any region.
pub(super) fn phone(bytes: &[u8]) {
    let text = text(bytes);
    for (region, other) in REGIONS.into_iter().zip(REGIONS.into_iter().cycle().skip(1)) {
        let Ok(number) = PhoneNumber::parse(&text, region) else { continue };
        assert_eq!(PhoneNumber::parse(number.as_str(), other).as_ref(), Ok(&number), "in {other:?}");
        assert_eq!(PhoneNumber::parse_stored(number.as_str()).as_ref(), Ok(&number));
        if text.starts_with('+') {
            assert_eq!(PhoneNumber::parse(&text, None).as_ref(), Ok(&number), "not in {region:?}");
        }
    }
}

/// An address is canonical, and fits where it goes.
pub(super) fn email(bytes: &[u8]) {
    let Ok(address) = EmailAddress::parse(&text(bytes)) else { return };
    assert_eq!(EmailAddress::parse(address.as_str()).as_ref(), Ok(&address));
    let domain = address.as_str().rsplit('@').next().unwrap_or_default();
    assert_eq!(domain, domain.to_lowercase());
    assert!(!address.as_str().contains(['\r', '\n', '\0']), "it could break a header");
}

/// A tag is canonical.
pub(super) fn language(bytes: &[u8]) {
    let Ok(language) = text(bytes).parse::<Language>() else { return };
    assert_eq!(language.as_str().parse().as_ref(), Ok(&language));
    assert!(language.as_str().starts_with(language.primary()));
}

/// What the library names by text is read from what it is written as, and from nothing that reads otherwise.
pub(super) fn names(bytes: &[u8]) {
    let text = text(bytes);
    comes_back::<AnswerName>(&text);
    comes_back::<ContactMethod>(&text);
    comes_back::<DayHours>(&text);
    comes_back::<MessageId>(&text);
    comes_back::<UsState>(&text);
    if let Ok(name) = QueueName::new(&*text) {
        assert_eq!((name.as_str(), name.to_string()), (&*text, text.to_string()));
    }
    if let Some(person) = PersonKey::new(&text) {
        assert_eq!(PersonKey::new(person.as_str()).as_ref(), Some(&person));
    }
    for kind in ["number", "email", "person"] {
        let Ok(key) = RefusalKey::parse_stored(kind, &text) else { continue };
        assert_eq!(RefusalKey::parse_stored(key.kind(), key.value()).as_ref(), Ok(&key));
    }
    drop(text.parse::<WebhookKey>());
}

fn comes_back<Name: FromStr + Display + PartialEq + Debug>(text: &str) {
    let Ok(name) = text.parse::<Name>() else { return };
    let written = name.to_string();
    assert_eq!(written.parse::<Name>().ok(), Some(name));
}

/// Whoever says anything and then "stop" has not confirmed, and the form is stable.
pub(super) fn reply(bytes: &[u8]) {
    let text = text(bytes);
    let words = ReplyWords::new(["1", "C"], ["2", "X"], ["3", "R"]);
    let once = normalise(&text);
    assert_eq!(normalise(&once), once);
    assert_eq!(classify(&text, &words), classify(&text, &words));
    // What is quoted, and what lies beyond the longest reply, is not the person's own.
    if text.chars().count() < 1_000 && !text.contains(['"', '“', '«', '\n', '\r']) {
        let revoking = format!("{text}. STOP");
        let kind = classify(&revoking, &words).kind;
        assert!(!matches!(kind, ReplyKind::Confirm | ReplyKind::OptIn), "{kind:?}");
    }
}

/// Words that are asked for stand in the text, and a text has as many parts as it needs.
pub(super) fn asked_words(bytes: &[u8]) {
    let text = text(bytes);
    for asked in reply::asked_words(&text) {
        assert!(text.get(asked.at..).is_some_and(|rest| rest.starts_with(&asked.word)), "at {}", asked.at);
    }
    let segments = count_segments(&text);
    assert_eq!(segments.count == 0, text.is_empty());
    assert!(usize::try_from(segments.count).is_ok_and(|count| count <= text.len()));
}
