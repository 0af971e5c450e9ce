CREATE TABLE IF NOT EXISTS unsubscribe_events (
    number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the number, address or person',
    kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'number, email or person',
    opted_out BOOLEAN NOT NULL,
    at DATETIME(6) NOT NULL,
    event TEXT NOT NULL COMMENT 'JSON',
    PRIMARY KEY (number),
    KEY by_key (company_id, digest, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
