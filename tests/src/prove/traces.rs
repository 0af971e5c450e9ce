//! T2: the model and the product take the same random traces, and agree after every action.
//!
//! The product is the store in memory with core's transition table, driven through its ports under times that the trace names. The
//! other side is the row of the exhaustive [`model`](super::model), with the instants that it leaves out. They are compared by the answer
//! of every call (may a request be issued, until when, under which number), by all that is stored of message and attempts, by what the
//! sweeps would find, and by the ledger. So what is shown of the model holds for the product as well.

mod action;
mod bench;
mod product;
mod seen;
mod terms;
#[cfg(test)]
mod tests;
mod twin;

use std::collections::BTreeMap;
use std::ops::Range;

use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::message_status::MessageStatus;

use super::spread::spread;
use super::{Failure, Order, Proof, Violation};

use super::model::row::EarlierEvidence;
use action::Action;
use bench::Bench;
use product::Product;
use seen::{Answer, Refusal};
use twin::Twin;

/// How many traces are taken.
const SHORT: u64 = 20_000;
const LONG: u64 = 1_000_000;

/// How many actions a trace has.
const LENGTH: Range<usize> = 8..64;

/// Takes as many traces as the extent asks for.
///
/// # Errors
///
/// None: what the store refuses is a violation.
#[expect(clippy::unnecessary_wraps, reason = "every kind is run in the same way")]
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let mut proof = spread(order.seeds(SHORT, LONG), |seed| compared(seed, EarlierEvidence::Counts));
    proof.unit = "traces";
    // What never happens is to be seen.
    let statuses = MessageStatus::ALL.into_iter().map(reached);
    let answers = Refusal::ALL.into_iter().map(Refusal::as_str).chain(CLAIMS);
    for what in Action::names().chain(statuses).chain(answers) {
        proof.fired.entry(what).or_default();
    }
    Ok(proof)
}

/// The claims that were granted, by how often the message had been claimed before.
const CLAIMS: [&str; 3] = ["claimed", "claimed again", "claimed for the third time or later"];

/// Where the two sides differ.
#[derive(Debug)]
struct Difference {
    actions: Vec<Action>,
    what: String,
}

/// Takes a trace on both sides.
fn compared(seed: u64, earlier: EarlierEvidence) -> Proof {
    let mut proof = Proof { count: 1, ..Proof::default() };
    let found = block_on(async {
        match drawn(seed, earlier, &mut proof.fired).await? {
            Some(difference) => least(earlier, difference).await.map(Some),
            None => Ok(None),
        }
    });
    let what = match found {
        Ok(None) => return proof,
        Ok(Some(least)) => {
            let steps =
                least.actions.iter().zip(1..).map(|(action, number)| format!("    {number:>2}. {action:?}"));
            format!("{}\n{}", least.what, steps.collect::<Vec<_>>().join("\n"))
        }
        Err(failure) => failure.to_string(),
    };
    proof.violations.push(Violation { at: format!("seed {seed}"), what });
    proof
}

/// Draws a trace and takes it.
async fn drawn(
    seed: u64,
    earlier: EarlierEvidence,
    fired: &mut BTreeMap<&'static str, u64>,
) -> Result<Option<Difference>, Failure> {
    let mut random = SmallRng::seed_from_u64(seed);
    let length = random.random_range(LENGTH);
    let (mut twin, mut product) = (Twin::new(earlier), Product::new(Bench::new().await?));
    let mut actions = Vec::with_capacity(length);
    for _ in 0..length {
        let before = twin.status();
        let action = Action::drawn(&mut random, before, twin.epoch());
        actions.push(action);
        let mut count = |what| *fired.entry(what).or_default() += 1;
        count(action.as_str());
        let (answer, what) = step(&mut twin, &mut product, action).await?;
        if let Some(what) = what {
            return Ok(Some(Difference { actions, what }));
        }
        if twin.status() != before || actions.len() == 1 {
            count(reached(twin.status()));
        }
        match answer {
            Answer::Claimed { epoch, .. } => {
                count(CLAIMS.get(usize::from(epoch) - 1).copied().unwrap_or(CLAIMS[2]));
            }
            Answer::NotClaimed(refusal) => count(refusal.as_str()),
            _ => {}
        }
    }
    Ok(None)
}

/// Takes a trace that was drawn before.
async fn again(earlier: EarlierEvidence, actions: &[Action]) -> Result<Option<Difference>, Failure> {
    let (mut twin, mut product) = (Twin::new(earlier), Product::new(Bench::new().await?));
    for (action, taken) in actions.iter().zip(1..) {
        if let (_, Some(what)) = step(&mut twin, &mut product, *action).await? {
            return Ok(Some(Difference { actions: actions.iter().take(taken).copied().collect(), what }));
        }
    }
    Ok(None)
}

/// The same difference, or another one, after as few actions as can be had by leaving some out.
async fn least(earlier: EarlierEvidence, mut found: Difference) -> Result<Difference, Failure> {
    let mut place = 0;
    while place < found.actions.len() {
        let mut fewer = found.actions.clone();
        fewer.remove(place);
        match again(earlier, &fewer).await? {
            Some(difference) => found = difference,
            None => place += 1,
        }
    }
    Ok(found)
}

/// Does it on both sides; the answer, and where they differ.
async fn step(
    twin: &mut Twin,
    product: &mut Product,
    action: Action,
) -> Result<(Answer, Option<String>), Failure> {
    let (expected, answer) = (twin.act(action), product.act(action).await?);
    if expected != answer {
        return Ok((answer, Some(format!("the model answers {expected:?}, the product {answer:?}"))));
    }
    let (expected, standing) = (twin.standing(), product.standing().await?);
    if expected != standing {
        return Ok((
            answer,
            Some(format!("the model stands at\n{expected:#?}\nthe product at\n{standing:#?}")),
        ));
    }
    let broken = product.broken_history().await?;
    Ok((answer, broken.map(|transition| format!("not in the transition table: {transition:?}"))))
}

/// In the figures, that a message came to this status.
const fn reached(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Planned => "message stays planned at first",
        MessageStatus::Queued => "message becomes queued",
        MessageStatus::Sending => "message becomes sending",
        MessageStatus::Sent => "message becomes sent",
        MessageStatus::Delivered => "message becomes delivered",
        MessageStatus::Undelivered => "message becomes undelivered",
        MessageStatus::Skipped => "message becomes skipped",
        MessageStatus::Expired => "message becomes expired",
        MessageStatus::Cancelled => "message becomes cancelled",
        MessageStatus::Failed => "message becomes failed",
        MessageStatus::Unknown => "message becomes unknown",
    }
}
