ALTER TABLE admins DROP COLUMN first_password_ends_at;
ALTER TABLE admins DROP COLUMN first_password_hash;
