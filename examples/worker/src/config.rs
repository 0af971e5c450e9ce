//! The configuration: a file, and secrets from the environment.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reminderly_core::ids::CompanyId;
use reminderly_mysql::MySqlConfig;
use serde::{Deserialize, Deserializer};

use crate::failure::Failure;

/// Goes before `url` in the file.
const URL: &str = "REMINDERLY_DATABASE_URL";
/// Goes before a password in either.
const PASSWORD: &str = "REMINDERLY_DATABASE_PASSWORD";

/// What is sooner keeps the database busy with nothing, what is later makes people wait.
const PACE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// What the program works with. It shows no secret: those are in `database`, which keeps them to itself.
#[derive(Debug)]
pub(crate) struct Config {
    /// The beginning of the names of queues.
    pub(crate) deployment: String,
    pub(crate) database: MySqlConfig,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) sandbox: SandboxFiles,
    pub(crate) pace: Pace,
    pub(crate) archive: Option<Archive>,
    pub(crate) companies: Vec<CompanyEntry>,
}

/// Where goes what is old.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    /// Of this database alone, and the same for all processes that work on it.
    pub(crate) folder: PathBuf,
    /// The logs of so many days before today's stay in the database.
    #[serde(default = "ninety")]
    pub(crate) keep_logs_days: u16,
    /// What ended in so many months before the running one stays, too.
    #[serde(default = "thirteen")]
    pub(crate) keep_months: u16,
}

const fn ninety() -> u16 {
    90
}

const fn thirteen() -> u16 {
    13
}

/// The sandbox that stands for all providers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SandboxFiles {
    /// What it has accepted.
    pub(crate) journal: PathBuf,
    /// How contact points behave; without it every one delivers.
    pub(crate) script: Option<PathBuf>,
    /// How long after an answer should have come a request without one is surely dead.
    #[serde(rename = "quiet_after_seconds", default, deserialize_with = "some_seconds")]
    pub(crate) quiet_after: Option<Duration>,
}

/// How patient the program is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Pace {
    /// How often it looks around when nothing is known to be due.
    #[serde(rename = "tick_seconds", deserialize_with = "seconds")]
    pub(crate) tick: Duration,
    /// After this time a copy in a queue is presumed lost: those of queues in memory are when the process ends.
    #[serde(rename = "copy_lifetime_seconds", deserialize_with = "seconds")]
    pub(crate) copy_lifetime: Duration,
    /// How long after a provider should have answered it counts as silent.
    #[serde(rename = "claim_margin_seconds", deserialize_with = "seconds")]
    pub(crate) claim_margin: Duration,
}

impl Pace {
    fn check(self, path: &Path) -> Result<(), Failure> {
        let fields = [
            ("tick_seconds", self.tick),
            ("copy_lifetime_seconds", self.copy_lifetime),
            ("claim_margin_seconds", self.claim_margin),
        ];
        match fields.into_iter().find(|(_, value)| !PACE.contains(value)) {
            None => Ok(()),
            Some((name, _)) => {
                let (least, most) = (PACE.start().as_secs(), PACE.end().as_secs());
                let path = path.display();
                Err(Failure::new(format!("{path}: {name} under [pace] is to be from {least} to {most}")))
            }
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        let (tick, copy_lifetime) = (Duration::from_secs(20), Duration::from_mins(2));
        Self { tick, copy_lifetime, claim_margin: Duration::from_secs(30) }
    }
}

/// A company for which the program works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanyEntry {
    /// Chosen once, and never changed.
    pub(crate) id: CompanyId,
    pub(crate) name: String,
    pub(crate) campaigns: Vec<CampaignEntry>,
}

/// A campaign, and where its files arrive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignEntry {
    pub(crate) document: PathBuf,
    pub(crate) inbox: PathBuf,
}

/// The file as it is written. Not `Debug`: a URL may have a password in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    deployment: String,
    database: WrittenDatabase,
    metrics: Option<WrittenMetrics>,
    sandbox: SandboxFiles,
    #[serde(default)]
    pace: Pace,
    archive: Option<Archive>,
    companies: Vec<CompanyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDatabase {
    url: Option<String>,
    connections_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMetrics {
    listen: SocketAddr,
}

impl Config {
    /// Reads the file. Paths in it are relative to where it stands.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let what = format!("the configuration {} cannot be read", path.display());
        let text = fs::read_to_string(path).map_err(|error| Failure::because(&what, &error))?;
        let written: Written = toml::from_str(&text).map_err(|error| unreadable(path, &text, &error))?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let Written { deployment, database, metrics, mut sandbox, pace, archive, mut companies } = written;
        sandbox.journal = beside.join(&sandbox.journal);
        sandbox.script = sandbox.script.map(|script| beside.join(script));
        let archive = archive.map(|archive| Archive { folder: beside.join(&archive.folder), ..archive });
        pace.check(path)?;
        let (mut ids, mut inboxes) = (HashSet::new(), HashSet::new());
        for company in &mut companies {
            if !ids.insert(company.id) {
                return Err(Failure::new(format!(
                    "{}: two companies have the id {}",
                    path.display(),
                    company.id
                )));
            }
            for campaign in &mut company.campaigns {
                campaign.document = beside.join(&campaign.document);
                campaign.inbox = beside.join(&campaign.inbox);
                if !inboxes.insert(campaign.inbox.clone()) {
                    let inbox = campaign.inbox.display();
                    return Err(Failure::new(format!(
                        "{}: two campaigns have the inbox {inbox}",
                        path.display()
                    )));
                }
            }
        }
        let database = database.of_environment(path)?;
        Ok(Self {
            deployment,
            database,
            metrics: metrics.map(|metrics| metrics.listen),
            sandbox,
            pace,
            archive,
            companies,
        })
    }
}

impl WrittenDatabase {
    fn of_environment(self, path: &Path) -> Result<MySqlConfig, Failure> {
        let missing = || {
            let path = path.display();
            Failure::new(format!("no database: set {URL}, or url under [database] in {path}"))
        };
        let url = secret(URL)?.or(self.url).ok_or_else(missing)?;
        let what = format!("the database's URL, of {URL} or {}", path.display());
        let config = MySqlConfig::from_url(&url).map_err(|error| Failure::because(&what, &error))?;
        let config = match secret(PASSWORD)? {
            Some(password) => config.with_password(&password),
            None => config,
        };
        Ok(match self.connections_max {
            Some(connections_max) => config.with_connections_max(connections_max),
            None => config,
        })
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn some_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    seconds(deserializer).map(Some)
}

fn secret(variable: &str) -> Result<Option<String>, Failure> {
    match env::var(variable) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        // What it holds is not shown.
        Err(env::VarError::NotUnicode(_)) => Err(Failure::new(format!("{variable} is not UTF-8"))),
    }
}

/// Where and what, but neither the line nor the value: there may be a password in it.
fn unreadable(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map_or(String::new(), |before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!(":{line}:{column}")
    });
    let message = match error.message().rsplit_once(", expected ") {
        Some((found, expected))
            if found.starts_with("invalid type") || found.starts_with("invalid value") =>
        {
            &format!("expected {expected}")
        }
        _ => error.message(),
    };
    Failure::new(format!("{}{place}: {message}", path.display()))
}
