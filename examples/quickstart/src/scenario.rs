//! What a run is made from: read and checked before anything is done.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::ports::source::PacketSource;
use reminderly_core::sources::DirectorySource;
use reminderly_providers::sandbox::SandboxScript;

use crate::arguments::{CheckInputs, Inputs};
use crate::data_argument::DataArgument;
use crate::failure::Failure;
use crate::results;

/// What a run is made from.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) mode: Mode,
    pub(crate) campaign: Document,
    /// In the order of arrival.
    pub(crate) data: Vec<DataFile>,
    pub(crate) script: SandboxScript,
    pub(crate) start: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) seed: u64,
}

/// Whether messages go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They do.
    Run,
    /// The campaign stays a draft: it takes data in and plans, and sends nothing.
    Plan,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Plan => "plan",
        }
    }
}

/// A text and the name of its file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A data file, where it is found, and when it arrives.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    pub(crate) source: Arc<dyn PacketSource>,
    /// Its name in the source.
    pub(crate) name: String,
    /// What people call it: its name, or its path if several files have that name.
    pub(crate) label: String,
    pub(crate) arrives: DateTime<Utc>,
}

impl Scenario {
    /// Reads what the command line names.
    pub(crate) fn read(mode: Mode, inputs: &Inputs) -> Result<Self, Failure> {
        let start = inputs.start.unwrap_or_else(now);
        if inputs.until.is_some_and(|until| until < start) {
            return Err(Failure::usage("--until lies before the start"));
        }
        let campaign = document("campaign", &inputs.campaign)?;
        let script = match &inputs.sandbox {
            Some(path) => script(&path.display().to_string(), &document("sandbox script", path)?.text)?,
            None => SandboxScript::default(),
        };
        let mut data = inputs
            .data
            .iter()
            .map(|argument| data_file(argument, start))
            .collect::<Result<Vec<DataFile>, Failure>>()?;
        tell_apart(&mut data, &inputs.data);
        data.sort_by_key(|file| file.arrives);
        if let Some(late) = data.iter().find(|file| inputs.until.is_some_and(|until| file.arrives > until)) {
            return Err(Failure::usage(format!("--data {} arrives after --until", late.label)));
        }
        let named = inputs.data.iter().map(|argument| &argument.path).chain([&inputs.campaign]);
        for path in named.chain(&inputs.sandbox) {
            keep_from_being_overwritten(path, &inputs.out)?;
        }
        Ok(Self { mode, campaign, data, script, start, until: inputs.until, seed: inputs.seed })
    }

    /// Reads what is to be checked: nothing is sent and nothing is written.
    pub(crate) fn to_check(inputs: &CheckInputs) -> Result<Self, Failure> {
        let start = inputs.start.unwrap_or_else(now);
        let sample = DataArgument { path: inputs.data.clone(), arrives: None };
        Ok(Self {
            mode: Mode::Plan,
            campaign: document("campaign", &inputs.campaign)?,
            data: vec![data_file(&sample, start)?],
            script: SandboxScript::default(),
            start,
            until: None,
            seed: 0,
        })
    }
}

fn now() -> DateTime<Utc> {
    SystemClock::new().now().trunc_subsecs(0)
}

/// Calls files of one name by the paths that were given.
fn tell_apart(data: &mut [DataFile], arguments: &[DataArgument]) {
    let names: Vec<String> = data.iter().map(|file| file.name.clone()).collect();
    for (file, argument) in data.iter_mut().zip(arguments) {
        if names.iter().filter(|name| **name == file.name).count() > 1 {
            file.label = argument.path.display().to_string();
        }
    }
}

/// The file that is meant when a time behind `@` does not read.
fn file_before_time(path: &Path) -> Option<PathBuf> {
    let (file, _) = path.to_str()?.rsplit_once('@')?;
    Path::new(file).is_file().then(|| file.into())
}

/// Results must not replace what they were made from.
fn keep_from_being_overwritten(input: &Path, out: &Path) -> Result<(), Failure> {
    let same_directory = match (fs::canonicalize(input), fs::canonicalize(out)) {
        (Ok(input), Ok(out)) => input.parent() == Some(&out),
        _ => false,
    };
    let is_result = input.file_name().is_some_and(|name| results::NAMES.iter().any(|result| name == *result));
    if same_directory && is_result {
        let text = format!("--out would overwrite {}: choose another directory", input.display());
        return Err(Failure::usage(text));
    }
    Ok(())
}

/// Reads a sandbox script.
pub(crate) fn script(name: &str, text: &str) -> Result<SandboxScript, Failure> {
    SandboxScript::parse(text).map_err(|error| Failure::work(format!("{name}: {error}")))
}

/// Reads a text file.
pub(crate) fn document(what: &str, path: &Path) -> Result<Document, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::unreadable(what, path, &error))?;
    Ok(Document { name: path.display().to_string(), text })
}

/// A file is read from its directory, chunk by chunk, when it arrives. That it can be read is checked now: a run of several
/// days should not end on the third because of a typing error.
fn data_file(argument: &DataArgument, start: DateTime<Utc>) -> Result<DataFile, Failure> {
    let path = &argument.path;
    let arrives = argument.arrives.unwrap_or(start);
    if arrives < start {
        return Err(Failure::usage(format!("--data {} arrives before the start", path.display())));
    }
    let (directory, name) = locate(path).map_err(|error| match file_before_time(path) {
        Some(file) => Failure::usage(format!(
            "--data {}: what follows the @ is no RFC 3339 time such as 2026-03-04T09:00:00Z",
            file.display()
        )),
        None => Failure::unreadable("data file", path, &error),
    })?;
    let label = name.clone();
    Ok(DataFile { source: Arc::new(DirectorySource::new(directory)), name, label, arrives })
}

fn locate(path: &Path) -> io::Result<(PathBuf, String)> {
    // Sources follow no links, but who names a link on the command line means the file.
    let path = fs::canonicalize(path)?;
    // Asked before it is opened: opening a pipe waits for somebody to write.
    if !fs::metadata(&path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(&path)?;
    let directory = path.parent().map(Path::to_owned);
    let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    directory.zip(name).ok_or_else(|| io::Error::other("its name is not UTF-8"))
}
