-- What an account may open. Accounts of the release before may open everything.
--
-- The release before knows no roles. What it must not let in it cannot read: the passwords' hashes and the sessions of
-- accounts that are no owners have a word in front (see auth/store/mod.rs).
ALTER TABLE admins ADD COLUMN role TEXT NOT NULL DEFAULT 'owner'
    CHECK (role IN ('owner', 'organizer', 'box_office', 'gate'));
-- Where its invitation went. NULL for an account that was made without one.
ALTER TABLE admins ADD COLUMN email TEXT;
ALTER TABLE admins ADD COLUMN signed_in_at TIMESTAMP;
-- Whether the session was started with a second factor.
ALTER TABLE admin_sessions ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- An account that somebody may make. Used, it is deleted: it opens once.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- SHA-256 of the link's token.
    token_hash TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'organizer', 'box_office', 'gate')),
    -- It ends when this account goes.
    invited_by BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE INDEX invitations_invited_by ON invitations (invited_by);

-- What generates an account's codes (TOTP).
CREATE TABLE second_factors (
    admin_id BIGINT PRIMARY KEY NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- Sealed with the site's secret.
    secret TEXT NOT NULL,
    -- The time step of the last code that was accepted: no code is accepted twice.
    last_step BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- For who has lost the generator. Used, a code is deleted.
CREATE TABLE recovery_codes (
    admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    -- SHA-256 of the code.
    code_hash TEXT NOT NULL,
    PRIMARY KEY (admin_id, code_hash)
);

-- What holds for all accounts, since when. A rule without a row does not hold.
CREATE TABLE team_rules (
    name TEXT PRIMARY KEY NOT NULL,
    since TIMESTAMP NOT NULL
);
