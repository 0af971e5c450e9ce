CREATE TABLE IF NOT EXISTS attempts (
    id BINARY(16) NOT NULL,
    company_id BINARY(16) NOT NULL,
    packet_id BINARY(16) NOT NULL,
    message_id BINARY(16) NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
