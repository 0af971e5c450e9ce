CREATE TABLE IF NOT EXISTS packet_copies (
    packet_number INT UNSIGNED NOT NULL,
    until DATETIME(6) NOT NULL COMMENT 'when they are presumed lost',
    number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    slots MEDIUMTEXT NOT NULL COMMENT 'JSON: handed over together',
    PRIMARY KEY (packet_number, until, number),
    UNIQUE KEY by_number (number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
