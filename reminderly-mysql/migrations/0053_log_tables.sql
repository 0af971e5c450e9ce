CREATE TABLE IF NOT EXISTS log_tables (
    day DATE NOT NULL COMMENT 'of which tables company_log_MMDDYYYY were taken out',
    numbers INT UNSIGNED NOT NULL COMMENT 'the last that was given out: company_log_MMDDYYYY_number',
    PRIMARY KEY (day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
