-- Gates that are opened by a link, without the organizer's password. Of the link's token only a hash is kept.
CREATE TABLE gates (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX gates_event_id ON gates (event_id);

-- Every scan that was decided, admitted or not, and how. `gate_id` is empty for a device on which the organizer is
-- signed in. `scan_key` is the device's name for the scan: the same scan sent again finds its answer. `scanned_at` is
-- when it was made, `decided_at` when it arrived; `was_unconfirmed` says that staff had no answer meanwhile.
CREATE TABLE scans (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    gate_id BIGINT,
    gate TEXT NOT NULL,
    actor TEXT NOT NULL,
    scan_key TEXT UNIQUE,
    booking_id BIGINT,
    seat INTEGER,
    ticket TEXT NOT NULL,
    outcome TEXT NOT NULL,
    by_hand BOOLEAN NOT NULL DEFAULT FALSE,
    was_unconfirmed BOOLEAN NOT NULL DEFAULT FALSE,
    scanned_at TIMESTAMP NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    undone_at TIMESTAMP,
    CONSTRAINT scans_outcome CHECK (
        outcome IN ('admitted', 'used', 'returned', 'canceled', 'other event', 'not today', 'unknown'))
);
CREATE INDEX scans_event_id ON scans (event_id, gate, scanned_at);
CREATE INDEX scans_booking_id ON scans (booking_id, seat);
CREATE INDEX scans_unconfirmed ON scans (event_id) WHERE was_unconfirmed;
