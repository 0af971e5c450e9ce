CREATE TABLE IF NOT EXISTS packet_asking (
    packet_number INT UNSIGNED NOT NULL,
    ahead BIGINT NOT NULL COMMENT 'microseconds before the appointment',
    at DATETIME(6) NOT NULL,
    slot INT UNSIGNED NOT NULL,
    PRIMARY KEY (packet_number, ahead, at, slot)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
