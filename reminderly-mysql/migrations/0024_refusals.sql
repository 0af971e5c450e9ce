CREATE TABLE IF NOT EXISTS refusals (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the number, address or person',
    opted_out BOOLEAN NOT NULL COMMENT 'what they want now',
    at DATETIME(6) NOT NULL COMMENT 'since when',
    PRIMARY KEY (company_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
