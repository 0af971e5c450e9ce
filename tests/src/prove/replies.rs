//! Replies: labelled ones are understood, and whoever revokes in whatever text is never taken to confirm.

mod corpus;
mod embedding;

use reminderly_core::domain::reply::{ReplyKind, ReplyWords, classify};

use self::corpus::Labelled;
use self::embedding::Embeddings;
use super::spread::spread;
use super::{Failure, Order, Proof, Violation};

/// Texts with a revocation in them: some seconds, and some ten minutes.
const EMBEDDINGS: (u64, u64) = (200_000, 20_000_000);
/// Of so many labelled replies one may be misread.
const ONE_IN: usize = 100;

/// Classifies every labelled reply, then revocations in the middle of other words.
///
/// # Errors
///
/// A corpus that cannot be read.
pub fn run(order: &Order) -> Result<Proof, Failure> {
    let corpus = corpus::all()?;
    let words = ReplyWords::new(["1", "C"], ["2", "X"], ["3", "R"]);
    let mut proof =
        Proof { unit: "replies", seeds: Some(order.seeds(EMBEDDINGS.0, EMBEDDINGS.1)), ..Proof::default() };
    judge_labels(&corpus, &words, &mut proof);
    judge_embeddings(&Embeddings::new(&corpus), &words, order, &mut proof);
    Ok(proof)
}

fn judge_labels(corpus: &[Labelled], words: &ReplyWords, proof: &mut Proof) {
    let mut misread = Vec::new();
    for reply in corpus {
        let found = classify(&reply.text, words).kind;
        *proof.fired.entry(reply.label).or_default() += 1;
        proof.count += 1;
        if found.as_str() == reply.label {
            continue;
        }
        let violation = Violation {
            at: format!("labelled.tsv line {}", reply.line),
            what: format!("{:?} is {}, and was read as {found}", reply.text, reply.label),
        };
        // What costs somebody their peace, or the practice a chair, is not weighed against what was understood.
        if reply.label == "opt_out" || found == ReplyKind::Confirm {
            proof.violations.push(violation);
        } else {
            misread.push(violation);
        }
    }
    if misread.len() * ONE_IN > corpus.len() {
        proof.violations.append(&mut misread);
    }
    proof.fired.insert("read as labelled", (corpus.len() - misread.len() - proof.violations.len()) as u64);
}

fn judge_embeddings(embeddings: &Embeddings, words: &ReplyWords, order: &Order, proof: &mut Proof) {
    let seeds = order.seeds(EMBEDDINGS.0, EMBEDDINGS.1);
    // With a seed or two to look at, none of these needs to happen.
    if seeds.end - seeds.start >= EMBEDDINGS.0 {
        proof.fired.insert("revocation among words: opt_out", 0);
        proof.fired.insert("revocation among words: unclear", 0);
    }
    let tried = spread(seeds, |seed| {
        let text = embeddings.text(seed);
        let kind = classify(&text, words).kind;
        let violation = (kind == ReplyKind::Confirm).then(|| Violation {
            at: format!("seed {seed}"),
            what: format!("{text:?} revokes, and was read as a confirmation"),
        });
        Proof {
            count: 1,
            fired: [(name(kind), 1)].into(),
            violations: violation.into_iter().collect(),
            ..Proof::default()
        }
    });
    proof.absorb(tried);
}

const fn name(kind: ReplyKind) -> &'static str {
    match kind {
        ReplyKind::OptOut(_) => "revocation among words: opt_out",
        ReplyKind::Unclear => "revocation among words: unclear",
        ReplyKind::Confirm => "revocation among words: confirm",
        _ => "revocation among words: another kind",
    }
}
