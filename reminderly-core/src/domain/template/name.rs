//! Personal names.

use std::borrow::Cow;

/// Words that are numbers of a generation and stay in capitals.
const GENERATIONS: [&str; 3] = ["ii", "iii", "iv"];

/// The name with single spaces; if it is in one case only, also with capitals where names have them.
pub(crate) fn tidy_name(name: &str) -> Cow<'_, str> {
    let spaced = single_spaces(name);
    let upper = spaced.chars().any(char::is_uppercase);
    let lower = spaced.chars().any(char::is_lowercase);
    // Whoever has typed both cases knew what they meant: de la Cruz, van der Berg, McKay.
    if upper == lower {
        return spaced;
    }
    let mut tidy = String::with_capacity(spaced.len());
    for (position, word) in spaced.to_lowercase().split(' ').enumerate() {
        if position > 0 {
            tidy.push(' ');
        }
        if position > 0 && GENERATIONS.contains(&word) {
            tidy.push_str(&word.to_uppercase());
        } else {
            push_word(word, &mut tidy);
        }
    }
    if tidy == spaced { spaced } else { tidy.into() }
}

fn single_spaces(name: &str) -> Cow<'_, str> {
    let trimmed = name.trim();
    let tidy = !trimmed.contains("  ") && !trimmed.chars().any(|c| c.is_whitespace() && c != ' ');
    if tidy {
        return trimmed.into();
    }
    trimmed.split_whitespace().collect::<Vec<_>>().join(" ").into()
}

fn push_word(word: &str, tidy: &mut String) {
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(['-', '\'', '’', '.']).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        let after_apostrophe = tidy.ends_with(['\'', '’']);
        // The s of a possessive is no name; of O'B there is more.
        if after_apostrophe && tail.is_empty() && part.chars().count() == 1 {
            tidy.push_str(part);
        } else {
            push_part(part, tidy);
        }
        let mut tail = tail.chars();
        tidy.extend(tail.next());
        rest = tail.as_str();
    }
}

fn push_part(part: &str, tidy: &mut String) {
    match part.strip_prefix("mc") {
        Some(rest) if rest.chars().count() > 1 => {
            tidy.push_str("Mc");
            push_capitalised(rest, tidy);
        }
        _ => push_capitalised(part, tidy),
    }
}

fn push_capitalised(text: &str, tidy: &mut String) {
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        tidy.extend(first.to_uppercase());
    }
    tidy.push_str(characters.as_str());
}
