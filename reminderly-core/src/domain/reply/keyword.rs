//! The words that providers and carriers act on before we see them.

use super::found::Found;
use super::lexicon::{Lexicon, Section};
use super::normal::{is_emoji, normalise};
use super::text::Reply;
use super::typo::is_swapped;
use super::{ReplyKind, ReplyReason};

/// Single words at which a provider blocks further messages.
///
/// [Twilio](https://help.twilio.com/articles/223134027): STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT.
/// [AWS](https://docs.aws.amazon.com/sms-voice/latest/userguide/opt-out-list-keywords.html): ARRET, CANCEL, END, OPT-OUT,
/// OPTOUT, QUIT, REMOVE, STOP, TD, UNSUBSCRIBE. [Twilio Proxy](https://www.twilio.com/docs/proxy/opt-out-keywords) also: ARRETT,
/// ARRET, ARRETE. Each normalised.
pub const PROVIDER_OPT_OUT_WORDS: [&str; 13] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "arret",
    "arrete",
    "arrett",
    "remove",
    "td",
];

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

/// Opt-in and help. Only the whole reply counts, whatever face stands beside it: "start at 9?" and "can you help me find it" are for a person.
pub(super) fn find(reply: &Reply) -> Option<Found> {
    let core: Vec<&str> =
        reply.core.iter().map(String::as_str).filter(|word| !word.starts_with(is_emoji)).collect();
    let core = core.join(" ");
    let lexicon = Lexicon::get();
    let kinds = [(Section::OptInWhole, ReplyKind::OptIn), (Section::HelpWhole, ReplyKind::Help)];
    for (section, kind) in kinds {
        if let Some(entry) = lexicon.entry(section, &core) {
            let is_keyword = PROVIDER_OPT_IN_WORDS.contains(&entry) || PROVIDER_HELP_WORDS.contains(&entry);
            let reason = if is_keyword { ReplyReason::ProviderKeyword } else { ReplyReason::Phrase };
            return Some(Found::new(kind, reason, vec![entry.to_owned()]));
        }
    }
    is_swapped(&core, "help").then(|| Found::new(ReplyKind::Help, ReplyReason::Typo, vec!["help".to_owned()]))
}
