DROP TABLE team_rules;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE invitations;
-- Without its role, an account would open everything.
DELETE FROM admin_sessions WHERE admin_id IN (SELECT id FROM admins WHERE role <> 'owner');
DELETE FROM admins WHERE role <> 'owner';
ALTER TABLE admin_sessions DROP COLUMN second_factor;
ALTER TABLE admins DROP COLUMN signed_in_at;
ALTER TABLE admins DROP COLUMN email;
ALTER TABLE admins DROP COLUMN role;
