CREATE TABLE IF NOT EXISTS open_claims (
    answer_by DATETIME(6) NOT NULL,
    number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    packet_number INT UNSIGNED NOT NULL,
    slots MEDIUMTEXT NOT NULL COMMENT 'JSON: claimed together',
    PRIMARY KEY (answer_by, number),
    UNIQUE KEY by_number (number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
