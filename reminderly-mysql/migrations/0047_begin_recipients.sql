CREATE PROCEDURE IF NOT EXISTS begin_recipients()
SQL SECURITY INVOKER
COMMENT 'makes the temporary table recipients, which is empty'
BEGIN
    DROP TEMPORARY TABLE IF EXISTS recipients;
    CREATE TEMPORARY TABLE recipients (
        packet_number INT UNSIGNED NOT NULL,
        slot INT UNSIGNED NOT NULL,
        day DATE NOT NULL,
        method VARCHAR(8) NOT NULL,
        contact TEXT NULL,
        status VARCHAR(16) NOT NULL,
        reason VARCHAR(255) NULL,
        response VARCHAR(64) NULL,
        sent_at VARCHAR(40) NULL
    ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
END
