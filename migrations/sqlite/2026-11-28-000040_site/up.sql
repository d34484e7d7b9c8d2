-- Who sells on this site, as an owner has entered it. One row at most.
CREATE TABLE box_office (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    contact TEXT NOT NULL
);
-- What the first run and `techkraft backup` remember.
CREATE TABLE setup_notes (
    -- A step of the first run, or 'backup'.
    name TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'skipped')),
    -- The key of the test mail.
    mail_key TEXT,
    -- UTC.
    noted_at TIMESTAMP NOT NULL
);
