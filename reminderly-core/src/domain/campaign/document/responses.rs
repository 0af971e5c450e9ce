//! `responses` and `limits`: what people may answer, what a message may cost, and how fast messages go.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::super::definition::{FollowUpTrigger, Limits, LocalizedText, Messages, Responses};
use super::super::problem::{Problems, hint, member_path};
use super::reader::Field;
use super::texts::text_of;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::PhoneNumber;
use crate::domain::language::Language;
use crate::domain::phone_keys::{KeyAction, PhoneKey, PhoneKeys};
use crate::domain::reply::{
    AnswerName, KeywordCollision, ReplyKind, ReplyWords, classify, keyword_collision, normalise,
};

/// The most words of one answer.
const WORDS_MAX: usize = 50;

/// The answer that each word stands for.
type Seen = HashMap<String, &'static str>;

/// The longest word, in characters after normalising.
const WORD_CHARS_MAX: usize = 40;

/// The most segments that a campaign may allow a text message.
const SEGMENTS_MAX: u64 = 20;

/// The most messages a minute that a campaign may be limited to.
const PER_MINUTE_MAX: u64 = 1_000_000;

/// The most reminders of one person that a campaign may allow a day or a week: more is no limit.
const PER_PERSON_MAX: u64 = 1_000;

const TRIGGERS: [(&str, FollowUpTrigger); 5] = [
    ("confirm", FollowUpTrigger::Confirm),
    ("cancel", FollowUpTrigger::Cancel),
    ("reschedule", FollowUpTrigger::Reschedule),
    ("unclear", FollowUpTrigger::Unclear),
    ("help", FollowUpTrigger::Help),
];

pub(super) fn responses(
    field: Option<Field<'_>>,
    messages: &Messages,
    language: &Language,
    problems: &mut Problems,
) -> Responses {
    let mut responses = Responses::default();
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return responses };
    // Of every word, what it stands for.
    let mut seen = HashMap::new();
    if let Some(field) = object.optional("sms") {
        responses.sms = reply_words(&field, &mut seen, problems);
    }
    if let Some(field) = object.optional("answers") {
        responses.sms.answers = answers(&field, &mut seen, problems);
    }
    if let Some(field) = object.optional("follow_up") {
        responses.follow_up = follow_ups(&field, messages, language, problems);
    }
    if let Some(field) = object.optional("phone") {
        responses.phone = Arc::new(phone_keys(&field, problems));
    }
    object.finish(problems);
    responses
}

fn phone_keys(field: &Field<'_>, problems: &mut Problems) -> PhoneKeys {
    let mut keys = PhoneKeys::default();
    let Some(mut object) = field.object(problems) else { return keys };
    let simple = [
        ("confirm", KeyAction::Confirm),
        ("cancel", KeyAction::Cancel),
        ("reschedule", KeyAction::Reschedule),
        ("opt_out", KeyAction::OptOut),
        ("repeat", KeyAction::Repeat),
    ];
    for (name, action) in simple {
        if let Some(field) = object.optional(name) {
            key_list(&field, &action, &mut keys, problems);
        }
    }
    let transfer = object.optional("transfer");
    match (&transfer, object.optional("transfer_to")) {
        (Some(transfer), Some(field)) => {
            let number = field.parsed(|text| PhoneNumber::parse(text, None), problems);
            // A faulty number has been reported; the keys are looked at all the same.
            let action = number.map_or(KeyAction::Repeat, |to| KeyAction::Transfer { to });
            key_list(transfer, &action, &mut keys, problems);
        }
        (Some(_), None) => {
            let path = member_path(&field.path, "transfer_to");
            problems.add(&path, "is required: the number to which \"transfer\" connects");
        }
        (None, Some(field)) => field.fault("goes with \"transfer\" only", problems),
        (None, None) => {}
    }
    object.finish(problems);
    keys
}

fn key_list(field: &Field<'_>, action: &KeyAction, keys: &mut PhoneKeys, problems: &mut Problems) {
    for item in field.list(problems).unwrap_or_default() {
        let Some(key) = item.parsed(str::parse::<PhoneKey>, problems) else { continue };
        match keys.0.entry(key) {
            Entry::Vacant(free) => drop(free.insert(action.clone())),
            Entry::Occupied(_) => item.fault("the same key stands twice", problems),
        }
    }
}

fn reply_words(field: &Field<'_>, seen: &mut Seen, problems: &mut Problems) -> ReplyWords {
    let mut words = ReplyWords::default();
    let Some(mut object) = field.object(problems) else { return words };
    let lists = [
        ("confirm", &mut words.confirm),
        ("cancel", &mut words.cancel),
        ("reschedule", &mut words.reschedule),
    ];
    for (answer, list) in lists {
        if let Some(field) = object.optional(answer) {
            *list = word_list(&field, answer, seen, problems);
        }
    }
    object.finish(problems);
    words
}

