//! What is wrong with a campaign document.

use std::fmt;

/// One problem of a campaign document, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The place as a JSON path: `$.schedule.send[0].days_before`.
    pub path: String,
    /// What is wrong and what to do, for people.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// A campaign document cannot be used. Lists every problem that was found, each on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCampaign {
    /// The problems, in the order of the document's sections.
    pub problems: Vec<Problem>,
}

impl fmt::Display for InvalidCampaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidCampaign {}

/// Collects problems while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub(crate) fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(Problem { path: path.to_owned(), message: message.into() });
    }

    /// The value, if nothing is wrong.
    ///
    /// # Errors
    ///
    /// All that is.
    pub(crate) fn unless<T>(self, value: T) -> Result<T, InvalidCampaign> {
        if self.0.is_empty() { Ok(value) } else { Err(self.into()) }
    }
}

impl From<Problems> for InvalidCampaign {
    fn from(problems: Problems) -> Self {
        Self { problems: problems.0 }
    }
}

/// The path of a member of an object: `$.a.b`, or `$.a['b c']` for names that are no identifiers.
pub(crate) fn member_path(parent: &str, key: &str) -> String {
    if is_identifier(key) {
        format!("{parent}.{key}")
    } else {
        format!("{parent}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

/// Whether templates and expressions can say the name.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_')
}

/// `; did you mean "…"?` for the nearest of the known names, or nothing if none is near.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
}

/// The known name that differs least from the given one, in upper and lower case alike; none if all differ much.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let folded: Vec<char> = name.to_lowercase().chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
    let tolerated = folded.len().div_ceil(3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= tolerated + 3)
        .map(|candidate| (edit_distance(&folded, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Names that are longer are not compared: that is quadratic.
const NAME_BYTES_MAX: usize = 64;

fn edit_distance(folded: &[char], other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
    let mut costs: Vec<usize> = (0..=other.len()).collect();
    for (row, left) in folded.iter().enumerate() {
        let mut diagonal = row;
        let mut before = row + 1;
        for (cost, right) in costs.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *cost;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cost = before;
        }
        if let Some(first) = costs.first_mut() {
            *first = row + 1;
        }
    }
    costs.last().copied().unwrap_or_default()
}
