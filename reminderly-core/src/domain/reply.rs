//! What a person means by a reply, in English, Spanish and French.
//!
//! An opt-out wins every tie, because a message after "stop" cannot be taken back. For the rest a mistake costs an
//! appointment, so whatever is hedged, asked, negated or said twice differently is [`ReplyKind::Unclear`] and goes to a
//! person for review.

mod answer;
mod answer_name;
mod asked;
mod found;
mod keyword;
mod lexicon;
mod normal;
mod opt_out;
mod quoted;
mod reply_words;
mod text;
mod typo;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use answer_name::{AnswerName, InvalidAnswerName, Sentiment};
pub use asked::{AskedWord, asked_words};
pub use keyword::{
    KeywordCollision, PROVIDER_HELP_WORDS, PROVIDER_OPT_IN_WORDS, PROVIDER_OPT_OUT_WORDS, keyword_collision,
};
pub use normal::normalise;
pub use opt_out::REVOCATION_WORDS;
pub use reply_words::ReplyWords;

use found::Found;
use lexicon::Lexicon;
use text::Reply;

/// The most words of a signature.
const SIGNATURE_WORDS_MAX: usize = 4;

/// What a reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// Contact me no more.
    OptOut(OptOutScope),
    /// Contact me again, after an opt-out. Only START and its kin say so; YES never does.
    OptIn,
    /// Who are you, what can I reply?
    Help,
    /// I will come.
    Confirm,
    /// I will not come.
    Cancel,
    /// I want another time.
    Reschedule,
    /// An answer that the campaign asks for beside these.
    Answer(AnswerName),
    /// None of these for certain; goes to review.
    Unclear,
}

/// The name alone: that of the campaign's answer for one, else [`as_str`](ReplyKind::as_str).
impl fmt::Display for ReplyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(name) => name.fmt(f),
            kind => f.pad(kind.as_str()),
        }
    }
}

impl ReplyKind {
    /// The name in reports and storage, without the scope of an opt-out and without the name of a campaign's answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptOut(_) => "opt_out",
            Self::OptIn => "opt_in",
            Self::Help => "help",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Reschedule => "reschedule",
            Self::Answer(_) => "answer",
            Self::Unclear => "unclear",
        }
    }
}

/// What an opt-out covers; see [`RefusalKey`](super::unsubscribe::RefusalKey).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutScope {
    /// The number or address that the reply came from.
    ContactPoint,
    /// Every contact point of the person: they said "all".
    Person,
}

/// What a reply means, and what told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Classification {
    /// The meaning.
    pub kind: ReplyKind,
    /// What told so.
    pub reason: ReplyReason,
}

/// What told the meaning of a reply. Displays as a clause for explanations, without the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReplyReason {
    /// A word of the campaign, alone or leading.
    CampaignWord,
    /// A key of the campaign, pressed during a call.
    CampaignKey,
    /// A keyword that providers act on.
    ProviderKeyword,
    /// Plain words that any reader takes for an opt-out.
    OptOutPhrase,
    /// Plain words for this answer.
    Phrase,
    /// One slip of the finger away from a known word.
    Typo,
    /// The number of an appointment, after it was asked which one is meant.
    ChosenNumber,
    /// Two different answers.
    ConflictingAnswers,
    /// A known answer, but asked, not given.
    Question,
    /// A known answer, but with a condition or a doubt.
    Hedged,
    /// Nothing but white space and signs.
    Empty,
    /// Nothing known.
    NotUnderstood,
}

impl fmt::Display for ReplyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CampaignWord => "matched a reply word of the campaign",
            Self::CampaignKey => "pressed a key of the campaign",
            Self::ProviderKeyword => "matched a keyword that providers act on",
            Self::OptOutPhrase => "asked in plain words not to be contacted",
            Self::Phrase => "answered in plain words",
            Self::Typo => "is one typing error away from a known word",
            Self::ChosenNumber => "chose an appointment by its number",
            Self::ConflictingAnswers => "gives two different answers",
            Self::Question => "asks instead of answering",
            Self::Hedged => "answers under a condition or with doubt",
            Self::Empty => "holds no words",
            Self::NotUnderstood => "matched nothing known",
        })
    }
}

/// What a reply means, what told so, and which words did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The meaning and its reason.
    pub classification: Classification,
    /// The known words and phrases that told so, normalised: of the library's tables and of the campaign, never the person's own.
    pub matched: Vec<String>,
}