fn word_list(
    field: &Field<'_>,
    answer: &'static str,
    seen: &mut Seen,
    problems: &mut Problems,
) -> Vec<String> {
    let items = field.list(problems).unwrap_or_default();
    if items.len() > WORDS_MAX {
        field.fault(format!("more than {WORDS_MAX} words"), problems);
    }
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        let Some(text) = item.text(problems) else { continue };
        words.extend(word(&item, text, answer, seen, problems));
    }
    words
}

/// The campaign's own answers by word.
fn answers(field: &Field<'_>, seen: &mut Seen, problems: &mut Problems) -> BTreeMap<String, AnswerName> {
    let members = field.members(problems).unwrap_or_default();
    if members.len() > WORDS_MAX {
        field.fault(format!("more than {WORDS_MAX} words"), problems);
    }
    let mut answers = BTreeMap::new();
    for (text, member) in members {
        let word = word(&member, text, "answers", seen, problems);
        let name = member.parsed(str::parse::<AnswerName>, problems);
        answers.extend(word.zip(name));
    }
    answers
}

/// A word that stands for an answer, normalised, if it can reach the campaign and stands for no other.
fn word(
    place: &Field<'_>,
    text: &str,
    answer: &'static str,
    seen: &mut Seen,
    problems: &mut Problems,
) -> Option<String> {
    let word = normalise(text);
    let problem = if word.is_empty() || word.chars().count() > WORD_CHARS_MAX {
        format!("expected a word of 1 to {WORD_CHARS_MAX} letters or digits")
    } else if let Some(collision) = keyword_collision(&word) {
        collision_message(&word, collision)
    } else if let Some(meaning) = own_meaning(&word) {
        format!(
            "\"{word}\" is always read as {meaning}, so it never stands for an answer; choose another word"
        )
    } else if let Some(other) = seen.insert(word.clone(), answer) {
        format!("the same word stands in \"{other}\" already")
    } else {
        return Some(word);
    };
    place.fault(problem, problems);
    None
}

/// What a word means whatever the campaign says.
fn own_meaning(word: &str) -> Option<&'static str> {
    match classify(word, &ReplyWords::default()).kind {
        ReplyKind::OptOut(_) => Some("an opt-out"),
        ReplyKind::OptIn => Some("the end of an opt-out"),
        ReplyKind::Help => Some("a call for help"),
        _ => None,
    }
}

fn collision_message(word: &str, collision: KeywordCollision) -> String {
    let meaning = match collision {
        KeywordCollision::OptOut => "blocks the person when it reads",
        KeywordCollision::OptIn => "lifts a block when it reads",
        KeywordCollision::Help => "answers by itself when it reads",
    };
    format!(
        "the provider {meaning} {}, so it never reaches the campaign; choose another word",
        word.to_uppercase()
    )
}

fn follow_ups(
    field: &Field<'_>,
    messages: &Messages,
    language: &Language,
    problems: &mut Problems,
) -> BTreeMap<FollowUpTrigger, BTreeMap<ContactMethod, LocalizedText>> {
    let mut follow_ups = BTreeMap::new();
    for (key, member) in field.members(problems).unwrap_or_default() {
        let Some((_, trigger)) = TRIGGERS.into_iter().find(|(name, _)| *name == key) else {
            let hint = hint(key, TRIGGERS.map(|(name, _)| name));
            problems.add(&member_path(&field.path, key), format!("unknown key{hint}"));
            continue;
        };
        let Some(mut object) = member.object(problems) else { continue };
        let mut texts = BTreeMap::new();
        if let Some(field) = object.optional("sms") {
            texts.insert(ContactMethod::Sms, text_of(&field, language, problems));
        }
        if let Some(field) = object.optional("email") {
            if messages.email.is_none() {
                field.fault("needs messages.email, whose subject it takes", problems);
            }
            texts.insert(ContactMethod::Email, text_of(&field, language, problems));
        }
        object.refuse("phone", problems);
        object.finish(problems);
        follow_ups.insert(trigger, texts);
    }
    follow_ups
}

pub(super) fn limits(field: Option<Field<'_>>, problems: &mut Problems) -> Limits {
    let mut limits = Limits::default();
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return limits };
    if let Some(field) = object.optional("sms_segments") {
        limits.sms_segments =
            field.integer(1..=SEGMENTS_MAX, problems).and_then(|segments| u32::try_from(segments).ok());
    }
    if let Some(field) = object.optional("per_minute") {
        limits.per_minute = count(&field, PER_MINUTE_MAX, problems);
    }
    if let Some(field) = object.optional("per_person_per_day") {
        limits.caps.per_day = count(&field, PER_PERSON_MAX, problems);
    }
    if let Some(field) = object.optional("per_person_per_week") {
        limits.caps.per_week = count(&field, PER_PERSON_MAX, problems);
    }
    object.finish(problems);
    limits
}

fn count(field: &Field<'_>, max: u64, problems: &mut Problems) -> Option<NonZeroU32> {
    let count = field.integer(1..=max, problems)?;
    u32::try_from(count).ok().and_then(NonZeroU32::new)
}
