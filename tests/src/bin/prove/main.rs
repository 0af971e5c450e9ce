//! Tries what the promises rest on, and prints one line for each kind. See `docs/proof.md`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_tests::prove::{Extent, Failure, KINDS, Kind, Order, Proof, Violation};
use reminderly_tests::table::{Table, grouped};

/// How many violations of a kind are printed.
const SHOWN: usize = 20;

/// Tries what the promises rest on. Ends with 1 if anything is wrong.
#[derive(Parser)]
#[command(name = "prove", max_term_width = 110)]
struct Arguments {
    /// How much of everything is tried.
    extent: Choice,
    /// Only these kinds; all of them if none is named.
    kinds: Vec<String>,
    /// The first seed.
    #[arg(long, env = "SEED", default_value_t = 0)]
    seed: u64,
    /// How much is tried, whatever the extent says.
    #[arg(long)]
    count: Option<u64>,
    /// Lists the kinds and does nothing.
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Short,
    Long,
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let kinds = chosen(&arguments.kinds)?;
    if arguments.list {
        for kind in kinds {
            println!("{:<14} {}", kind.name, kind.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let extent = match arguments.extent {
        Choice::Short => Extent::Short,
        Choice::Long => Extent::Long,
    };
    let order = Order { extent, first_seed: arguments.seed, count: arguments.count };
    let clock = SystemClock::new();
    let mut table = Table::new(["kind", "tried", "of what", "violations", "seeds", "seconds"]);
    let mut is_well = true;
    for kind in kinds {
        eprintln!("{}: {}", kind.name, kind.about);
        let start = clock.monotonic();
        let proof = tried(kind, &order);
        let seconds = clock.monotonic().since(start).as_secs();
        is_well &= show(kind, &proof);
        let seeds = proof.seeds.as_ref();
        table.add([
            kind.name.to_owned(),
            grouped(proof.count),
            proof.unit.to_owned(),
            proof.wrong().len().to_string(),
            seeds.map_or_else(|| "-".to_owned(), |seeds| format!("{} to {}", seeds.start, seeds.end)),
            seconds.to_string(),
        ]);
    }
    table.print();
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<&'static Kind>, Failure> {
    let find = |name: &String| {
        let known = || KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        KINDS
            .iter()
            .find(|kind| kind.name == name)
            .ok_or_else(|| Failure::from(format!("there is no kind '{name}'; there are: {}", known())))
    };
    if names.is_empty() { Ok(KINDS.iter().collect()) } else { names.iter().map(find).collect() }
}

/// The proof; one that panics, or cannot be tried, has shown that something is wrong.
fn tried(kind: &Kind, order: &Order) -> Proof {
    let ended = catch_unwind(AssertUnwindSafe(|| (kind.run)(order)));
    let what = match ended {
        Ok(Ok(proof)) => return proof,
        Ok(Err(failure)) => failure.to_string(),
        Err(_) => "it panicked; the message stands above".to_owned(),
    };
    let violations = vec![Violation { at: kind.name.to_owned(), what }];
    Proof { violations, ..Proof::default() }
}

/// Prints what is behind a line; whether nothing is wrong.
fn show(kind: &Kind, proof: &Proof) -> bool {
    for (what, times) in &proof.fired {
        eprintln!("  {what}: {}", grouped(*times));
    }
    let wrong = proof.wrong();
    for violation in wrong.iter().take(SHOWN) {
        println!("{}: {}: {}", kind.name, violation.at, violation.what);
    }
    wrong.is_empty()
}
