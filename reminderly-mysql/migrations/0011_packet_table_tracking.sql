CREATE TABLE IF NOT EXISTS packet_table_tracking (
    number INT UNSIGNED NOT NULL AUTO_INCREMENT,
    campaign_number INT UNSIGNED NOT NULL,
    day DATE NOT NULL,
    version INT UNSIGNED NOT NULL,
    purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file: of one packet; shared: of calls and follow-ups',
    state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'making, ready, taken; left: something stood in them',
    server_name TEXT NOT NULL,
    PRIMARY KEY (number),
    UNIQUE KEY by_name (campaign_number, day, version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
