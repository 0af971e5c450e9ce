CREATE TABLE IF NOT EXISTS person_days (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the person',
    day DATE NOT NULL,
    messages INT UNSIGNED NOT NULL,
    PRIMARY KEY (company_id, digest, day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