/// Classifies a reply to exactly one kind.
///
/// Decisions worth knowing: a bare `CANCEL` is an opt-out, as carriers take it, but "cancel my appointment" cancels. A bare
/// `YES` or `OK` that reaches us confirms, and never lifts an opt-out. A bare `NO` is unclear. "Wrong number" is an opt-out of
/// that number: whoever holds it never agreed to hear of somebody else's appointments. The whole grammar is told in
/// `docs/replies.md`.
///
/// ```
/// use reminderly_core::domain::reply::{OptOutScope, ReplyKind, ReplyReason, ReplyWords, classify};
///
/// let words = ReplyWords::new(["1", "C"], ["2", "X"], ["3", "R"]).with_answers([("5", "positive".parse()?)]);
/// assert_eq!(classify("1 - thanks!", &words).kind, ReplyKind::Confirm);
/// assert_eq!(classify("5 stars", &words).kind.to_string(), "positive");
/// assert_eq!(classify("1 or 2?", &words).reason, ReplyReason::ConflictingAnswers);
/// assert_eq!(classify("Pls stop texting me", &words).kind, ReplyKind::OptOut(OptOutScope::ContactPoint));
/// assert_eq!(classify("No me escriban más", &words).kind, ReplyKind::OptOut(OptOutScope::ContactPoint));
/// assert_eq!(classify("STOPALL", &words).kind, ReplyKind::OptOut(OptOutScope::Person));
/// assert_eq!(classify("Je ne peux pas venir", &words).kind, ReplyKind::Cancel);
/// assert_eq!(classify("please don't stop the reminders", &words).kind, ReplyKind::Unclear);
/// # Ok::<(), reminderly_core::domain::reply::InvalidAnswerName>(())
/// ```
pub fn classify(text: &str, words: &ReplyWords) -> Classification {
    find(text, words).classification
}

/// [`classify`], with the words that told the meaning.
///
/// ```
/// use reminderly_core::domain::reply::{ReplyWords, read};
///
/// let reading = read("I'd rather you stop texting me", &ReplyWords::default());
/// assert_eq!(reading.matched, ["stop texting"]);
/// ```
pub fn read(text: &str, words: &ReplyWords) -> Reading {
    let Found { classification, matched } = find(text, words);
    Reading { classification, matched }
}

/// Whether a reply is one of the campaign's words and nothing else, apart from what it quotes.
///
/// ```
/// use reminderly_core::domain::reply::{ReplyWords, is_bare};
///
/// let words = ReplyWords::new(["1"], ["2"], []);
/// assert!(is_bare(" 1! ", &words) && is_bare("2\n\n> Reply 1 to confirm", &words));
/// assert!(!is_bare("1 for Ann", &words) && !is_bare("I'll be there", &words) && !is_bare("1?", &words));
/// ```
pub fn is_bare(text: &str, words: &ReplyWords) -> bool {
    let reply = Reply::read(text);
    !reply.asks && words.kind_of(&reply.words.join(" ")).is_some()
}

fn find(text: &str, words: &ReplyWords) -> Found {
    let reply = Reply::read(text);
    if reply.words.is_empty() {
        return Found::unclear(ReplyReason::Empty, Vec::new());
    }
    let found = opt_out::find(&reply, words)
        .or_else(|| keyword::find(&reply))
        .unwrap_or_else(|| answer::find(&reply, words));
    match (found.classification.kind, found.classification.reason) {
        // Whoever speaks of stopping, even to say "don't", is not taken for a mere yes.
        (ReplyKind::Confirm, _) if opt_out::is_touched(&reply) => {
            Found::unclear(ReplyReason::Hedged, found.matched)
        }
        (ReplyKind::Unclear, ReplyReason::NotUnderstood) => {
            let signed = without_name(text).map(|text| find(text, words));
            signed.filter(|signed| signed.classification.kind != ReplyKind::Unclear).unwrap_or(found)
        }
        _ => found,
    }
}

/// The text without the name that somebody wrote under it: a last line of a few capitalised words of which none is known.
fn without_name(text: &str) -> Option<&str> {
    let (answer, name) = text.trim_end().rsplit_once(['\n', '—', '–'])?;
    let mut words = name.split_whitespace();
    let is_name = |word: &str| {
        word.starts_with(char::is_uppercase)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'))
            && !Lexicon::get().knows(&normalise(word))
    };
    let is_short = name.split_whitespace().count() <= SIGNATURE_WORDS_MAX;
    (is_short && words.all(is_name)).then_some(answer)
}

#[cfg(test)]
mod tests;
