CREATE TABLE IF NOT EXISTS company_campaigns (
    id BINARY(16) NOT NULL,
    company_id BINARY(16) NOT NULL,
    number INT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'names tables and queues',
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version INT UNSIGNED NOT NULL COMMENT 'the newest of campaign_documents',
    created_at DATETIME(6) NOT NULL,
    newest_file BINARY(16) NULL COMMENT 'the newest packet of a file',
    last_file_came_at DATETIME(6) NULL,
    PRIMARY KEY (id),
    UNIQUE KEY by_number (number),
    KEY by_company (company_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
