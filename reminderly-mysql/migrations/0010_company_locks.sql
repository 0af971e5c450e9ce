CREATE TABLE IF NOT EXISTS company_locks (
    company_id BINARY(16) NOT NULL,
    number SMALLINT UNSIGNED NOT NULL,
    PRIMARY KEY (company_id, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
