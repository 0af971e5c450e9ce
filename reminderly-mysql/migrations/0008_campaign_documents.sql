CREATE TABLE IF NOT EXISTS campaign_documents (
    campaign_id BINARY(16) NOT NULL,
    version INT UNSIGNED NOT NULL,
    document LONGTEXT NOT NULL COMMENT 'JSON, as it was written: the type JSON would sort its keys',
    PRIMARY KEY (campaign_id, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
