//! Measures the large figures and prints each beside its goal. See `docs/performance.md`.

mod fairness;
mod growth;
mod on_demand;
mod pipeline;
mod send;
mod whole;

use clap::{Parser, Subcommand};
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::example::Methods;

use reminderly_tests::report::{Failure, Report};

/// Measures the large figures; each is the median of three runs unless said otherwise. Build with --release.
#[derive(Parser)]
#[command(name = "figures", max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    figure: Figure,
    /// Runs of each measurement; the median counts.
    #[arg(long, global = true, default_value_t = 3)]
    runs: usize,
}

#[derive(Subcommand)]
enum Figure {
    /// Rows ingested, mapped, planned and rendered on one thread, with a store that discards them.
    Pipeline {
        /// Rows of the file.
        #[arg(long, default_value_t = 1_000_000)]
        rows: u64,
    },
    /// Peak memory of the same for a large file, which is generated as it is read. Once.
    Memory {
        /// Size of the file, MiB.
        #[arg(long, default_value_t = 2_048)]
        mib: u64,
    },
    /// Messages through feed, claim, sandbox, settle and ack on memory adapters, on two threads.
    Send {
        /// Messages in all.
        #[arg(long, default_value_t = 400_000)]
        messages: usize,
        /// Packets that they are spread over.
        #[arg(long, default_value_t = 8)]
        packets: usize,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// A file, from its first byte to the last report about its messages, on memory adapters and one thread. Once.
    Whole {
        /// Rows of the file.
        #[arg(long, default_value_t = 490_200)]
        rows: u64,
    },
    /// How long a small company waits beside a large one that uses the same account; the worst run counts.
    Fairness {
        /// Messages of the large company.
        #[arg(long, default_value_t = 500_000)]
        messages: usize,
    },
    /// Cost per message of planning, feeding and sending as messages and packets grow, on one thread.
    Growth {
        /// The smaller and the larger number of messages.
        #[arg(long, num_args = 2, default_values_t = [10_000, 1_000_000])]
        messages: Vec<usize>,
        /// How many packets the messages are spread over at most.
        #[arg(long, default_value_t = 5_000)]
        packets: usize,
    },
    /// One-liners from the call to their acceptance, each in a packet with a queue and a poller of its own, on one thread.
    OnDemand {
        /// The smaller and the larger number of calls.
        #[arg(long, num_args = 2, default_values_t = [500, 5_000])]
        calls: Vec<usize>,
    },
}

fn main() -> Result<(), Failure> {
    let Arguments { figure, runs } = Arguments::parse();
    let mut report = Report::new();
    match figure {
        Figure::Pipeline { rows } => {
            for methods in [Methods::FirstAvailable, Methods::All] {
                pipeline::measure(&mut report, rows, methods, runs)?;
            }
        }
        Figure::Memory { mib } => pipeline::measure_memory(&mut report, mib << 20)?,
        Figure::Send { messages, packets, threads } => {
            for persona in [NamedPersona::Silent, NamedPersona::Delivers] {
                send::measure(&mut report, &send::Load { messages, packets, threads, persona }, runs)?;
            }
        }
        Figure::Whole { rows } => whole::measure(&mut report, rows)?,
        Figure::OnDemand { calls } => on_demand::measure(&mut report, &calls, runs)?,
        Figure::Fairness { messages } => fairness::measure(&mut report, messages, runs)?,
        Figure::Growth { messages, packets } => growth::measure(&mut report, &messages, packets, runs)?,
    }
    report.print();
    Ok(())
}
