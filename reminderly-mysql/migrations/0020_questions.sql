CREATE TABLE IF NOT EXISTS questions (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the contact point',
    question TEXT NOT NULL COMMENT 'JSON',
    PRIMARY KEY (company_id, digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
