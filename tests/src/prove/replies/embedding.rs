//! Revocations in the middle of other words.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::reply::{PROVIDER_OPT_OUT_WORDS, REVOCATION_WORDS, normalise};

use super::corpus::Labelled;

/// What parts a revocation from the words around it. No line end before a `>`: what is quoted is not the person's own.
const BETWEEN: [&str; 9] = [" ", " ", " ", ", ", ". ", "! ", "\n", " - ", " 👍 "];
/// The most words before, and after.
const WORDS_MAX: usize = 7;

/// Texts that revoke, one for each seed.
#[derive(Debug)]
pub(super) struct Embeddings {
    /// Whole texts that revoke.
    revocations: Vec<String>,
    /// Whole texts that do not, and their single words.
    others: Vec<String>,
}

impl Embeddings {
    /// Out of the labelled replies, the words of the law and those of providers.
    pub(super) fn new(corpus: &[Labelled]) -> Self {
        // A signature is not the person's own text either.
        let own = || corpus.iter().filter(|reply| !reply.text.contains('\n'));
        // "Cancel" may be said of the appointment: "don't cancel, I'll be there" confirms.
        let words = REVOCATION_WORDS.iter().chain(&PROVIDER_OPT_OUT_WORDS).filter(|word| **word != "cancel");
        let words = words.map(|word| (*word).to_owned());
        let revocations = own()
            .filter(|reply| reply.label == "opt_out" && !is_cancel(&reply.text))
            .map(|reply| reply.text.clone());
        let others = own().filter(|reply| !matches!(reply.label, "opt_out" | "opt_in" | "help"));
        let others = others.flat_map(|reply| {
            reply.text.split(' ').chain([reply.text.as_str()]).map(str::to_owned).collect::<Vec<_>>()
        });
        Self { revocations: revocations.chain(words).collect(), others: others.collect() }
    }

    /// The text of a seed.
    pub(super) fn text(&self, seed: u64) -> String {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut text = String::new();
        self.push_words(&mut text, &mut random);
        text.push_str(self.revocations.choose(&mut random).map_or("stop", String::as_str));
        text.push_str(BETWEEN.choose(&mut random).copied().unwrap_or(" "));
        self.push_words(&mut text, &mut random);
        match random.random_range(0..4) {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            _ => text,
        }
    }

    fn push_words(&self, text: &mut String, random: &mut SmallRng) {
        for _ in 0..random.random_range(0..=WORDS_MAX) {
            text.push_str(self.others.choose(random).map_or("yes", String::as_str));
            text.push_str(BETWEEN.choose(random).copied().unwrap_or(" "));
        }
    }
}

/// With a courtesy or without.
fn is_cancel(text: &str) -> bool {
    let words = normalise(text);
    words.starts_with("cancel") && words.split(' ').count() <= 2
}
