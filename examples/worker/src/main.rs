//! The main job of reminderly as a long-running process: storage on MySQL or MariaDB, queues in memory, the sandbox as provider.
//!
//! - [`config`] reads the configuration, and secrets from the environment;
//! - [`host`] chooses adapters for the ports;
//! - [`office`] stores companies, people and campaigns, and finds them again;
//! - [`sending`] runs the library's worker until the process is told to stop;
//! - [`endpoint`] is where the provider calls back;
//! - [`maintenance`] moves what has ended out of the way;
//! - [`status`] shows how far everything is.

mod cli;
mod config;
mod endpoint;
mod failure;
mod host;
mod maintenance;
mod office;
mod sending;
mod status;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use reminderly_core::clock::{Clock, SystemClock};
use reminderly_mysql::MySqlStore;
use tracing::info;

use crate::cli::{Arguments, Reload};
use crate::config::Config;
use crate::failure::Failure;
use crate::host::Host;
use crate::office::Office;
use crate::status::Status;

#[tokio::main]
async fn main() -> ExitCode {
    match carry_out(&Arguments::parse()).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(arguments: &Arguments) -> Result<ExitCode, Failure> {
    start_log(&arguments.log)?;
    let config = Config::read(&arguments.config)?;
    if arguments.init {
        init(&config).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.status {
        let host = Host::looking(&config).await?;
        let status = Status::of(&config, &host, &Office::new(&host.ports)).await?;
        host.store.close().await;
        // Whoever closed the pipe has read enough.
        std::io::stdout().write_all(status.text.as_bytes()).ok();
        return Ok(if status.closes { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Some(wanted) = arguments.reload() {
        reload(&config, wanted).await?;
        return Ok(ExitCode::SUCCESS);
    }
    sending::run(&config).await?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the schema, and stores what the configuration names.
async fn init(config: &Config) -> Result<(), Failure> {
    let made = MySqlStore::create_database(&config.database).await;
    let what = format!("the database {} cannot be made", config.database);
    made.map_err(|error| Failure::because(&what, &error))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store = host::connected(config, &clock).await?;
    store.migrate().await.map_err(|error| Failure::because("the tables cannot be made", &error))?;
    store.close().await;
    let host = Host::looking(config).await?;
    Office::new(&host.ports).set_up(config).await?;
    host.store.close().await;
    info!("the database is ready");
    Ok(())
}

/// Brings back what was taken into files.
async fn reload(config: &Config, wanted: Reload) -> Result<(), Failure> {
    let none = || Failure::new("no archive: set folder under [archive] in the configuration");
    let archive = config.archive.as_ref().ok_or_else(none)?;
    let host = Host::looking(config).await?;
    let offload = maintenance::offload(&host.store, &host.ports.clock, archive)?;
    let (what, outcome) = match wanted {
        Reload::Log(day) => (format!("the log of {day}"), offload.reload_log(day).await),
        Reload::Month(day) => {
            let rows = offload.reload_month(day).await.map(|reloaded| reloaded.rows);
            (format!("the month {}", day.format("%Y-%m")), rows)
        }
    };
    let failed = format!("{what} cannot be brought back");
    let rows = outcome.map_err(|error| Failure::because(&failed, &error))?;
    host.store.close().await;
    info!(rows, "{what} is in the database again");
    Ok(())
}

fn start_log(filter: &str) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| Failure::because(&format!("--log {filter:?} is no filter"), &error))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}
