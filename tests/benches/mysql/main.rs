//! What storing and sending cost on a database server, each beside the least that the same server needs for it.
//!
//! `tests/servers/bench` starts the servers and runs it; see `docs/performance.md`.

mod bare;
mod claims;
mod dispatch;
mod growth;
mod ingest;
mod site;

use clap::{Parser, Subcommand};
use reminderly_tests::report::{Failure, Report};

use site::Site;

/// Measures figures on a database server; each is the median of some runs, in turns with the run that it is compared with.
#[derive(Parser)]
#[command(name = "mysql", max_term_width = 110)]
struct Arguments {
    /// The server, `mysql://user:password@host:port/`. Databases are made on it, and dropped.
    #[arg(long, env = "REMINDERLY_BENCH_URL", hide_env_values = true)]
    url: String,
    /// The server's own client, as a command that reads statements: it loads files.
    #[arg(long, env = "REMINDERLY_BENCH_CLIENT", hide_env_values = true)]
    client: Option<String>,
    /// Runs of each measurement; the median counts.
    #[arg(long, global = true, default_value_t = 3)]
    runs: usize,
    /// Cargo says this to every bench.
    #[arg(long, global = true, hide = true)]
    bench: bool,
    #[command(subcommand)]
    figure: Figure,
}

#[derive(Subcommand)]
enum Figure {
    /// Claims and settlements through the store, beside bare inserts and bare updates.
    Claims {
        /// Messages of a run.
        #[arg(long, default_value_t = 40_000)]
        messages: usize,
        /// Messages of a claim.
        #[arg(long, default_value_t = 100)]
        batch: usize,
        /// Claims at the same time.
        #[arg(long, default_value_t = 4)]
        connections: usize,
    },
    /// Feed, claim, sandbox, settle and ack, with the queue in memory.
    Dispatch {
        /// Messages of a run.
        #[arg(long, default_value_t = 40_000)]
        messages: usize,
        /// Packets that they are spread over.
        #[arg(long, default_value_t = 8)]
        packets: usize,
    },
    /// What a message costs as there are more of them, and of packets; how long a claim takes among many packets. Once.
    Growth {
        /// Messages of a small run.
        #[arg(long, default_value_t = 10_000)]
        few: usize,
        /// Messages of a large one.
        #[arg(long, default_value_t = 1_000_000)]
        many: usize,
        /// Packets of a run with many.
        #[arg(long, default_value_t = 1_000)]
        packets: usize,
    },
    /// A file to messages that are planned, beside LOAD DATA of the same rows.
    Ingest {
        /// Rows of the file.
        #[arg(long, default_value_t = 100_000)]
        rows: u64,
    },
}

fn main() -> Result<(), Failure> {
    let Arguments { url, client, runs, figure, .. } = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report = Report::new();
    runtime.block_on(async {
        let site = Site::new(&url, client).await?;
        println!("{}", site.version);
        match figure {
            Figure::Claims { messages, batch, connections } => {
                let load = claims::Load { messages, batch, connections };
                claims::measure(&mut report, &site, &load, runs).await
            }
            Figure::Dispatch { messages, packets } => {
                dispatch::measure(&mut report, &site, messages, packets, runs).await
            }
            Figure::Growth { few, many, packets } => {
                growth::measure(&mut report, &site, &growth::Sizes { few, many, packets }).await
            }
            Figure::Ingest { rows } => ingest::measure(&mut report, &site, rows, runs).await,
        }
    })?;
    report.print();
    Ok(())
}
