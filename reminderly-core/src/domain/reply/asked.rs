//! The words that a text asks people to reply with: "Reply CANCEL to cancel" never works.

use super::keyword::{KeywordCollision, keyword_collision};
use super::lexicon::{Lexicon, Section};
use super::normal::normalise;
use super::opt_out;
use super::text::Reply;

/// Before the words of an answer.
const PROMPTS: [&str; 25] = [
    "reply",
    "respond",
    "answer",
    "text",
    "txt",
    "send",
    "type",
    "press",
    "responda",
    "responde",
    "responder",
    "conteste",
    "contesta",
    "envie",
    "envia",
    "escriba",
    "escribe",
    "marque",
    "mande",
    "repondez",
    "reponds",
    "envoyez",
    "tapez",
    "ecrivez",
    "texto",
];

/// Between a prompt and its word.
const BETWEEN: [&str; 18] = [
    "with", "by", "the", "word", "back", "us", "either", "texting", "con", "la", "palabra", "el", "avec",
    "par", "le", "mot", "a", "simply",
];

/// Between a word and what it is for.
const FOR: [&str; 6] = ["to", "for", "if", "para", "pour", "si"];

/// Between two words.
const OR: [&str; 6] = ["or", "and", "o", "y", "ou", "et"];

/// What a text says of a word for which providers lift a block.
const OPT_IN_PURPOSES: [&str; 9] =
    ["subscribe", "resubscribe", "again", "resume", "start", "rejoin", "suscribir", "reanudar", "reprendre"];

/// What a text says of a word for which providers send their help.
const HELP_PURPOSES: [&str; 8] =
    ["help", "info", "information", "support", "assistance", "ayuda", "aide", "informacion"];

/// A word that a text asks people to reply with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedWord {
    /// The word as it is written.
    pub word: String,
    /// Where it stands, in bytes from the beginning of the text.
    pub at: usize,
    /// What providers make of it, if that is not what the text promises: such a reply does not do what the person wants.
    /// `None` for words that no provider acts on, and for "STOP to opt out", "HELP for help" and the like.
    pub collision: Option<KeywordCollision>,
}

/// The words that a text, or the template of one, asks people to reply with, in English, Spanish or French: "Reply 1 to confirm,
/// 2 to cancel", "Responda SI para …", "Répondez OUI pour …".
///
/// ```
/// use reminderly_core::domain::reply::{KeywordCollision, asked_words};
///
/// let asked = asked_words("Reply 1 to confirm, CANCEL to cancel, STOP to opt out.");
/// let words: Vec<_> = asked.iter().map(|asked| (asked.word.as_str(), asked.collision)).collect();
/// assert_eq!(words, [("1", None), ("CANCEL", Some(KeywordCollision::OptOut)), ("STOP", None)]);
/// ```
pub fn asked_words(text: &str) -> Vec<AskedWord> {
    let tokens = tokens(text);
    let mut asked = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let prompts = PROMPTS.contains(&token.normal.as_str());
        let names = token.is_shouted() && is_for(tokens.get(at + 1));
        if prompts || names {
            let first = at + usize::from(prompts);
            let between =
                tokens.iter().skip(first).take_while(|token| BETWEEN.contains(&token.normal.as_str()));
            at = list(&tokens, first + between.count(), &mut asked).max(at + 1);
        } else {
            at += 1;
        }
    }
    asked
}

/// A word or a sign of a text.
struct Token<'a> {
    raw: &'a str,
    /// Empty for signs.
    normal: String,
    at: usize,
}

impl Token<'_> {
    /// Whether it looks like a word to be sent: capitals or digits.
    fn is_shouted(&self) -> bool {
        !self.normal.is_empty() && !self.raw.chars().any(char::is_lowercase)
    }

    fn is_or(&self) -> bool {
        OR.contains(&self.normal.as_str())
    }

    fn ends_purpose(&self) -> bool {
        self.normal.is_empty()
    }
}

