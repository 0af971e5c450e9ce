//! Why a message of an earlier run was sent, why not, and why then: read from its results.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use chrono::{DateTime, Utc};
use reminderly_core::ids::MessageId;
use serde::Deserialize;

use crate::failure::Failure;
use crate::results::DECISIONS;

/// A line of the results, as far as people read it.
#[derive(Debug, Deserialize)]
struct Decision {
    message: MessageId,
    at: DateTime<Utc>,
    rule: String,
    verdict: String,
}

/// The decisions on a message, first to last, a line each.
pub(crate) fn of(directory: &Path, message: MessageId) -> Result<String, Failure> {
    let path = directory.join(DECISIONS);
    let unreadable = |error: &std::io::Error| Failure::unreadable("results", &path, error);
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    let mut text = format!("Message {message}\n");
    let mut found = false;
    for (position, line) in (1_u64..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| unreadable(&error))?;
        let decision: Decision = serde_json::from_str(&line).map_err(|error| {
            Failure::work(format!("{}, line {position} is no decision: {error}", path.display()))
        })?;
        if decision.message != message {
            continue;
        }
        found = true;
        let Decision { at, rule, verdict, .. } = decision;
        // Writing to a string does not fail.
        writeln!(text, "{}  {rule:<16} {verdict}", at.format("%F %T")).ok();
    }
    if found {
        return Ok(text);
    }
    let advice = "take an id from the first column of messages.csv there";
    Err(Failure::work(format!("message {message} is not in {}: {advice}", path.display())))
}
