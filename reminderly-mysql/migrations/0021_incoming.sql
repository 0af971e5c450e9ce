CREATE TABLE IF NOT EXISTS incoming (
    id BINARY(16) NOT NULL,
    company_id BINARY(16) NOT NULL,
    event_digest BINARY(16) NOT NULL COMMENT 'of the name that its provider gave it',
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    needs_review BOOLEAN NOT NULL,
    record LONGTEXT NOT NULL COMMENT 'JSON',
    PRIMARY KEY (id),
    UNIQUE KEY by_event (company_id, event_digest),
    KEY by_company (company_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
