//! The corpora of the fuzz targets, as they are and changed at random. What libFuzzer has found stays in them.

use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::spread::spread;
use super::{Failure, Order, Proof, Violation};
use crate::fuzzing::{TARGETS, Target};

/// Changed inputs, of all targets together.
const CHANGED: (u64, u64) = (100_000, 5_000_000);
/// The most changes of an input.
const CHANGES_MAX: usize = 8;
/// The longest changed input.
const BYTES_MAX: usize = 4 << 10;

/// What parsers treat in their own way.
const TOKENS: [&[u8]; 24] = [
    b"\"",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x91\x8d",
    b"\xc3",
    b",",
    b";",
    b"{{",
    b"}}",
    b"{%",
    b"|",
    b"'",
    b"\\u0000",
    b"1e999",
    b"-0",
    b"9223372036854775808",
    b"null",
    b"[",
    b"}",
    b"stop",
    b"2026-02-30",
    b"+1",
];

thread_local! {
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A target with the inputs of its corpus.
type Corpus = (&'static Target, Vec<Vec<u8>>);

/// Tries every input of every corpus, then changed ones.
///
/// # Errors
///
/// A corpus that cannot be read.
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let corpora = TARGETS.iter().map(|target| corpus(&folder, target)).collect::<Result<Vec<_>, _>>()?;
    let seeds = order.seeds(CHANGED.0, CHANGED.1);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|panic| SAID.with_borrow_mut(|said| *said = panic.to_string())));
    let mut proof = Proof { unit: "inputs", seeds: Some(seeds.clone()), ..Proof::default() };
    proof.violations.extend(corpora.iter().filter_map(lack));
    for (target, inputs) in &corpora {
        for input in inputs {
            proof.absorb(tried(target, input, || "as it is".to_owned()));
        }
    }
    proof.absorb(spread(seeds, |seed| {
        let mut random = SmallRng::seed_from_u64(seed);
        let (target, inputs) = corpora.choose(&mut random).expect("there are targets");
        tried(target, &changed(inputs, &mut random), || format!("seed {seed}"))
    }));
    panic::set_hook(hook);
    Ok(proof)
}

/// The inputs of a target; none if it has no corpus.
fn corpus(folder: &Path, target: &'static Target) -> Result<Corpus, Failure> {
    let files = match fs::read_dir(folder.join(target.name)) {
        Ok(files) => files.collect::<Result<Vec<_>, _>>()?,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut paths: Vec<_> = files.into_iter().map(|file| file.path()).collect();
    paths.sort();
    Ok((target, paths.iter().map(fs::read).collect::<Result<_, _>>()?))
}

/// What is wrong with a corpus without inputs: what is changed at random of nothing hardly gets past the first byte.
fn lack((target, inputs): &Corpus) -> Option<Violation> {
    let violation = || Violation { at: target.name.to_owned(), what: "its corpus has no input".to_owned() };
    inputs.is_empty().then(violation)
}

fn tried(target: &Target, input: &[u8], which: impl Fn() -> String) -> Proof {
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let violation = ended.err().map(|_| {
        let said = SAID.with_borrow(Clone::clone);
        let what = format!("{said}; the input is \"{}\"", input.escape_ascii());
        Violation { at: format!("{}, {}", target.name, which()), what }
    });
    Proof {
        count: 1,
        fired: [(target.name, 1)].into(),
        violations: violation.into_iter().collect(),
        ..Proof::default()
    }
}

/// An input of the corpus with some changes.
fn changed(corpus: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let mut input = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..=CHANGES_MAX) {
        let at = random.random_range(0..=input.len());
        let len = random.random_range(0..=(input.len() - at).min(16));
        match random.random_range(0..6) {
            0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            1 => drop(input.drain(at..at + len)),
            2 => input.insert(at, random.random()),
            3 => {
                let token = TOKENS.choose(random).copied().unwrap_or_default();
                drop(input.splice(at..at, token.iter().copied()));
            }
            4 => {
                let again = input[at..at + len].to_vec();
                drop(input.splice(at..at, again));
            }
            _ => {
                let other = corpus.choose(random).cloned().unwrap_or_default();
                let from = random.random_range(0..=other.len());
                drop(input.splice(at.., other[from..].iter().copied()));
            }
        }
        input.truncate(BYTES_MAX);
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_inputs_is_wrong() {
        let target = &TARGETS[0];
        let folder = tempfile::tempdir().unwrap();
        assert!(lack(&corpus(folder.path(), target).unwrap()).is_some(), "no corpus");
        let own = folder.path().join(target.name);
        fs::create_dir(&own).unwrap();
        assert!(lack(&corpus(folder.path(), target).unwrap()).is_some(), "an empty corpus");
        fs::write(own.join("input"), "").unwrap();
        assert!(lack(&corpus(folder.path(), target).unwrap()).is_none());
    }
}
