use super::*;
use crate::prove::Extent;

#[test]
fn the_model_and_the_product_take_the_same_traces() {
    let order = Order { extent: Extent::Short, first_seed: 1_000_000, count: Some(500) };
    let proof = run(&order).expect("the store answers");
    assert_eq!(proof.wrong(), []);
    assert_eq!(proof.count, 500);
}

#[test]
fn a_model_that_forgets_earlier_evidence_is_found_out() {
    let forgets = |seed| compared(seed, EarlierEvidence::IsForgotten).violations.pop();
    let found = (0..1_000).find_map(forgets).expect("within 1,000 traces");
    let actions = found.what.lines().filter(|line| line.trim_start().starts_with(char::is_numeric));
    assert!(found.what.starts_with("the model") && actions.count() < 15, "{}", found.what);
}
