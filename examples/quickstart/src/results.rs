//! The files that a run leaves behind.

mod accepted;
mod csv_file;
mod decisions;
mod json_file;
mod messages;
mod rejected;
mod summary;

use std::fs;
use std::path::Path;

use reminderly_core::domain::access::{Action, CompanyScope};
use reminderly_core::ids::PacketId;

use crate::failure::Failure;
use crate::host::Host;
use crate::office::Office;
use crate::outcome::Outcome;
use crate::scenario::Scenario;

pub(crate) use messages::Totals;

/// Rows and messages that are read at a time: results of any size need the same memory.
const PAGE: usize = 1_000;

const MESSAGES: &str = "messages.csv";
const REJECTED: &str = "rejected.csv";
const ACCEPTED: &str = "accepted.csv";
pub(crate) const DECISIONS: &str = "decisions.jsonl";
const SUMMARY: &str = "summary.json";

/// The files that are written.
pub(crate) const NAMES: [&str; 5] = [MESSAGES, REJECTED, ACCEPTED, DECISIONS, SUMMARY];

/// The files that a run leaves behind.
#[derive(Debug)]
pub(crate) struct ResultFiles<'a> {
    scenario: &'a Scenario,
    directory: &'a Path,
}

/// What the files are written from.
struct View<'a> {
    scenario: &'a Scenario,
    host: &'a Host,
    /// The user's, to look at messages.
    scope: CompanyScope,
    outcome: &'a Outcome,
}

impl<'a> ResultFiles<'a> {
    /// Makes the directory now, so that nobody waits for results that have no place.
    pub(crate) fn of(scenario: &'a Scenario, directory: &'a Path) -> Result<Self, Failure> {
        fs::create_dir_all(directory).map_err(|error| Failure::unwritable(directory, &error))?;
        Ok(Self { scenario, directory })
    }

    /// Writes every file.
    pub(crate) async fn write(
        &self,
        host: &Host,
        office: &Office,
        outcome: &Outcome,
    ) -> Result<Totals, Failure> {
        let Self { scenario, directory } = self;
        let path = |name: &str| directory.join(name);
        let scope = office.scope(Action::ViewMessages).await?;
        let view = View { scenario, host, scope, outcome };
        let totals = messages::write(&view, path(MESSAGES)).await?;
        rejected::write(&view, path(REJECTED)).await?;
        accepted::write(&view, path(ACCEPTED))?;
        decisions::write(&view, path(DECISIONS)).await?;
        summary::write(&view, totals, path(SUMMARY))?;
        Ok(totals)
    }

    /// Which files there are and where, for people.
    pub(crate) fn list(&self) -> String {
        let names = NAMES.join(", ");
        format!("{names} in {}", self.directory.display())
    }
}

impl View<'_> {
    /// Every packet: those of files first.
    fn packets(&self) -> impl Iterator<Item = PacketId> {
        self.outcome.packets.iter().map(|packet| packet.report.packet)
    }
}
