//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use reminderly_core::ids::MessageId;

use crate::arguments::{BundledInputs, CheckInputs, Choice, ExplainInputs, Inputs, Question};
use crate::bundle::{self, Bundled};
use crate::failure::Failure;
use crate::prices::Prices;
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
    /// A text: help, version or a list.
    Show(String),
    /// Campaigns are run or planned, one after the other.
    Carry(Vec<Errand>),
    /// A campaign and a sample of its data are checked.
    Check { scenario: Box<Scenario>, prices: Prices },
    /// What a campaign makes of a reply.
    Reply(Question),
    /// The decisions on a message are shown.
    Explain { directory: PathBuf, message: MessageId },
}

/// A campaign that is run or planned, and where its results go.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) scenario: Scenario,
    pub(crate) out: PathBuf,
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
    let carry = |scenario, out| Task::Carry(vec![Errand { scenario, out }]);
    let task = match cli.command {
        None => carry(Bundled::Doctor.scenario()?, cli.out),
        Some(Command::Run(inputs)) => carry(Scenario::read(Mode::Run, &inputs)?, inputs.out),
        Some(Command::Plan(inputs)) => carry(Scenario::read(Mode::Plan, &inputs)?, inputs.out),
        Some(Command::Bundled(inputs)) => bundled(inputs)?,
        Some(Command::Check(inputs)) => Task::Check {
            scenario: Box::new(Scenario::to_check(&inputs)?),
            prices: inputs.price.iter().fold(Prices::default(), |prices, price| prices.with(*price)),
        },
        Some(Command::Explain(inputs)) => Task::Explain { directory: inputs.out, message: inputs.message },
        Some(Command::Reply(question)) => Task::Reply(question),
    };
    Ok(Invocation { task, log: cli.log })
}

fn bundled(inputs: BundledInputs) -> Result<Task, Failure> {
    let BundledInputs { name, out } = inputs;
    let errand = |bundled: Bundled, out: PathBuf| Ok(Errand { scenario: bundled.scenario()?, out });
    Ok(match name {
        None => Task::Show(bundle::list()),
        Some(Choice::One(bundled)) => Task::Carry(vec![errand(bundled, out)?]),
        Some(Choice::All) => {
            let each = Bundled::ALL.into_iter().map(|bundled| errand(bundled, out.join(bundled.name())));
            Task::Carry(each.collect::<Result<_, Failure>>()?)
        }
    })
}

/// Appointment reminders from a data file to the answers, in memory and under a virtual clock: days pass in seconds, nothing
/// leaves this machine.
///
/// Without a command it runs Dr Smith's campaign, which is built in: two weeks of appointments, about 2,000 rows, and a second
/// file two days later in which appointments have moved, vanished and appeared. There are three more: quickstart bundled.
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
    /// Runs a campaign that is built in, or all of them; without a name it lists them
    #[command(after_long_help = include_str!("help.txt"))]
    Bundled(BundledInputs),
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

/// What is wrong, without the usage that clap appends.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let message = text.split("\n\n").next().unwrap_or(&text);
    let message = message.strip_prefix("error: ").unwrap_or(message);
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
