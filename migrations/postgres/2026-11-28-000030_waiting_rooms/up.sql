-- A concert's waiting room: how the organizer has set it, and how far its line has moved. A concert without a row has
-- none.
CREATE TABLE waiting_rooms (
    event_id BIGINT PRIMARY KEY NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    mode TEXT NOT NULL CHECK (mode IN ('off', 'always', 'under_stress')),
    -- How long before the sale the lobby opens.
    opens_minutes INTEGER NOT NULL CHECK (opens_minutes BETWEEN 0 AND 1440),
    flow TEXT NOT NULL CHECK (flow IN ('open', 'slow', 'stopped')),
    most_per_second INTEGER NOT NULL CHECK (most_per_second BETWEEN 1 AND 1000),
    -- From the organizer to those who wait.
    message TEXT NOT NULL DEFAULT '',
    -- Pages show the seed's SHA-256 before the draw, and the seed after it.
    seed TEXT NOT NULL,
    seed_hash TEXT NOT NULL,
    -- When the lobby was drawn. NULL: not yet.
    opened_at TIMESTAMP,
    -- Whose position is below it is served. It only grows.
    served BIGINT NOT NULL DEFAULT 0 CHECK (served >= 0),
    -- The pace of the line when it moved last.
    per_second INTEGER NOT NULL CHECK (per_second >= 1),
    moved_at TIMESTAMP
);

-- How many people have arrived: slot 0 is the lobby, slot 1 the first second after the draw, and so on. No row per
-- visitor.
CREATE TABLE queue_arrivals (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    slot BIGINT NOT NULL CHECK (slot >= 0),
    arrivals BIGINT NOT NULL CHECK (arrivals >= 0),
    PRIMARY KEY (event_id, slot)
);

-- The log of passes. One place gets one pass.
CREATE TABLE queue_passes (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    -- The draw number.
    place TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- The booking that it becomes has the same.
    request_key TEXT NOT NULL UNIQUE,
    issued_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    PRIMARY KEY (event_id, place)
);
CREATE INDEX queue_passes_expiry ON queue_passes (event_id, expires_at);
