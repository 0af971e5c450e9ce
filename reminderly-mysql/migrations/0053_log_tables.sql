CREATE TABLE IF NOT EXISTS log_tables (
    day DATE NOT NULL COMMENT 'of which there is, or was, a table company_log_MMDDYYYY',
    aside INT UNSIGNED NULL COMMENT 'the number of the table that is being taken out: company_log_MMDDYYYY_number',
    taken_out INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how many of its tables are in files',
    PRIMARY KEY (day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
