-- What bookings are found by: the beginnings of these words, without case and accents. A task behind the sale writes them
-- some seconds after the booking, in the order of the bookings' ids; `search_progress` says how far it has come. A word
-- of a booking that is gone does no harm: what is found is read again.
CREATE TABLE booking_words (
    word TEXT COLLATE "C" NOT NULL,
    booking_id BIGINT NOT NULL,
    PRIMARY KEY (word, booking_id)
);
CREATE TABLE search_progress (
    id INTEGER PRIMARY KEY,
    last_booking_id BIGINT NOT NULL,
    CONSTRAINT search_progress_is_one_row CHECK (id = 1)
);
INSERT INTO search_progress (id, last_booking_id) VALUES (1, 0);

-- Lists of what is canceled, and of a ticket type, the newest first.
CREATE INDEX bookings_canceled ON bookings (id) WHERE status = 'canceled';
CREATE INDEX bookings_canceled_of_event ON bookings (event_id, id) WHERE status = 'canceled';
CREATE INDEX booking_lines_ticket_type_id ON booking_lines (ticket_type_id, booking_id);
-- The history of a booking.
CREATE INDEX audit_log_subject ON audit_log (subject, id);

-- What has changed: "price of VIP: 10.00 → 12.00". It names no person.
ALTER TABLE audit_log ADD COLUMN details TEXT NOT NULL DEFAULT '';
-- Only the holders of this ticket type; NULL: all.
ALTER TABLE event_jobs ADD COLUMN ticket_type_id BIGINT;
