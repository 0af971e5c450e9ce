CREATE TABLE IF NOT EXISTS open_claims (
    answer_by DATETIME(6) NOT NULL,
    packet_number INT UNSIGNED NOT NULL,
    live INT UNSIGNED NOT NULL COMMENT 'how many of them nobody has settled',
    slots MEDIUMTEXT NOT NULL COMMENT 'claimed together, with commas between them',
    PRIMARY KEY (answer_by, packet_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
