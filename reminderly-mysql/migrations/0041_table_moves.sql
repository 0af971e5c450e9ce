CREATE TABLE IF NOT EXISTS table_moves (
    tables_number INT UNSIGNED NOT NULL COMMENT 'of packet_table_tracking: what is being moved',
    month_number INT UNSIGNED NULL COMMENT 'likewise: into what; NULL if there is nothing in it',
    last_day DATE NULL COMMENT 'of that month',
    step VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'mark, data, messages, transitions, dispositions, hand_over, drop',
    packet_number INT UNSIGNED NOT NULL COMMENT 'up to where the step is, with the next one',
    position BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (tables_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
