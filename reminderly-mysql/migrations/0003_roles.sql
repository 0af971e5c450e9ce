CREATE TABLE IF NOT EXISTS roles (
    id BINARY(16) NOT NULL,
    name TEXT NOT NULL,
    actions JSON NOT NULL COMMENT 'what is permitted; nothing else is',
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
