//! Cleans what people and spreadsheets leave in cells and texts.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text without white space around it, in NFC, without control and invisible characters; and whether such were removed.
///
/// Line breaks stay, as `\n`; a tab becomes a space. Joiners stay between characters that are not ASCII: some scripts and
/// emoji need them.
pub(super) fn clean(text: &str) -> (Cow<'_, str>, bool) {
    let trimmed = text.trim();
    if trimmed.bytes().all(|byte| byte.is_ascii() && (!byte.is_ascii_control() || byte == b'\n')) {
        return (Cow::Borrowed(trimmed), false);
    }
    let mut removed = false;
    let cleaned = remove(trimmed, &mut removed);
    let composed = match is_nfc_quick(cleaned.chars()) {
        IsNormalized::Yes => cleaned,
        _ => Cow::Owned(cleaned.nfc().collect()),
    };
    let bare = composed.trim();
    let composed = if bare.len() == composed.len() { composed } else { Cow::Owned(bare.to_owned()) };
    (composed, removed)
}

/// Whether nothing of a text can be seen.
pub(in crate::domain) fn is_blank(text: &str) -> bool {
    let is_hidden = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || is_joiner(c);
    text.chars().all(is_hidden)
}

fn remove<'a>(text: &'a str, removed: &mut bool) -> Cow<'a, str> {
    if !text.chars().any(|c| c.is_control() || is_invisible(c) || is_joiner(c)) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => kept.push('\n'),
            '\t' => kept.push(' '),
            joiner if is_joiner(joiner) => {
                let foreign = |c: char| !c.is_ascii();
                if kept.chars().next_back().is_some_and(foreign)
                    && characters.peek().copied().is_some_and(foreign)
                {
                    kept.push(joiner);
                } else {
                    *removed = true;
                }
            }
            hidden if hidden.is_control() || is_invisible(hidden) => *removed = true,
            visible => kept.push(visible),
        }
    }
    Cow::Owned(kept)
}

const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// Characters without width that carry no text: zero-width spaces, soft hyphens, marks of direction.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}
