//! Texts: a string, or a map by language.

use std::collections::{BTreeMap, BTreeSet};

use super::super::definition::LocalizedText;
use super::super::problem::{Problems, member_path};
use super::node::Node;
use super::reader::Field;
use crate::domain::language::Language;
use crate::domain::mapping::is_blank;
use crate::domain::template::TEMPLATE_BYTES_MAX;

/// The most languages of one text.
const LANGUAGES_MAX: usize = 50;

/// Takes the place of a text that has been reported.
pub(super) fn no_text() -> LocalizedText {
    LocalizedText::Same(String::new())
}

/// A text. A map must hold the campaign's language: that is what everybody else reads.
pub(super) fn text_of(field: &Field<'_>, language: &Language, problems: &mut Problems) -> LocalizedText {
    if !matches!(field.node, Node::Object(_)) {
        return LocalizedText::Same(single(field, problems));
    }
    let members = field.members(problems).unwrap_or_default();
    if members.len() > LANGUAGES_MAX {
        field.fault(format!("more than {LANGUAGES_MAX} languages"), problems);
    }
    let mut texts = BTreeMap::new();
    for (tag, member) in members {
        match tag.parse::<Language>() {
            Ok(language) if language.as_str() == tag => {
                texts.insert(language, single(&member, problems));
            }
            Ok(language) => member.fault(format!("write the language as \"{language}\""), problems),
            Err(invalid) => member.fault(invalid.to_string(), problems),
        }
    }
    if !texts.contains_key(language) {
        let message = format!("is required: \"{language}\" is the campaign's language");
        problems.add(&member_path(&field.path, language.as_str()), message);
    }
    LocalizedText::ByLanguage(texts)
}

/// Texts that are sent together are in one language, so those that tell languages apart tell the same ones apart. The
/// campaign's has been asked for already.
pub(super) fn same_languages(
    parent: &str,
    parts: &[(&str, Option<&LocalizedText>)],
    campaigns: &Language,
    problems: &mut Problems,
) {
    let all: BTreeSet<&Language> =
        parts.iter().filter_map(|(_, text)| *text).flat_map(LocalizedText::languages).collect();
    for (name, text) in parts {
        let Some(LocalizedText::ByLanguage(texts)) = text else { continue };
        for missing in
            all.iter().filter(|language| **language != campaigns && !texts.contains_key(**language))
        {
            let path = member_path(&member_path(parent, name), missing.as_str());
            problems.add(&path, "is required: another text of this message is in this language");
        }
    }
}

/// Reports texts that are more than one line.
pub(super) fn one_line(text: &LocalizedText, path: &str, problems: &mut Problems) {
    let is_broken = |text: &str| text.contains(['\r', '\n']);
    match text {
        LocalizedText::Same(text) if is_broken(text) => problems.add(path, "expected one line"),
        LocalizedText::Same(_) => {}
        LocalizedText::ByLanguage(texts) => {
            for (language, _) in texts.iter().filter(|(_, text)| is_broken(text)) {
                problems.add(&member_path(path, language.as_str()), "expected one line");
            }
        }
    }
}

fn single(field: &Field<'_>, problems: &mut Problems) -> String {
    let Some(text) = field.text(problems) else { return String::new() };
    if is_blank(text) {
        field.fault("the text is empty", problems);
    } else if text.len() > TEMPLATE_BYTES_MAX {
        field.fault(format!("the text has more than {TEMPLATE_BYTES_MAX} bytes"), problems);
        return String::new();
    }
    text.to_owned()
}
