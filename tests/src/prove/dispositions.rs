//! Dispositions: the same reports, in every order. See `docs/proof.md`.

mod lattice;
mod stored;
mod table;

use self::lattice::ORDERS;
use self::table::Ranks;
use super::spread::spread;
use super::{Failure, Order, Proof};

/// How many drawn sets of reports go through store and service.
const SHORT: u64 = 2_000;
const LONG: u64 = 50_000;
/// What must have been the result of a set, and what else must have happened.
const FIRED: [&str; 7] =
    ["call made again", "complained", "delivered", "no_answer", "sent", "undelivered", "voicemail"];

/// Joins reports in every order, and records some. Seeds below 483,840 are the orders of the twelve sets; those from there on
/// draw reports for the store.
///
/// # Errors
///
/// The document of the lifecycles has no table of reports.
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let (ranks, sets) = (Ranks::read()?, lattice::sets());
    let all = ORDERS * sets.len() as u64;
    let attempt = |seed: u64| {
        if seed < all { lattice::compare(seed, &sets, &ranks) } else { stored::compare(seed, &ranks) }
    };
    let mut proof = spread(order.seeds(all + SHORT, all + LONG), attempt);
    proof.unit = "orders";
    if order.count.is_none() {
        for what in FIRED {
            proof.fired.entry(what).or_default();
        }
    }
    Ok(proof)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_orders_of_every_set_give_one_result() {
        let (ranks, sets) = (Ranks::read().unwrap(), lattice::sets());
        let all = ORDERS * sets.len() as u64;
        for seed in (0..all).step_by(997) {
            assert_eq!(lattice::compare(seed, &sets, &ranks).violations, []);
        }
    }

    /// The first seed is one that found a fault.
    #[test]
    fn some_drawn_reports_give_one_result() {
        let ranks = Ranks::read().unwrap();
        for seed in 483_840..483_846 {
            assert_eq!(stored::compare(seed, &ranks).violations, []);
        }
    }
}
