-- What the organizer tells the buyer who loses tickets: one row for each time that the organizer has canceled a booking
-- or some of its tickets.
CREATE TABLE cancellation_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    booking_id BIGINT NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    -- The seats that were chosen, with spaces between them; empty: all that were left.
    seats TEXT NOT NULL,
    -- Empty: the organizer has written nothing.
    message TEXT NOT NULL,
    canceled_at TIMESTAMP NOT NULL
);
CREATE INDEX cancellation_notes_booking_id ON cancellation_notes (booking_id);
