//! `responses` and `limits`: what people may answer, what a message may cost, and how fast messages go.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use super::super::definition::{FollowUpTrigger, Limits, Messages, Responses};
use super::super::problem::{Problems, hint, member_path};
use super::messages::text_of;
use super::reader::Field;
use crate::domain::contact_method::ContactMethod;
use crate::domain::reply::{KeywordCollision, ReplyWords, keyword_collision, normalise};

/// The most words of one answer.
const WORDS_MAX: usize = 50;

/// The longest word, in characters after normalising.
const WORD_CHARS_MAX: usize = 40;

/// The most segments that a campaign may allow a text message.
const SEGMENTS_MAX: u64 = 20;

/// The most messages a minute that a campaign may be limited to.
const PER_MINUTE_MAX: u64 = 1_000_000;

const TRIGGERS: [(&str, FollowUpTrigger); 5] = [
    ("confirm", FollowUpTrigger::Confirm),
    ("cancel", FollowUpTrigger::Cancel),
    ("reschedule", FollowUpTrigger::Reschedule),
    ("unclear", FollowUpTrigger::Unclear),
    ("help", FollowUpTrigger::Help),
];

pub(super) fn responses(field: Option<Field<'_>>, messages: &Messages, problems: &mut Problems) -> Responses {
    let mut responses = Responses::default();
    let Some(mut object) = field.and_then(|field| field.object(problems)) else { return responses };
    if let Some(field) = object.optional("sms") {
        responses.sms = reply_words(&field, problems);
    }
    if let Some(field) = object.optional("follow_up") {
        responses.follow_up = follow_ups(&field, messages, problems);
    }
    object.refuse("phone", problems);
    object.finish(problems);
    responses
}

fn reply_words(field: &Field<'_>, problems: &mut Problems) -> ReplyWords {
    let mut words = ReplyWords::default();
    let Some(mut object) = field.object(problems) else { return words };
    let mut seen = HashMap::new();
    let lists = [
        ("confirm", &mut words.confirm),
        ("cancel", &mut words.cancel),
        ("reschedule", &mut words.reschedule),
    ];
    for (answer, list) in lists {
        if let Some(field) = object.optional(answer) {
            *list = word_list(&field, answer, &mut seen, problems);
        }
    }
    object.finish(problems);
    words
}

fn word_list(
    field: &Field<'_>,
    answer: &'static str,
    seen: &mut HashMap<String, &'static str>,
    problems: &mut Problems,
) -> Vec<String> {
    let items = field.list(problems).unwrap_or_default();
    if items.len() > WORDS_MAX {
        field.fault(format!("more than {WORDS_MAX} words"), problems);
    }
    let mut words = Vec::with_capacity(items.len());
    for item in items {
        let Some(text) = item.text(problems) else { continue };
        let word = normalise(text);
        if word.is_empty() || word.chars().count() > WORD_CHARS_MAX {
            item.fault(format!("expected a word of 1 to {WORD_CHARS_MAX} letters or digits"), problems);
        } else if let Some(collision) = keyword_collision(&word) {
            item.fault(collision_message(&word, collision), problems);
        } else if let Some(other) = seen.insert(word.clone(), answer) {
            item.fault(format!("the same word stands in \"{other}\" already"), problems);
        } else {
            words.push(word);
        }
    }
    words
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
    problems: &mut Problems,
) -> BTreeMap<FollowUpTrigger, BTreeMap<ContactMethod, String>> {
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
            texts.insert(ContactMethod::Sms, text_of(&field, problems));
        }
        if let Some(field) = object.optional("email") {
            if messages.email.is_none() {
                field.fault("needs messages.email, whose subject it takes", problems);
            }
            texts.insert(ContactMethod::Email, text_of(&field, problems));
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
        limits.per_minute = field
            .integer(1..=PER_MINUTE_MAX, problems)
            .and_then(|messages| u32::try_from(messages).ok())
            .and_then(NonZeroU32::new);
    }
    for later in ["per_person_per_day", "per_person_per_week"] {
        object.refuse(later, problems);
    }
    object.finish(problems);
    limits
}
