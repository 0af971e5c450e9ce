CREATE TABLE IF NOT EXISTS incoming_counts (
    company_id BINARY(16) NOT NULL,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    needs_review BOOLEAN NOT NULL,
    shard TINYINT UNSIGNED NOT NULL COMMENT 'who adds at the same time adds to different rows',
    count BIGINT NOT NULL,
    PRIMARY KEY (company_id, kind, needs_review, shard)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
