//! What a campaign makes of one reply.

use std::fmt::Write as _;

use reminderly_core::domain::mapping::check;
use reminderly_core::domain::reply::{OptOutScope, ReplyKind};
use reminderly_core::services::ServiceError;

use crate::arguments::Question;
use crate::failure::Failure;
use crate::office::unusable;
use crate::scenario::document;

/// The kind on a line of its own, then why.
pub(crate) fn answer(question: &Question) -> Result<String, Failure> {
    let document = document("campaign", &question.campaign)?;
    let campaign =
        check(&document.text).map_err(|error| unusable(&document, ServiceError::InvalidCampaign(error)))?;
    let reading = campaign.definition().responses.read(question.method, &question.text.join(" "));
    let classification = reading.classification;
    let mut text = format!("{}\nreason: it {}", classification.kind, classification.reason);
    let matched: Vec<String> = reading.matched.iter().map(|word| format!("\"{word}\"")).collect();
    // Writing to a string does not fail.
    if !matched.is_empty() {
        write!(text, ": {}", matched.join(", ")).ok();
    }
    if let Some(covers) = covered(classification.kind) {
        write!(text, "\ncovers: {covers}").ok();
    }
    text.push('\n');
    Ok(text)
}

fn covered(kind: ReplyKind) -> Option<&'static str> {
    match kind {
        ReplyKind::OptOut(OptOutScope::ContactPoint) => {
            Some("the number (text messages and calls) or the address that it came from")
        }
        ReplyKind::OptOut(OptOutScope::Person) => Some("every contact point of the person"),
        _ => None,
    }
}
