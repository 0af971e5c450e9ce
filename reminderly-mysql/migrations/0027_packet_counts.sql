CREATE TABLE IF NOT EXISTS packet_counts (
    packet_number INT UNSIGNED NOT NULL,
    counter VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    shard TINYINT UNSIGNED NOT NULL COMMENT 'who adds at the same time adds to different rows',
    count BIGINT NOT NULL,
    PRIMARY KEY (packet_number, counter, shard)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
