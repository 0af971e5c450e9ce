CREATE TABLE IF NOT EXISTS contact_messages (
    number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'the order of their making',
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the contact point',
    packet_number INT UNSIGNED NOT NULL,
    slot INT UNSIGNED NOT NULL,
    PRIMARY KEY (company_id, digest, number),
    UNIQUE KEY by_number (number),
    KEY by_packet (packet_number, digest, slot)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
