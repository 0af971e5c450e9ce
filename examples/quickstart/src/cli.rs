//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use reminderly_core::domain::contact_method::ContactMethod;

use crate::bundle;
use crate::data_argument::{DataArgument, instant};
use crate::failure::Failure;
use crate::scenario::{Mode, Scenario};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// A text: help or version.
    Show(String),
    /// What a campaign makes of a reply.
    Reply(Question),
    /// A run, and what is logged of it.
    Carry { scenario: Box<Scenario>, log: Option<String> },
}

/// Reads the command line and what it names.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Invocation, Failure> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Invocation::Show(error.to_string()));
        }
        Err(error) => return Err(Failure::usage(one_line(&error))),
    };
    let scenario = match cli.command {
        None => bundle::scenario(cli.out)?,
        Some(Command::Run(inputs)) => Scenario::read(Mode::Run, inputs)?,
        Some(Command::Plan(inputs)) => Scenario::read(Mode::Plan, inputs)?,
        Some(Command::Reply(question)) => return Ok(Invocation::Reply(question)),
    };
    Ok(Invocation::Carry { scenario: Box::new(scenario), log: cli.log })
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
