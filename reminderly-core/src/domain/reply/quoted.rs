//! What a person wrote, without our own text that their device or mail program repeats: it holds "STOP to opt out".

use std::borrow::Cow;

use super::normal::{is_emoji, normalise};

/// What a phone puts before the text that somebody reacted to.
const REACTIONS: [&str; 21] = [
    "liked",
    "loved",
    "disliked",
    "laughed at",
    "emphasized",
    "emphasised",
    "questioned",
    "removed a like from",
    "removed a heart from",
    "le gusto",
    "me gusta",
    "le encanto",
    "no le gusto",
    "se rio de",
    "enfatizo",
    "a aime",
    "a adore",
    "na pas aime",
    "a ri de",
    "a souligne",
    "jaime",
];

/// How mail programs begin and end the line before what they quote.
const QUOTE_LINES: [(&str, &str); 3] = [("on ", " wrote"), ("el ", " escribio"), ("le ", " a ecrit")];

/// What mail programs write above what they quote.
const QUOTE_HEADS: [&str; 3] = ["original message", "mensaje original", "message dorigine"];

/// The text without what it quotes; all of it if nothing else is left.
pub(super) fn own_text(text: &str) -> Cow<'_, str> {
    if let Some(own) = without_reaction(text) {
        return Cow::Owned(own);
    }
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let lines: Vec<&str> = text.lines().collect();
    let end = (0..lines.len()).find(|at| *at > 0 && begins_quote(&lines, *at)).unwrap_or(lines.len());
    let own: Vec<&str> =
        lines.into_iter().take(end).filter(|line| !line.trim_start().starts_with('>')).collect();
    let own = own.join("\n");
    if normalise(&own).is_empty() { Cow::Borrowed(text) } else { Cow::Owned(own) }
}

/// `Liked “Smith Clinic: … STOP to opt out.”` without the quotation.
fn without_reaction(text: &str) -> Option<String> {
    let (before, quotation) = text.split_once(['“', '"', '«'])?;
    let (_, behind) = quotation.rsplit_once(['”', '"', '»'])?;
    let verb = normalise(before);
    (is_emoji_to(&verb) || REACTIONS.contains(&verb.as_str())).then(|| format!("{before}\n{behind}"))
}

/// `👍 to`: an emoji and nothing else. Whoever says more writes.
fn is_emoji_to(verb: &str) -> bool {
    let emoji = ["to", "a"].iter().find_map(|to| verb.strip_suffix(to)).and_then(|of| of.strip_suffix(' '));
    emoji.is_some_and(|emoji| emoji.starts_with(is_emoji) && emoji.chars().all(|c| is_emoji(c) || c == ' '))
}

/// Whether a mail program's quotation begins on this line; the line may be wrapped.
fn begins_quote(lines: &[&str], at: usize) -> bool {
    let line = lines.get(at).copied().unwrap_or_default();
    let next = lines.get(at + 1).copied().unwrap_or_default();
    let head = normalise(line);
    if QUOTE_HEADS.contains(&head.as_str()) || line.trim_end() == "--" {
        return true;
    }
    [line.trim_end().to_owned(), format!("{line} {}", next.trim_end())].iter().any(|line| {
        let words = normalise(line);
        line.ends_with(':')
            && QUOTE_LINES.iter().any(|(first, last)| words.starts_with(first) && words.ends_with(last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_left_out() {
        let cases = [
            ("Liked “Clinic: reply STOP to opt out”", "Liked \n"),
            ("👍 to “Reply STOP”", "👍 to \n"),
            ("❤️ à « Répondez STOP »", "❤️ à \n"),
            ("👎, yes\nA! \"STOP\" -", "👎, yes\nA! \"STOP\" -"),
            ("1\n\nOn Mon, Mar 2, 2026 at 9:00 AM Clinic <a@b.c> wrote:\n> Reply STOP", "1"),
            ("1\nOn Mon, Mar 2, Clinic\n<a@b.c> wrote:\nReply STOP", "1"),
            ("Oui\nLe lun. 2 mars, Clinique a écrit :\n> STOP", "Oui"),
            ("yes\n-- \nSTOP Ltd", "yes"),
            ("yes\n> Reply STOP\nthanks", "yes\nthanks"),
            ("> stop\n> stop", "> stop\n> stop"),
            ("I said \"stop\"", "I said \"stop\""),
            ("stop", "stop"),
        ];
        for (text, own) in cases {
            assert_eq!(own_text(text), own, "{text}");
        }
    }
}
