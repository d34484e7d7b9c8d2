-- Who came in: a seat of a booking, once. The gates may scan the same ticket in the same moment; it is this
-- constraint that lets one of them in.
CREATE TABLE admissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    booking_id BIGINT NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    seat INTEGER NOT NULL CHECK (seat > 0),
    gate TEXT NOT NULL,
    actor TEXT NOT NULL,
    admitted_at TIMESTAMP NOT NULL,
    UNIQUE (booking_id, seat)
);

-- Who did not, and why. `ticket` is the reference and seat where the code was one of ours, and otherwise the
-- start of what was typed.
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ticket TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('used', 'cancelled', 'other event', 'unknown')),
    gate TEXT NOT NULL,
    actor TEXT NOT NULL,
    refused_at TIMESTAMP NOT NULL
);
CREATE INDEX refusals_event_id ON refusals (event_id);
