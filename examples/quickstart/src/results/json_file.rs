//! JSON files.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use serde::Serialize;

use crate::failure::Failure;

/// A file of JSON values that is being written.
pub(super) struct JsonFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl JsonFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, Failure> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, writer: BufWriter::new(file) }),
            Err(error) => Err(Failure::unwritable(&path, &error)),
        }
    }

    /// Writes a value on a line of its own.
    pub(super) fn line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(value).map_err(|error| Failure::unwritable(&self.path, &error))?;
        self.write(&json)
    }

    /// Writes a value for people to read.
    pub(super) fn pretty(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let json =
            serde_json::to_string_pretty(value).map_err(|error| Failure::unwritable(&self.path, &error))?;
        self.write(&json)
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| Failure::unwritable(&self.path, &error))
    }

    fn write(&mut self, json: &str) -> Result<(), Failure> {
        writeln!(self.writer, "{json}").map_err(|error| Failure::unwritable(&self.path, &error))
    }
}