/// Reads "1 to confirm, 2 to cancel or STOP to opt out" from a token on; where it ends.
fn list(tokens: &[Token<'_>], mut at: usize, asked: &mut Vec<AskedWord>) -> usize {
    while let Some(word) = tokens.get(at).filter(|token| !token.normal.is_empty()) {
        let has_purpose = is_for(tokens.get(at + 1));
        if !has_purpose && !word.is_shouted() {
            break;
        }
        let from = at + 1 + usize::from(has_purpose);
        let rest = tokens.get(from..).unwrap_or_default();
        let len = if has_purpose { purpose_len(rest) } else { 0 };
        let purpose: Vec<&str> = rest.iter().take(len).map(|token| token.normal.as_str()).collect();
        let collision = keyword_collision(word.raw).filter(|found| !is_meant(*found, word, &purpose));
        asked.push(AskedWord { word: word.raw.to_owned(), at: word.at, collision });
        at = from + len;
        let between = tokens.iter().skip(at).take(2).take_while(|token| token.raw == "," || token.is_or());
        let between = between.count();
        if between == 0 {
            break;
        }
        at += between;
    }
    at
}

/// How many tokens tell what a word is for: up to a sign, or to an "or" before the next word.
fn purpose_len(rest: &[Token<'_>]) -> usize {
    let next_word = |at: usize| {
        let follows = rest.get(at + 1).is_some_and(Token::is_shouted);
        rest.get(at).is_some_and(Token::is_or) && (follows || is_for(rest.get(at + 2)))
    };
    (0..rest.len())
        .find(|at| rest.get(*at).is_some_and(Token::ends_purpose) || next_word(*at))
        .unwrap_or(rest.len())
}

fn is_for(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|token| FOR.contains(&token.normal.as_str()))
}

/// Whether the text promises what providers do. Without a promise only "cancel" and a yes are taken for something else.
fn is_meant(collision: KeywordCollision, word: &Token<'_>, purpose: &[&str]) -> bool {
    if purpose.is_empty() {
        return !matches!(word.normal.as_str(), "cancel" | "yes");
    }
    let names = |words: &[&str]| purpose.iter().any(|word| words.contains(word));
    match collision {
        KeywordCollision::OptOut => {
            // "STOP to cancel" may mean either: the appointment is what people think of.
            let reply = Reply::of(vec![purpose.iter().map(|word| (*word).to_owned()).collect()], false);
            let whole = reply.core.concat();
            let is_word = whole != "cancel"
                && (keyword_collision(&whole) == Some(KeywordCollision::OptOut)
                    || Lexicon::get().has(Section::OptOutWhole, &whole));
            is_word || opt_out::is_touched(&reply)
        }
        KeywordCollision::OptIn => names(&OPT_IN_PURPOSES) || purpose.join(" ").contains("opt in"),
        KeywordCollision::Help => names(&HELP_PURPOSES),
    }
}

/// Words, and the signs that part them. What a template computes is a sign: nobody knows here what it says.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let computed = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().find_map(|(open, close)| {
            rest.starts_with(open).then(|| rest.find(close).map_or(rest.len(), |end| end + close.len()))
        });
        let len = if let Some(len) = computed {
            tokens.push(Token { raw: rest.get(..len).unwrap_or_default(), normal: String::new(), at });
            len
        } else if first.is_alphanumeric() {
            let len = word_len(rest);
            let raw = rest.get(..len).unwrap_or_default();
            tokens.push(Token { raw, normal: normalise(raw), at });
            len
        } else {
            let len = first.len_utf8();
            if matches!(first, ',' | ';' | '.' | '!' | '?' | ':' | '\n' | '(' | ')' | '/') {
                tokens.push(Token { raw: rest.get(..len).unwrap_or_default(), normal: String::new(), at });
            }
            len
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    tokens
}

/// The length of the word at the beginning, with hyphens and apostrophes inside it.
fn word_len(text: &str) -> usize {
    let mut len = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins =
            matches!(c, '-' | '\'' | '’') && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !c.is_alphanumeric() && !joins {
            break;
        }
        len = at + c.len_utf8();
    }
    len
}

#[cfg(test)]
mod tests {
    use KeywordCollision::{Help, OptIn, OptOut};

    use super::*;

    fn found(text: &str) -> Vec<(&str, Option<KeywordCollision>)> {
        asked_words(text)
            .into_iter()
            .map(|asked| {
                (text.get(asked.at..).and_then(|rest| rest.get(..asked.word.len())).unwrap(), asked.collision)
            })
            .collect()
    }

    #[test]
    fn words_that_do_what_the_text_promises_do_not_collide() {
        for text in [
            "Reply STOP to opt out.",
            "Reply STOP to unsubscribe",
            "Text STOP to end, HELP for help.",
            "Reply QUIT to stop receiving messages",
            "Text START to resubscribe",
            "STOP to end. HELP for info.",
            "Responda STOP para darse de baja.",
            "Responda STOP para no recibir más mensajes",
            "Répondez STOP pour vous désabonner.",
            "Répondez ARRET pour ne plus recevoir de messages.",
            "Reply STOP.",
        ] {
            let asked = found(text);
            assert!(!asked.is_empty(), "{text}");
            assert!(asked.iter().all(|(_, collision)| collision.is_none()), "{text}: {asked:?}");
        }
    }

    #[test]
    fn words_that_do_something_else_collide() {
        type Asked = (&'static str, Option<KeywordCollision>);
        let cases: [(&str, &[Asked]); 12] = [
            ("Reply CANCEL to cancel", &[("CANCEL", Some(OptOut))]),
            ("Reply YES to confirm or NO to cancel.", &[("YES", Some(OptIn)), ("NO", None)]),
            ("Reply with \"yes\" to confirm", &[("yes", Some(OptIn))]),
            ("Text C or CANCEL", &[("C", None), ("CANCEL", Some(OptOut))]),
            ("Reply END to finish your booking", &[("END", Some(OptOut))]),
            ("Reply STOP to cancel your appointment", &[("STOP", Some(OptOut))]),
            ("Responda CANCEL para cancelar", &[("CANCEL", Some(OptOut))]),
            ("Responda 1 para confirmar, 2 para cancelar", &[("1", None), ("2", None)]),
            ("Répondez ARRET pour annuler", &[("ARRET", Some(OptOut))]),
            ("CANCEL to cancel, INFO to confirm", &[("CANCEL", Some(OptOut)), ("INFO", Some(Help))]),
            ("{{ reply }} Reply {{ word }} or YES", &[]),
            ("Your text messages are free. Call us to cancel.", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
