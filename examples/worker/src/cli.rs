//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Parser;

/// Sends reminders for the companies of a configuration until it is told to stop: files that arrive in a campaign's inbox become
/// packets, their messages are planned, sent through the sandbox and answered. Storage is MySQL or MariaDB.
///
/// It may be killed at any time. Started again it goes on: nothing is lost, and nothing is sent twice.
#[derive(Debug, Parser)]
#[command(name = "worker", version, after_help = AFTER)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "worker.toml")]
    pub(crate) config: PathBuf,

    /// Make the database and its tables, store the companies and campaigns of the configuration, and end. May be repeated: after a new
    /// release, or when the configuration has changed
    #[arg(long, conflicts_with = "status")]
    pub(crate) init: bool,

    /// Show how far every packet is, and end; with code 1 if the ledger does not close
    #[arg(long)]
    pub(crate) status: bool,

    /// Bring the log of a day back from the files of the archive into the database, for a look, and end. Workers with an archive take it
    /// out again within the hour
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with_all = ["init", "status"])]
    reload_log: Option<NaiveDate>,

    /// Bring a month back from the files of the archive, of all campaigns, likewise
    #[arg(long, value_name = "YYYY-MM", value_parser = month, conflicts_with_all = ["init", "status", "reload_log"])]
    reload_month: Option<NaiveDate>,

    /// Log to stderr what the filter lets through
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
}

/// What is to be brought back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reload {
    /// The log of a day.
    Log(NaiveDate),
    /// The month that has this day.
    Month(NaiveDate),
}

impl Arguments {
    pub(crate) fn reload(&self) -> Option<Reload> {
        self.reload_log.map(Reload::Log).or(self.reload_month.map(Reload::Month))
    }
}

/// The first day of a month.
fn month(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").map_err(|_| "for example 2026-05".to_owned())
}

const AFTER: &str = "\
Environment:
  REMINDERLY_DATABASE_URL       mysql://user@host:port/database; goes before url in the configuration
  REMINDERLY_DATABASE_PASSWORD  goes before a password in the URL

Signals:
  SIGTERM, SIGINT  end what is in hand, then the process; a second one ends it at once

The directory examples/worker/data has a configuration to begin with.";
