-- Rehearsals of a sale: synthetic buyers book a copy of a concert through the real site. The copy is deleted at the
-- end; what was measured stays.
CREATE TABLE rehearsals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- The concert that is rehearsed.
    concert_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    -- Its copy, while there is one.
    event_id BIGINT,
    buyers INTEGER NOT NULL CHECK (buyers >= 1),
    minutes INTEGER NOT NULL CHECK (minutes >= 1),
    -- 1 from the request to the end, NULL afterward: there is one rehearsal at a time.
    slot INTEGER UNIQUE CHECK (slot = 1),
    asked_at TIMESTAMP NOT NULL,
    -- When a server began it. NULL: none has.
    started_at TIMESTAMP,
    -- A server that runs it puts this off. When it is past, that server is gone.
    leased_until TIMESTAMP,
    -- Whether somebody has asked it to stop.
    stopped BOOLEAN NOT NULL DEFAULT false,
    -- How far it is, in words.
    progress TEXT NOT NULL DEFAULT '',
    -- Why it did not come to an end.
    failure TEXT,
    -- What was measured, as JSON.
    report TEXT
);
CREATE INDEX rehearsals_concert ON rehearsals (concert_id, id);
