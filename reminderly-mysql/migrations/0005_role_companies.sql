CREATE TABLE IF NOT EXISTS role_companies (
    role_id BINARY(16) NOT NULL,
    company_id BINARY(16) NOT NULL,
    PRIMARY KEY (role_id, company_id),
    KEY by_company (company_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
