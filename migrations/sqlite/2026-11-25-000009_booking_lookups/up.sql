-- Who was asked for of late, so that nobody is flooded with mail: a hash of each address, known or not, for as
-- long as another mail would be too soon.
CREATE TABLE booking_lookups (
    email_hash TEXT PRIMARY KEY NOT NULL,
    asked_at TIMESTAMP NOT NULL
);
CREATE INDEX booking_lookups_asked_at ON booking_lookups (asked_at);
