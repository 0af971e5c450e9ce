CREATE TABLE IF NOT EXISTS natural_keys (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of key, contact point and day',
    message_id BINARY(16) NOT NULL,
    PRIMARY KEY (company_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
