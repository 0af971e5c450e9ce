//! What the promises of the README rest on: kinds of proof, each of which counts what it tried and lists what it found.
//!
//! `tests/prove short` runs all of them within minutes, `tests/prove long` until the published figures are reached.

mod corpora;
pub mod crashes;
mod dispositions;
mod files;
mod large_files;
mod limits;
mod model;
mod order;
mod proof;
pub mod replies;
pub mod simulation;
mod spread;
mod time;
mod traces;
pub mod variants;

pub use order::{Extent, Order};
pub use proof::{Proof, Violation};

use std::error::Error;

/// Whatever keeps a proof from being tried.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A kind of proof.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// What it would show to be wrong.
    pub about: &'static str,
    /// Tries it.
    pub run: fn(&Order) -> Result<Proof, Failure>,
}

/// Every kind, in the order of the table.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "model",
        about: "a state of the sending protocol in which P1, P2 or P4 is broken",
        run: model::run,
    },
    Kind {
        name: "traces",
        about: "a trace that the model and the product take differently",
        run: traces::run,
    },
    Kind {
        name: "time",
        about: "planning differs from a second implementation, on another library of time zones",
        run: time::run,
    },
    Kind {
        name: "limits",
        about: "a stretch of time has more requests than a limit allows",
        run: limits::run,
    },
    Kind {
        name: "dispositions",
        about: "the same reports give another result in another order",
        run: dispositions::run,
    },
    Kind {
        name: "replies",
        about: "a labelled reply that is misread, a revocation that is taken for a confirmation",
        run: replies::run,
    },
    Kind {
        name: "files",
        about: "a data file that is not told row by row, or not refused with its reason, as the documents say",
        run: files::run,
    },
    Kind {
        name: "large_files",
        about: "a file that is larger than memory and takes more than 64 MiB of it, or loses a row",
        run: large_files::run,
    },
    Kind {
        name: "corpora",
        about: "bytes of strangers that panic, or that something is made of which is not promised",
        run: corpora::run,
    },
    Kind {
        name: "simulation",
        about: "the services under every fault at once, judged by the provider's log",
        run: simulation::run,
    },
    Kind {
        name: "variants",
        about: "broken variants of the protocol, each of which the simulation must catch",
        run: variants::run,
    },
    Kind {
        name: "crashes",
        about: "every use case dropped at every poll, and again when it is tried again",
        run: crashes::run,
    },
];
