//! The labelled replies.

use crate::prove::Failure;

const CORPUS: &str = include_str!("../../../corpus/replies/labelled.tsv");

/// The names of all kinds but a campaign's own answers, which the corpus has none of.
const LABELS: [&str; 7] = ["opt_out", "opt_in", "help", "confirm", "cancel", "reschedule", "unclear"];

/// A reply, and what it means.
#[derive(Debug)]
pub(super) struct Labelled {
    /// The line of the corpus, from 1.
    pub(super) line: usize,
    /// [`as_str`](reminderly_core::domain::reply::ReplyKind::as_str) of the kind.
    pub(super) label: &'static str,
    /// What the person wrote.
    pub(super) text: String,
}

/// Every reply of the corpus.
///
/// # Errors
///
/// A line that is not of the form `label, tab, language, tab, text`.
pub(super) fn all() -> Result<Vec<Labelled>, Failure> {
    let lines = CORPUS.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
    lines.map(|(line, number)| labelled(line, number)).collect()
}

fn labelled(line: &str, number: usize) -> Result<Labelled, Failure> {
    let wrong = || Failure::from(format!("labelled.tsv line {number} is no label, language and text"));
    let mut parts = line.splitn(3, '\t');
    let (label, _language) = (parts.next().ok_or_else(wrong)?, parts.next().ok_or_else(wrong)?);
    let text = parts.next().ok_or_else(wrong)?.replace("\\n", "\n");
    let label = LABELS.into_iter().find(|known| *known == label).ok_or_else(wrong)?;
    Ok(Labelled { line: number, label, text })
}
