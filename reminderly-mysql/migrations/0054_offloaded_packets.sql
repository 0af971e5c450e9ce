CREATE TABLE IF NOT EXISTS offloaded_packets (
    packet_number INT UNSIGNED NOT NULL,
    tables_number INT UNSIGNED NOT NULL COMMENT 'of packet_table_tracking: the month that it was in, and is again when that is brought back',
    PRIMARY KEY (packet_number),
    KEY by_tables (tables_number, packet_number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
