//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::MessageId;

use crate::bundle;
use crate::data_argument::{DataArgument, instant};
use crate::failure::Failure;
use crate::prices::{Price, Prices};
use crate::scenario::{Mode, Scenario};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) task: Task,
    /// What is logged.
    pub(crate) log: Option<String>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// A text: help or version.
    Show(String),
    /// A campaign is run or planned.
    Carry { scenario: Box<Scenario>, out: PathBuf },
    /// A campaign and a sample of its data are checked.
    Check { scenario: Box<Scenario>, prices: Prices },
    /// What a campaign makes of a reply.
    Reply(Question),
    /// The decisions on a message are shown.
    Explain { directory: PathBuf, message: MessageId },
}

/// Reads the command line and what it names.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Invocation, Failure> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Invocation { task: Task::Show(error.to_string()), log: None });
        }
        Err(error) => return Err(Failure::usage(one_line(&error))),
    };
    let carry = |scenario, out| Task::Carry { scenario: Box::new(scenario), out };
    let task = match cli.command {
        None => carry(bundle::scenario()?, cli.out),
        Some(Command::Run(inputs)) => carry(Scenario::read(Mode::Run, &inputs)?, inputs.out),
        Some(Command::Plan(inputs)) => carry(Scenario::read(Mode::Plan, &inputs)?, inputs.out),
        Some(Command::Check(inputs)) => Task::Check {
            scenario: Box::new(Scenario::to_check(&inputs)?),
            prices: inputs.price.iter().fold(Prices::default(), |prices, price| prices.with(*price)),
        },
        Some(Command::Explain(inputs)) => Task::Explain { directory: inputs.out, message: inputs.message },
        Some(Command::Reply(question)) => Task::Reply(question),
    };
    Ok(Invocation { task, log: cli.log })
}

/// Appointment reminders from a data file to the answers, in memory and under a virtual clock: days pass in seconds, nothing
/// leaves this machine.
///
/// Without a command it runs Dr Smith's campaign, which is built in: two weeks of appointments, about 2,000 rows.
#[derive(Debug, Parser)]
#[command(
    name = "quickstart",
    version,
    after_long_help = include_str!("help.txt"),
    after_help = "Formats of the files, the sandbox script and examples: quickstart --help",
    args_conflicts_with_subcommands = true,
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Where the results go; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = "reminderly-quickstart")]
    out: PathBuf,

    /// Log to stderr what the filter lets through, such as "info", or "trace" for everything
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a campaign on data files: everything is sent through the sandbox, reports and replies come back
    #[command(after_long_help = include_str!("help.txt"))]
    Run(Inputs),
    /// Shows what would be sent, when, by which method, and why not; sends nothing. It is the planner of `run`
    #[command(after_long_help = include_str!("help.txt"))]
    Plan(Inputs),
    /// Tells what a campaign makes of a reply: the kind alone on the first line, then why. Sends and stores nothing
    #[command(after_long_help = include_str!("reply_help.txt"))]
    Reply(Question),
    /// Says what is wrong or unwise about a campaign and a sample of its data; sends and writes nothing
    #[command(after_long_help = include_str!("help.txt"))]
    Check(CheckInputs),
    /// Shows why a message of an earlier run was sent, why not, and why then
    #[command(after_long_help = include_str!("help.txt"))]
    Explain(ExplainInputs),
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

/// What is wrong, without the usage that clap appends.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let message = text.split("\n\n").next().unwrap_or(&text);
    let message = message.strip_prefix("error: ").unwrap_or(message);
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
