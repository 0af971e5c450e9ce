//! What a person means by a reply, in English.
//!
//! An opt-out wins every tie, because a message after "stop" cannot be taken back. For the rest a mistake costs an
//! appointment, so whatever is hedged, asked, negated or said twice differently is [`ReplyKind::Unclear`] and goes to a
//! person for review.

mod answer;
mod answer_words;
mod keyword;
mod opt_out;
mod text;
mod typo;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use keyword::{
    KeywordCollision, PROVIDER_HELP_WORDS, PROVIDER_OPT_IN_WORDS, PROVIDER_OPT_OUT_WORDS, keyword_collision,
};
pub use text::normalise;

use text::Reply;

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
    /// None of these for certain; goes to review.
    Unclear,
}

impl ReplyKind {
    /// The name in reports and storage, without the scope of an opt-out.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptOut(_) => "opt_out",
            Self::OptIn => "opt_in",
            Self::Help => "help",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Reschedule => "reschedule",
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

/// The replies that a campaign asks for, normalised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplyWords {
    /// Replies that confirm, such as `1`.
    pub confirm: Vec<String>,
    /// Replies that cancel, such as `2`.
    pub cancel: Vec<String>,
    /// Replies that ask for another time, such as `3`.
    pub reschedule: Vec<String>,
}

impl ReplyWords {
    /// The words, each brought through [`normalise`]. Words of which nothing is left are dropped.
    pub fn new<'a>(
        confirm: impl IntoIterator<Item = &'a str>,
        cancel: impl IntoIterator<Item = &'a str>,
        reschedule: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self { confirm: normalised(confirm), cancel: normalised(cancel), reschedule: normalised(reschedule) }
    }

    /// The kind that a normalised text stands for, if it is one of the words.
    pub fn kind_of(&self, normalised: &str) -> Option<ReplyKind> {
        let has = |words: &[String]| words.iter().any(|word| word == normalised);
        if has(&self.confirm) {
            Some(ReplyKind::Confirm)
        } else if has(&self.cancel) {
            Some(ReplyKind::Cancel)
        } else if has(&self.reschedule) {
            Some(ReplyKind::Reschedule)
        } else {
            None
        }
    }
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

/// Classifies a reply to exactly one kind.
///
/// Decisions worth knowing: a bare `CANCEL` is an opt-out, as carriers take it, but "cancel my appointment" cancels. A bare
/// `YES` or `OK` that reaches us confirms, and never lifts an opt-out. A bare `NO` is unclear. "Wrong number" is an opt-out of
/// that number: whoever holds it never agreed to hear of somebody else's appointments.
///
/// ```
/// use reminderly_core::domain::reply::{OptOutScope, ReplyKind, ReplyReason, ReplyWords, classify};
///
/// let words = ReplyWords::new(["1", "C"], ["2", "X"], ["3", "R"]);
/// assert_eq!(classify("1 - thanks!", &words).kind, ReplyKind::Confirm);
/// assert_eq!(classify("1 or 2?", &words).reason, ReplyReason::ConflictingAnswers);
/// assert_eq!(classify("Pls stop texting me", &words).kind, ReplyKind::OptOut(OptOutScope::ContactPoint));
/// assert_eq!(classify("STOPALL", &words).kind, ReplyKind::OptOut(OptOutScope::Person));
/// assert_eq!(classify("please don't stop the reminders", &words).kind, ReplyKind::Unclear);
/// ```
pub fn classify(text: &str, words: &ReplyWords) -> Classification {
    let reply = Reply::read(text);
    if reply.words.is_empty() {
        return Classification { kind: ReplyKind::Unclear, reason: ReplyReason::Empty };
    }
    opt_out::find(&reply, words)
        .or_else(|| keyword::find(&reply))
        .unwrap_or_else(|| answer::find(&reply, words))
}

fn normalised<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(normalise).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests;
