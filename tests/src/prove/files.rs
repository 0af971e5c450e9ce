//! Data files as people send them: each is told row by row, or refused with its reason, as `docs/campaign.md` says.

mod expected;
mod office;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::expected::Expected;
use self::office::{Found, Reminder, Rows};
use super::{Failure, Order, Proof, Violation};

/// The families of the corpus. Each must have files.
const FAMILIES: [&str; 16] = [
    "clock_changes",
    "dates",
    "delimiters",
    "encodings",
    "formulas",
    "headers",
    "names",
    "numbers",
    "phones",
    "quotes",
    "repeated",
    "row_fields",
    "sizes",
    "spellings",
    "truncated",
    "workbooks",
];

/// Loads and maps every file of the corpus, and compares what was found with what stands beside the file.
///
/// # Errors
///
/// A corpus that cannot be read.
pub(super) fn run(_: &Order) -> Result<Proof, Failure> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/files");
    let document: Value = serde_json::from_slice(&fs::read(corpus.join("campaign.json"))?)?;
    let fired = FAMILIES.into_iter().map(|family| (family, 0)).collect();
    let mut proof = Proof { unit: "files", fired, ..Proof::default() };
    for family in FAMILIES {
        for path in files_of(&corpus.join(family))? {
            let at = format!("{family}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            let told = |wrong: Failure| Failure::from(format!("{at}: {wrong}"));
            let expected = Expected::parse(&fs::read_to_string(beside(&path))?).map_err(told)?;
            let campaign = expected.document(&document).map_err(told)?;
            let found = office::take_in(&fs::read(&path)?, &campaign, &expected.limits).map_err(told)?;
            proof.count += 1;
            *proof.fired.entry(family).or_default() += 1;
            let wrong = differences(&expected, &found).into_iter();
            proof.violations.extend(wrong.map(|what| Violation { at: at.clone(), what }));
        }
    }
    Ok(proof)
}

/// The data files of a family, by name.
fn files_of(family: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(family)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind != "expected"));
    files.sort();
    Ok(files)
}

/// What is expected of a file.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".expected");
    PathBuf::from(name)
}

fn differences(expected: &Expected, found: &Found) -> Vec<String> {
    match (found, expected.refused.is_empty()) {
        (Found::Refused(reason), false) => {
            let begins = expected.refused.iter().take(1).all(|part| reason.starts_with(part));
            let tells = expected.refused.iter().all(|part| reason.contains(part));
            if begins && tells { Vec::new() } else { vec![format!("was refused otherwise: {reason}")] }
        }
        (Found::Refused(reason), true) => vec![format!("was refused: {reason}")],
        (Found::Taken(_), false) => vec!["was not refused".to_owned()],
        (Found::Taken(rows), true) => differing_rows(expected, rows),
    }
}

fn differing_rows(expected: &Expected, found: &Rows) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, expected: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
        let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
        if expected != found {
            wrong.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    compare("rejected", &expected.rejected, &found.rejected);
    compare("skipped", &expected.skipped, &found.skipped);
    let good = expected.present - (expected.rejected.len() + expected.skipped.len()) as u64;
    compare("good", &good, &(found.good.len() as u64));
    let told = (found.good.len() + found.rejected.len() + found.skipped.len()) as u64;
    compare("good, rejected and skipped together", &expected.present, &told);
    compare("rows read", &expected.present, &found.read);
    let mut look = |what: &str, parts: &[(u64, String)], of: fn(&Reminder) -> &str| {
        for (row, part) in parts {
            let whole = found.good.get(row).map_or("no message", of);
            if !whole.contains(part.as_str()) {
                wrong.push(format!("{what} of row {row}: expected {part:?}, found {whole:?}"));
            }
        }
    };
    look("text", &expected.texts, |reminder| &reminder.text);
    look("contact", &expected.contacts, |reminder| &reminder.contact);
    look("instant", &expected.instants, |reminder| &reminder.instant);
    wrong
}
