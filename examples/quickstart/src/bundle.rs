//! The campaigns and the data that come with the program: it runs from any directory.

use std::fmt::Write as _;
use std::sync::Arc;

use reminderly_core::sources::MemorySource;

use crate::data_argument::instant;
use crate::failure::Failure;
use crate::scenario::{DataFile, Document, Mode, Scenario, script};

/// A campaign that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bundled {
    /// Reminders of a doctor's office, and a second file with changes.
    Doctor,
    /// Installations: a text message, then a call.
    Internet,
    /// Schools that close early: everything at once, by every method.
    School,
    /// Showings of houses: invitations by e-mail.
    Showings,
}

/// A file of the bundle: its name and its text.
struct Text {
    name: &'static str,
    text: &'static str,
}

/// A data file of the bundle, and when it arrives.
struct Data {
    file: Text,
    arrives: &'static str,
}

/// What a bundled campaign is made from. The instants are fixed, so that the result is the same every day.
struct Parts {
    campaign: Text,
    data: &'static [Data],
    script: Text,
}

/// A file of `data/`, by its name.
macro_rules! text {
    ($name:literal) => {
        Text { name: $name, text: include_str!(concat!("../data/", $name)) }
    };
}

/// Monday, 7 o'clock in Phoenix, and two days later.
const DOCTOR: Parts = Parts {
    campaign: text!("doctor_smith.json"),
    data: &[
        Data { file: text!("doctor_smith_2026-03.csv"), arrives: "2026-03-02T14:00:00Z" },
        Data { file: text!("doctor_smith_2026-03_update.csv"), arrives: "2026-03-04T14:00:00Z" },
    ],
    script: text!("sandbox.json"),
};

/// Monday, 8 o'clock in Chicago.
const INTERNET: Parts = Parts {
    campaign: text!("internet_installation.json"),
    data: &[Data { file: text!("internet_installation_2026-04.csv"), arrives: "2026-04-06T13:00:00Z" }],
    script: text!("internet_installation_sandbox.json"),
};

/// Wednesday, 10:40 in Denver, and 25 minutes later.
const SCHOOL: Parts = Parts {
    campaign: text!("school_early_out.json"),
    data: &[
        Data { file: text!("school_early_out_list.csv"), arrives: "2026-02-18T17:40:00Z" },
        Data { file: text!("school_early_out_middle_school.csv"), arrives: "2026-02-18T18:05:00Z" },
    ],
    script: text!("school_early_out_sandbox.json"),
};

/// Wednesday, 8 o'clock in New York.
const SHOWINGS: Parts = Parts {
    campaign: text!("house_showings.json"),
    data: &[Data { file: text!("house_showings_2026-05.csv"), arrives: "2026-05-06T12:00:00Z" }],
    script: text!("house_showings_sandbox.json"),
};

impl Bundled {
    /// Every bundled campaign, in the order of lists.
    pub(crate) const ALL: [Self; 4] = [Self::Doctor, Self::Internet, Self::School, Self::Showings];

    /// What the command line calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Doctor => "doctor",
            Self::Internet => "internet",
            Self::School => "school",
            Self::Showings => "showings",
        }
    }

    /// What it shows, on one line.
    const fn about(self) -> &'static str {
        match self {
            Self::Doctor => {
                "a doctor's office: SMS or e-mail two days and three hours before; a second file moves, drops and adds appointments"
            }
            Self::Internet => {
                "internet installation: SMS, then a call to who has not answered; English and Spanish, federal hours"
            }
            Self::School => {
                "schools close early: sent now by SMS, e-mail and phone; a second list 25 minutes later respects who opted out"
            }
            Self::Showings => {
                "house showings: invitations by e-mail, else SMS; answers from 5 to 1, and follow-ups by e-mail"
            }
        }
    }

    /// What it is made from.
    pub(crate) fn scenario(self) -> Result<Scenario, Failure> {
        let Parts { campaign, data, script: people } = match self {
            Self::Doctor => DOCTOR,
            Self::Internet => INTERNET,
            Self::School => SCHOOL,
            Self::Showings => SHOWINGS,
        };
        let data = data.iter().map(data_file).collect::<Result<Vec<_>, Failure>>()?;
        let start = data.iter().map(|file| file.arrives).min();
        Ok(Scenario {
            mode: Mode::Run,
            campaign: Document { name: campaign.name.to_owned(), text: campaign.text.to_owned() },
            start: start.ok_or_else(|| Failure::work(format!("{} has no data", self.name())))?,
            data,
            script: script(people.name, people.text)?,
            until: None,
            seed: 0,
        })
    }
}

/// Every bundled campaign, a line each.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for bundled in Bundled::ALL {
        // Writing to a string does not fail.
        writeln!(text, "{:<9} {}", bundled.name(), bundled.about()).ok();
    }
    text
}

fn data_file(data: &Data) -> Result<DataFile, Failure> {
    let Text { name, text } = data.file;
    Ok(DataFile {
        source: Arc::new(MemorySource::new().with_file(name, text.as_bytes())),
        name: name.to_owned(),
        label: name.to_owned(),
        arrives: instant(data.arrives).map_err(Failure::work)?,
    })
}
