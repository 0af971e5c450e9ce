//! The campaign and the data that come with the program: it runs from any directory.

use std::sync::Arc;

use reminderly_core::sources::MemorySource;

use crate::data_argument::instant;
use crate::failure::Failure;
use crate::scenario::{DataFile, Document, Mode, Scenario, script};

/// A Monday, 7 o'clock in Phoenix: fixed, so that the result is the same every day.
const START: &str = "2026-03-02T14:00:00Z";

const CAMPAIGN: &str = include_str!("../data/doctor_smith.json");
const DATA_NAME: &str = "doctor_smith_2026-03.csv";
const DATA: &[u8] = include_bytes!("../data/doctor_smith_2026-03.csv");
const SCRIPT: &str = include_str!("../data/sandbox.json");

/// Dr Smith's reminders of two weeks.
pub(crate) fn scenario() -> Result<Scenario, Failure> {
    let start = instant(START).map_err(Failure::work)?;
    let source = MemorySource::new().with_file(DATA_NAME, DATA);
    Ok(Scenario {
        mode: Mode::Run,
        campaign: Document { name: "doctor_smith.json".to_owned(), text: CAMPAIGN.to_owned() },
        data: vec![DataFile {
            source: Arc::new(source),
            name: DATA_NAME.to_owned(),
            label: DATA_NAME.to_owned(),
            arrives: start,
        }],
        script: script("sandbox.json", SCRIPT)?,
        start,
        until: None,
        seed: 0,
    })
}
