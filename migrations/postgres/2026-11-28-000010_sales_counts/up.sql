-- What the bookings of a concert come to, for concerts with so many that they are not counted at each look. A server
-- writes it at most once a minute. It is made from the bookings alone and may be deleted at any time.
CREATE TABLE sales_counts (
    event_id BIGINT PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    counted_at TIMESTAMP NOT NULL,
    -- The versions that the concert and its stock had. While they are the same the count is current.
    stock TEXT NOT NULL,
    -- As JSON.
    counts TEXT NOT NULL
);
-- The bookings of a concert, by their ids: for its pages, exports, counts and jobs.
CREATE INDEX bookings_event_id ON bookings (event_id, id);
-- How many are in, without reading the tickets themselves: gates ask every few seconds.
CREATE INDEX used_tickets_state ON used_tickets (ticket_type_id, state);
DROP INDEX used_tickets_ticket_type_id;
