CREATE TABLE IF NOT EXISTS answers (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of appointment key, person and instant',
    campaign_id BINARY(16) NOT NULL,
    response TEXT NOT NULL COMMENT 'JSON',
    PRIMARY KEY (company_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
