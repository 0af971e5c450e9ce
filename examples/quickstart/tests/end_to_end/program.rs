//! Runs the program and reads its files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tempfile::TempDir;

/// A row of a CSV file by column.
pub(crate) type Record = HashMap<String, String>;

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program in an empty directory of its own.
pub(crate) fn quickstart<A: AsRef<OsStr>>(directory: &Path, arguments: impl IntoIterator<Item = A>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A file of the bundle.
pub(crate) fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

pub(crate) fn csv(path: &Path) -> Vec<Record> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no instant"))
}

/// Every line of every ledger closes, and nothing is unaccounted for.
pub(crate) fn assert_closes(summary: &Value) {
    assert_eq!(summary["closes"], true);
    let packets = summary["packets"].as_array().unwrap();
    let ledgers = packets.iter().map(|packet| &packet["ledger"]).chain([&summary["ledger"]]);
    for line in ledgers.flat_map(|ledger| ledger["lines"].as_array().unwrap()) {
        let of = |name: &str| line[name].as_u64().unwrap();
        let out = of("advanced") + of("skipped") + of("failed") + of("open");
        assert_eq!(of("entered"), out, "{line}");
    }
}
