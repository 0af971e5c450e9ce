//! The main job of reminderly, in memory and under a virtual clock: from a data file to answered reminders, days in seconds.
//!
//! The reader's path through this example is the path of a host that embeds the library:
//!
//! - [`host`] chooses adapters for the ports and composes the services' worker;
//! - [`office`] makes a company, a user with a role, and the campaign: everything is done in that user's name;
//! - [`intake`] turns data files into packets of mapped and planned messages;
//! - [`simulation`] stands in for a runtime and for time; a real host has `tokio` and the system's clock instead;
//! - [`campaign_run`] plays the outside world: files arrive, the provider calls back, time passes;
//! - [`results`] and [`report`] show what came of it.
//!
//! Beside the run, [`sample_check`] checks a campaign and a sample of its data, [`explanation`] tells why a message of a run was
//! sent or not, and [`reply`] what a campaign makes of one reply. [`bundle`] has campaigns to look at.

mod arguments;
mod bundle;
mod campaign_run;
mod check_report;
mod cli;
mod data_argument;
mod explanation;
mod failure;
mod host;
mod intake;
mod office;
mod outcome;
mod prices;
mod progress;
mod reply;
mod report;
mod results;
mod sample_check;
mod scenario;
mod simulation;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::campaign_run::CampaignRun;
use crate::cli::{Errand, Invocation, Task};
use crate::failure::Failure;
use crate::results::ResultFiles;
use crate::scenario::Scenario;

fn main() -> ExitCode {
    match cli::read(std::env::args_os()).and_then(|invocation| carry_out(&invocation)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn carry_out(invocation: &Invocation) -> Result<ExitCode, Failure> {
    if let Some(filter) = &invocation.log {
        start_log(filter)?;
    }
    let is_good = match &invocation.task {
        Task::Show(text) => {
            say(text);
            true
        }
        Task::Carry(errands) => carry_out_campaigns(errands)?,
        Task::Check { scenario, prices } => {
            let report = sample_check::carry_out(scenario)?;
            say(&check_report::of(scenario, &report, prices));
            report.is_usable()
        }
        Task::Reply(question) => {
            say(&reply::answer(question)?);
            true
        }
        Task::Explain { directory, message } => {
            say(&explanation::of(directory, *message)?);
            true
        }
    };
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs or plans campaigns, one after the other; answers whether all went well. One that goes wrong does not keep the next from
/// running.
fn carry_out_campaigns(errands: &[Errand]) -> Result<bool, Failure> {
    let mut is_good = true;
    for (position, Errand { scenario, out }) in errands.iter().enumerate() {
        if position > 0 {
            say("\n");
        }
        is_good &= carry_out_campaign(scenario, out)?;
    }
    Ok(is_good)
}

/// Runs or plans a campaign; answers whether all went well.
fn carry_out_campaign(scenario: &Scenario, out: &Path) -> Result<bool, Failure> {
    let mut run = CampaignRun::new(scenario)?;
    let files = ResultFiles::of(scenario, out)?;
    let outcome = run.carry_out()?;
    let totals = run.write(&files, &outcome)?;
    say(&format!("{}\n{}\n", report::of(scenario, run.campaign(), &outcome, totals), files.list()));
    Ok(outcome.is_whole() && outcome.is_accounted_for())
}

/// Prints; whoever closed the pipe has read enough, and the results are in their files.
fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).ok();
}

/// Logs go to stderr, without wall-clock times: those of a virtual run would mean nothing.
fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("--log {filter:?} is no filter: {error}")))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    Ok(())
}
