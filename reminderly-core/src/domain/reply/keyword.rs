//! The words that providers and carriers act on before we see them.

use super::text::{Reply, normalise};
use super::typo::is_swapped;
use super::{Classification, ReplyKind, ReplyReason};

/// Single words at which a provider blocks further messages.
///
/// [Twilio](https://help.twilio.com/articles/223134027): STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT.
/// [AWS](https://docs.aws.amazon.com/sms-voice/latest/userguide/opt-out-list-keywords.html): ARRET, CANCEL, END, OPT-OUT,
/// OPTOUT, QUIT, REMOVE, STOP, TD, UNSUBSCRIBE.
pub const PROVIDER_OPT_OUT_WORDS: [&str; 11] =
    ["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "arret", "remove", "td"];

/// Single words at which a provider lifts its block. [Twilio](https://help.twilio.com/articles/223134027).
pub const PROVIDER_OPT_IN_WORDS: [&str; 3] = ["start", "yes", "unstop"];

/// Single words that a provider answers itself. [Twilio](https://help.twilio.com/articles/223134027).
pub const PROVIDER_HELP_WORDS: [&str; 2] = ["help", "info"];

/// What a provider makes of a word that a campaign wants for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeywordCollision {
    /// The provider blocks the person.
    OptOut,
    /// The provider lifts a block.
    OptIn,
    /// The provider answers with its help text.
    Help,
}

/// What providers make of a campaign's reply word, if they act on it. Such a word never reaches the campaign.
///
/// ```
/// use reminderly_core::domain::reply::{KeywordCollision, keyword_collision};
///
/// assert_eq!(keyword_collision("Cancel!"), Some(KeywordCollision::OptOut));
/// assert_eq!(keyword_collision("YES"), Some(KeywordCollision::OptIn));
/// assert_eq!(keyword_collision("1"), None);
/// ```
pub fn keyword_collision(word: &str) -> Option<KeywordCollision> {
    let joined = normalise(word).replace(' ', "");
    let is_in = |words: &[&str]| words.contains(&joined.as_str());
    if is_in(&PROVIDER_OPT_OUT_WORDS) {
        Some(KeywordCollision::OptOut)
    } else if is_in(&PROVIDER_OPT_IN_WORDS) {
        Some(KeywordCollision::OptIn)
    } else if is_in(&PROVIDER_HELP_WORDS) {
        Some(KeywordCollision::Help)
    } else {
        None
    }
}

/// Opt-in and help. Only the whole reply counts: "start at 9?" and "can you help me find it" are for a person.
pub(super) fn find(reply: &Reply) -> Option<Classification> {
    let core = reply.core_text();
    let known = |kind| Some(Classification { kind, reason: ReplyReason::ProviderKeyword });
    match core.as_str() {
        "start" | "unstop" | "optin" | "opt in" | "opt me in" | "resubscribe" | "un stop" => {
            known(ReplyKind::OptIn)
        }
        "help" | "info" | "help me" => known(ReplyKind::Help),
        typed if is_swapped(typed, "help") => {
            Some(Classification { kind: ReplyKind::Help, reason: ReplyReason::Typo })
        }
        _ => None,
    }
}
