-- The description as the pages show it: made from the Markdown in `description` when that is written.
ALTER TABLE events ADD COLUMN description_html TEXT NOT NULL DEFAULT '';
-- What people with a disability should know.
ALTER TABLE events ADD COLUMN accessibility TEXT NOT NULL DEFAULT '';
-- The date before the concert was postponed for the first time; NULL: it never was.
ALTER TABLE events ADD COLUMN postponed_from TIMESTAMP;
-- Until when a buyer may cancel whatever the cancellation deadline says; NULL: the deadline alone counts.
ALTER TABLE events ADD COLUMN returns_until TIMESTAMP;
-- The state before it was archived; NULL: it is not archived, or an older release has done that.
ALTER TABLE events ADD COLUMN archived_from TEXT;

-- Slugs that concerts had before. They lead to the concert.
CREATE TABLE former_slugs (
    slug TEXT PRIMARY KEY NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE
);
CREATE INDEX former_slugs_event_id ON former_slugs (event_id);

-- Work on all bookings of a concert, which takes longer than one transaction may: a server takes it for the time of a
-- lease, and does a part of it in each transaction.
CREATE TABLE event_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    -- What the organizer writes to the buyers. It may be empty.
    message TEXT NOT NULL DEFAULT '',
    -- What the kind needs to know besides, as JSON.
    payload TEXT NOT NULL DEFAULT '{}',
    actor TEXT NOT NULL,
    -- How many bookings there were at the start, how many are done, and how many of these had to stay as they are.
    total BIGINT NOT NULL,
    done BIGINT NOT NULL DEFAULT 0,
    kept BIGINT NOT NULL DEFAULT 0,
    -- The last booking that is done; bookings are taken by their ids.
    last_booking_id BIGINT NOT NULL DEFAULT 0,
    leased_until TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);
CREATE INDEX event_jobs_event_id ON event_jobs (event_id);
CREATE INDEX event_jobs_open ON event_jobs (leased_until) WHERE finished_at IS NULL;
