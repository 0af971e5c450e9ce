//! Reads objects of the document: each field knows its path, and keys that nobody asks for are problems.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::super::problem::{Problems, hint, member_path};
use super::node::Node;

/// The sentence for what a later release brings.
pub(super) const LATER: &str = "not supported by this release";

/// An object whose keys are being read.
pub(super) struct ObjectReader<'d> {
    path: String,
    entries: Vec<Entry<'d>>,
    known: Vec<&'static str>,
}

struct Entry<'d> {
    key: &'d str,
    node: &'d Node,
    used: bool,
}

impl<'d> ObjectReader<'d> {
    /// The value of a key that must be there; its absence is a problem.
    pub(super) fn required(&mut self, key: &'static str, problems: &mut Problems) -> Option<Field<'d>> {
        let field = self.optional(key);
        if field.is_none() {
            problems.add(&member_path(&self.path, key), "is required");
        }
        field
    }

    /// The value of a key that may be left out.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Field<'d>> {
        self.known.push(key);
        let path = member_path(&self.path, key);
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        entry.used = true;
        Some(Field { path, node: entry.node })
    }

    /// Refuses a key of a later release.
    pub(super) fn refuse(&mut self, key: &'static str, problems: &mut Problems) {
        self.refuse_unless(key, "", |_| false, problems);
    }

    /// Refuses a key of a later release, except with values that ask for nothing.
    pub(super) fn refuse_unless(
        &mut self,
        key: &'static str,
        advice: &str,
        harmless: impl FnOnce(&Node) -> bool,
        problems: &mut Problems,
    ) {
        if let Some(field) = self.optional(key)
            && !harmless(field.node)
        {
            field.fault(format!("{LATER}{advice}"), problems);
        }
        // Not to be suggested to anybody.
        self.known.pop();
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self, problems: &mut Problems) {
        for entry in self.entries.iter().filter(|entry| !entry.used) {
            let hint = hint(entry.key, self.known.iter().copied());
            problems.add(&member_path(&self.path, entry.key), format!("unknown key{hint}"));
        }
    }
}

/// A value of the document and its path.
#[derive(Clone)]
pub(super) struct Field<'d> {
    pub(super) path: String,
    pub(super) node: &'d Node,
}

impl<'d> Field<'d> {
    /// The whole document.
    pub(super) fn root(node: &'d Node) -> Self {
        Self { path: "$".to_owned(), node }
    }

    /// Reports a problem of this value.
    pub(super) fn fault(&self, message: impl Into<String>, problems: &mut Problems) {
        problems.add(&self.path, message);
    }

    /// A text.
    pub(super) fn text(&self, problems: &mut Problems) -> Option<&'d str> {
        if let Node::Text(text) = self.node { Some(text) } else { self.wrong_type("a text", problems) }
    }

    /// A whole number of a range.
    pub(super) fn integer(&self, range: RangeInclusive<u64>, problems: &mut Problems) -> Option<u64> {
        let Node::Number(number) = self.node else { return self.wrong_type("a number", problems) };
        let value = number.as_u64().filter(|value| range.contains(value));
        if value.is_none() {
            self.fault(
                format!("expected a whole number from {} to {}", range.start(), range.end()),
                problems,
            );
        }
        value
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(
        &self,
        choices: &[(&'static str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(problems)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            // As the document writes them: a tab as \t.
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("{name:?}")).collect();
            self.fault(format!("expected one of {}", names.join(", ")), problems);
        }
        found
    }

    /// A text in a notation of its own.
    pub(super) fn parsed<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        match parse(self.text(problems)?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fault(reason.to_string(), problems);
                None
            }
        }
    }

    /// The items of a list.
    pub(super) fn list(&self, problems: &mut Problems) -> Option<Vec<Self>> {
        let Node::List(items) = self.node else { return self.wrong_type("a list", problems) };
        let item = |(position, node)| Self { path: format!("{}[{position}]", self.path), node };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// An object of known keys.
    pub(super) fn object(&self, problems: &mut Problems) -> Option<ObjectReader<'d>> {
        let entries = self.members(problems)?.into_iter();
        let entries = entries.map(|(key, field)| Entry { key, node: field.node, used: false }).collect();
        Some(ObjectReader { path: self.path.clone(), entries, known: Vec::new() })
    }

    /// The members of an object whose keys are free. A key that stands twice is a problem, and the first one counts.
    pub(super) fn members(&self, problems: &mut Problems) -> Option<Vec<(&'d str, Self)>> {
        let Node::Object(entries) = self.node else { return self.wrong_type("an object", problems) };
        let mut seen = std::collections::HashSet::new();
        let mut members = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let path = member_path(&self.path, key);
            if seen.insert(key.as_str()) {
                members.push((key.as_str(), Self { path, node }));
            } else {
                problems.add(&path, "the key stands twice");
            }
        }
        Some(members)
    }

    fn wrong_type<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        self.fault(format!("expected {expected}, found {}", self.node.kind()), problems);
        None
    }
}
