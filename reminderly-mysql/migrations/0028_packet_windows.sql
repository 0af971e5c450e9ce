CREATE TABLE IF NOT EXISTS packet_windows (
    packet_number INT UNSIGNED NOT NULL,
    closes_at DATETIME NOT NULL,
    opens_at DATETIME NOT NULL,
    method VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    shard TINYINT UNSIGNED NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (packet_number, closes_at, opens_at, method, shard)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
