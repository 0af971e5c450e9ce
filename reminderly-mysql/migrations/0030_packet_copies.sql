CREATE TABLE IF NOT EXISTS packet_copies (
    packet_number INT UNSIGNED NOT NULL,
    until DATETIME(6) NOT NULL COMMENT 'when they are presumed lost',
    part INT UNSIGNED NOT NULL COMMENT 'slots that lie together are in one: who claims some waits for nobody who claims others',
    live INT UNSIGNED NOT NULL COMMENT 'how many of them still wait',
    slots MEDIUMTEXT NOT NULL COMMENT 'handed over together, with commas between them',
    PRIMARY KEY (packet_number, until, part)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
