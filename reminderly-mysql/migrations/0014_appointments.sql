CREATE TABLE IF NOT EXISTS appointments (
    campaign_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the appointment key',
    held LONGTEXT NOT NULL COMMENT 'JSON: the rows that speak for it',
    PRIMARY KEY (campaign_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
