CREATE TABLE IF NOT EXISTS message_days (
    message_id BINARY(16) NOT NULL,
    day DATE NOT NULL,
    PRIMARY KEY (message_id, day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
