CREATE TABLE IF NOT EXISTS packet_keys (
    campaign_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the natural key',
    packet_id BINARY(16) NOT NULL,
    PRIMARY KEY (campaign_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
