CREATE TABLE IF NOT EXISTS unknown_attempts (
    attempt_id BINARY(16) NOT NULL,
    packet_number INT UNSIGNED NOT NULL,
    slot INT UNSIGNED NOT NULL,
    PRIMARY KEY (attempt_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
