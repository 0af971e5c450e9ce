CREATE OR REPLACE VIEW user_company_access AS
SELECT user_roles.user_id, role_companies.company_id, user_roles.role_id
FROM users
JOIN user_roles ON user_roles.user_id = users.id
JOIN role_companies ON role_companies.role_id = user_roles.role_id
WHERE NOT users.suspended
