//! The tables of a packet, and their names.

use std::fmt;

use chrono::NaiveDate;

/// A set of tables: of one packet of a file, or of the calls and follow-ups that a campaign had on one day. Its name is made of numbers
/// and a date, so that no text gets into a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TableSet {
    /// The number of the campaign.
    pub(crate) campaign: u32,
    pub(crate) day: NaiveDate,
    pub(crate) version: u32,
}

/// `packet_1337_07022020_1`
impl fmt::Display for TableSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet_{}_{}_{}", self.campaign, self.day.format("%m%d%Y"), self.version)
    }
}

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
    /// The statements that make the tables.
    pub(crate) fn definitions(self) -> impl Iterator<Item = String> {
        TABLES.into_iter().map(move |table| table.replace("{set}", &self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_seeds() {
        let day = NaiveDate::from_ymd_opt(2020, 7, 2).expect("a day");
        let set = TableSet { campaign: 1337, day, version: 1 };
        assert_eq!(set.to_string(), "packet_1337_07022020_1");
        let definitions: Vec<String> = set.definitions().collect();
        assert!(
            definitions
                .iter()
                .all(|text| text.starts_with("CREATE TABLE IF NOT EXISTS packet_1337_07022020_1_"))
        );
    }
}
