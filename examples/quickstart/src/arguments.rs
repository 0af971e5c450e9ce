//! What follows each command.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::MessageId;

use crate::bundle::Bundled;
use crate::data_argument::{DataArgument, instant};
use crate::prices::Price;

/// Which of the bundled campaigns run.
#[derive(Debug, Args)]
pub(crate) struct BundledInputs {
    /// doctor, internet, school or showings, or all; without it they are listed
    #[arg(value_name = "NAME", value_parser = choice)]
    pub(crate) name: Option<Choice>,

    /// Where the results go; made if it does not exist. Those of all go into a directory each
    #[arg(long, value_name = "DIR", default_value = "reminderly-quickstart")]
    pub(crate) out: PathBuf,
}

/// One of the bundled campaigns, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    One(Bundled),
    /// Each, one after the other.
    All,
}

/// What is checked.
#[derive(Debug, Args)]
pub(crate) struct CheckInputs {
    /// The campaign document, JSON
    #[arg(long, value_name = "C.json")]
    pub(crate) campaign: PathBuf,

    /// A data file: the sample
    #[arg(long, value_name = "D.csv")]
    pub(crate) data: PathBuf,

    /// The instant of planning, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) start: Option<DateTime<Utc>>,

    /// What a text message segment, an e-mail or a call costs, such as sms=0.0083. May be repeated
    #[arg(long, value_name = "METHOD=AMOUNT")]
    pub(crate) price: Vec<Price>,
}

/// What is explained.
#[derive(Debug, Args)]
pub(crate) struct ExplainInputs {
    /// The directory of the results of a run or plan
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// The message, as messages.csv names it
    #[arg(long, value_name = "ID", value_parser = message)]
    pub(crate) message: MessageId,
}

fn message(text: &str) -> Result<MessageId, String> {
    text.parse().map_err(|_| "expected a message id as messages.csv has them".to_owned())
}

/// A reply, and whom it is written to.
#[derive(Debug, Args)]
pub(crate) struct Question {
    /// The campaign document, JSON
    #[arg(long, value_name = "C.json")]
    pub(crate) campaign: PathBuf,

    /// How the reply comes
    #[arg(long, value_name = "METHOD", value_parser = method)]
    pub(crate) method: ContactMethod,

    /// What the person writes; several words are joined by spaces
    #[arg(value_name = "TEXT", required = true, last = true)]
    pub(crate) text: Vec<String>,
}

/// What a run is made from, as the command line names it.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// The campaign document, JSON
    #[arg(long, value_name = "C.json")]
    pub(crate) campaign: PathBuf,

    /// A data file, CSV; with @TIME it arrives then (RFC 3339), otherwise at the start. May be repeated
    #[arg(long, value_name = "D.csv[@TIME]", required = true)]
    pub(crate) data: Vec<DataArgument>,

    /// Where the results go; made if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// When the virtual clock starts, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) start: Option<DateTime<Utc>>,

    /// When the run is cut off, RFC 3339 [default: when nothing is open and nobody will answer any more]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<DateTime<Utc>>,

    /// Decides ids and what the sandbox's mixes pick: the same inputs, start and seed give the same files, byte for byte
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Who behaves how, JSON [default: every message is delivered, nobody answers]
    #[arg(long, value_name = "S.json")]
    pub(crate) sandbox: Option<PathBuf>,
}

fn method(name: &str) -> Result<ContactMethod, String> {
    let known = ContactMethod::ALL.into_iter().find(|method| method.as_str() == name);
    known.ok_or_else(|| "expected sms, email or phone".to_owned())
}

fn choice(name: &str) -> Result<Choice, String> {
    if name == "all" {
        return Ok(Choice::All);
    }
    let known = Bundled::ALL.into_iter().find(|bundled| bundled.name() == name);
    known.map(Choice::One).ok_or_else(|| "expected doctor, internet, school, showings or all".to_owned())
}
