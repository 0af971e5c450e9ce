CREATE TABLE IF NOT EXISTS appointments_named (
    campaign_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the appointment key',
    packet_id BINARY(16) NOT NULL COMMENT 'the latest that named it in a row that does not speak for it',
    PRIMARY KEY (campaign_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
