CREATE TABLE IF NOT EXISTS log_tables (
    day DATE NOT NULL COMMENT 'of which there is a table company_log_MMDDYYYY',
    PRIMARY KEY (day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
