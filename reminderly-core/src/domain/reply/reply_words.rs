//! The words that a campaign asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ReplyKind;
use super::answer_name::AnswerName;
use super::normal::normalise;

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
    /// Replies that give an answer of the campaign's own, such as `5`, by word.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, AnswerName>,
}

impl ReplyWords {
    /// The words, each brought through [`normalise`]. Words of which nothing is left are dropped.
    pub fn new<'a>(
        confirm: impl IntoIterator<Item = &'a str>,
        cancel: impl IntoIterator<Item = &'a str>,
        reschedule: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            confirm: normalised(confirm),
            cancel: normalised(cancel),
            reschedule: normalised(reschedule),
            answers: BTreeMap::new(),
        }
    }

    /// The same with the campaign's own answers by word, each word brought through [`normalise`].
    #[must_use]
    pub fn with_answers<'a>(mut self, answers: impl IntoIterator<Item = (&'a str, AnswerName)>) -> Self {
        let answers = answers.into_iter().map(|(word, name)| (normalise(word), name));
        self.answers.extend(answers.filter(|(word, _)| !word.is_empty()));
        self
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
            self.answers.get(normalised).copied().map(ReplyKind::Answer)
        }
    }
}

fn normalised<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(normalise).filter(|word| !word.is_empty()).collect()
}
