//! The tables of a packet, and their names.

use std::fmt;

use chrono::{DateTime, NaiveDate};

/// A set of tables. Its name is made of numbers and a date, so that no text gets into a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TableSet {
    /// Of one packet of a file, or of the calls and follow-ups that a campaign had on one day.
    Packets { campaign: u32, day: NaiveDate, version: u32 },
    /// Of the packets of a campaign that were moved into the history of one month, which has this last day.
    Month { campaign: u32, last_day: NaiveDate },
}

/// `packet_1337_07022020_1`, `campaign_data_1337_05312020`
impl fmt::Display for TableSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packets { campaign, day, version } => {
                write!(f, "packet_{campaign}_{}_{version}", self::day(*day))
            }
            Self::Month { campaign, last_day } => {
                write!(f, "campaign_data_{campaign}_{}", day(*last_day))
            }
        }
    }
}

/// A day as it stands in the name of a table.
pub(crate) fn day(day: NaiveDate) -> String {
    day.format("%m%d%Y").to_string()
}

/// The version in the columns of a month's set; those of packets are counted from 1.
const MONTH: u32 = 0;

/// What makes the tables, each without harm a second time.
const TABLES: [&str; 5] = [
    // Rows as they were read, and those that were rejected: one that could be read and not mapped is both.
    "CREATE TABLE IF NOT EXISTS {set}_data (
        packet_number INT UNSIGNED NOT NULL,
        row_number_in_packet BIGINT UNSIGNED NOT NULL,
        fields LONGTEXT NULL COMMENT 'JSON: the row; NULL if it could not be read',
        rejected MEDIUMTEXT NULL COMMENT 'JSON: what is wrong with it',
        PRIMARY KEY (packet_number, row_number_in_packet)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS {set}_messages (
        packet_number INT UNSIGNED NOT NULL,
        slot INT UNSIGNED NOT NULL,
        id BINARY(16) NOT NULL,
        below BINARY(16) NULL COMMENT 'the message that this one waits for',
        message LONGTEXT NOT NULL COMMENT 'JSON',
        state MEDIUMTEXT NOT NULL COMMENT 'JSON: as planning left it',
        PRIMARY KEY (packet_number, slot),
        UNIQUE KEY by_id (id),
        KEY by_below (below)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS {set}_transitions (
        packet_number INT UNSIGNED NOT NULL,
        slot INT UNSIGNED NOT NULL,
        number INT UNSIGNED NOT NULL COMMENT 'who finds it taken was second',
        transitions MEDIUMTEXT NOT NULL COMMENT 'JSON: those of one write',
        state MEDIUMTEXT NOT NULL COMMENT 'JSON: after them',
        attempts MEDIUMTEXT NULL COMMENT 'JSON: those that changed',
        PRIMARY KEY (packet_number, slot, number)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS {set}_dispositions (
        packet_number INT UNSIGNED NOT NULL,
        slot INT UNSIGNED NOT NULL,
        digest BINARY(16) NOT NULL COMMENT 'of provider and event',
        provider TEXT NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (packet_number, slot, digest)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS {set}_due (
        packet_number INT UNSIGNED NOT NULL,
        place VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'due or parked',
        method VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        closes_at DATETIME(6) NOT NULL,
        at DATETIME(6) NOT NULL,
        slot INT UNSIGNED NOT NULL,
        PRIMARY KEY (packet_number, slot),
        KEY by_urgency (packet_number, place, method, closes_at, at),
        KEY by_instant (packet_number, place, at)
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
];

impl TableSet {
    /// Tables in which nothing is: packets are looked for there whose rows and messages are in files. Campaigns are counted from 1.
    pub(crate) const NOWHERE: Self =
        Self::Month { campaign: 0, last_day: DateTime::UNIX_EPOCH.naive_utc().date() };

    /// The set that columns tell of.
    pub(crate) const fn of_columns(campaign: u32, day: NaiveDate, version: u32) -> Self {
        match version {
            MONTH => Self::Month { campaign, last_day: day },
            _ => Self::Packets { campaign, day, version },
        }
    }

    /// As columns tell of it: campaign, day and version.
    pub(crate) const fn columns(self) -> (u32, NaiveDate, u32) {
        match self {
            Self::Packets { campaign, day, version } => (campaign, day, version),
            Self::Month { campaign, last_day } => (campaign, last_day, MONTH),
        }
    }

    /// The statements that make the tables.
    pub(crate) fn definitions(self) -> impl Iterator<Item = String> {
        TABLES.into_iter().map(move |table| self.named_in(table, "set"))
    }

    /// The names of the tables.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        let tables = ["{set}_data", "{set}_messages", "{set}_transitions", "{set}_dispositions", "{set}_due"];
        tables.into_iter().map(move |table| self.named_in(table, "set"))
    }

    /// The statement that takes the tables away.
    pub(crate) fn drop(self) -> String {
        format!("DROP TABLE IF EXISTS {}", self.names().collect::<Vec<_>>().join(", "))
    }

    /// A text with the names of the tables where it has the word in braces.
    pub(crate) fn named_in(self, text: &str, word: &str) -> String {
        let set = self.to_string();
        // The seeds call it so.
        let rows = match self {
            Self::Packets { .. } => format!("{set}_data"),
            Self::Month { .. } => set.clone(),
        };
        text.replace(&format!("{{{word}}}_data"), &rows).replace(&format!("{{{word}}}"), &set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_seeds() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        let packet = TableSet::Packets { campaign: 1337, day: day(2020, 7, 2), version: 1 };
        let month = TableSet::Month { campaign: 1337, last_day: day(2020, 5, 31) };
        let text = "SELECT 1 FROM {set}_data, {set}_messages";
        let named = |set: TableSet| set.named_in(text, "set");
        assert_eq!(
            named(packet),
            "SELECT 1 FROM packet_1337_07022020_1_data, packet_1337_07022020_1_messages"
        );
        let of_month = "SELECT 1 FROM campaign_data_1337_05312020, campaign_data_1337_05312020_messages";
        assert_eq!(named(month), of_month);
        for set in [packet, month] {
            let (campaign, day, version) = set.columns();
            assert_eq!(TableSet::of_columns(campaign, day, version), set);
            let made: Vec<String> = set.definitions().collect();
            let begins = |text: &String| text.starts_with(&format!("CREATE TABLE IF NOT EXISTS {set}"));
            assert!(made.iter().all(begins), "{made:?}");
        }
    }
}
