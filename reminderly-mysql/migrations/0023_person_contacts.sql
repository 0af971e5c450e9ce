CREATE TABLE IF NOT EXISTS person_contacts (
    company_id BINARY(16) NOT NULL,
    digest BINARY(16) NOT NULL COMMENT 'of the person',
    contact_digest BINARY(16) NOT NULL,
    method VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (company_id, digest, contact_digest)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
