CREATE TABLE IF NOT EXISTS contact_persons (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the contact point',
    person_digest BINARY(16) NOT NULL,
    person TEXT NOT NULL COMMENT 'whom messages were to that are in files',
    PRIMARY KEY (company_id, digest, person_digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
