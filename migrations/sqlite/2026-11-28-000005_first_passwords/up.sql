-- The password that was generated for an account: until it is changed it opens nothing but the page that changes it, and
-- it ends after a day. It is the first password for as long as its hash is the account's: a server of the release
-- before, which does not know these columns, ends that by setting another one.
ALTER TABLE admins ADD COLUMN first_password_hash TEXT;
ALTER TABLE admins ADD COLUMN first_password_ends_at TIMESTAMP;
