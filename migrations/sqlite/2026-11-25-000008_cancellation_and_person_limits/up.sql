-- Until how many minutes before the start a buyer may cancel; NULL: only the organiser may.
ALTER TABLE events ADD COLUMN cancellation_deadline_minutes INTEGER CHECK (cancellation_deadline_minutes >= 0);

-- The most tickets of a tier that one person, that is one email address, may hold; NULL: no limit. A release
-- that does not know of it does not refuse what is over it, but what it books is counted by those that do.
ALTER TABLE ticket_types ADD COLUMN max_per_person INTEGER CHECK (max_per_person > 0);

ALTER TABLE bookings ADD COLUMN cancelled_at TIMESTAMP;
-- Only where it is not the address in small ASCII letters: that is what NULL stands for, so nearly every row
-- holds nothing here. Rows from before are found by their ASCII letters alone.
ALTER TABLE bookings ADD COLUMN buyer_email_normalised TEXT;
-- There was no way to cancel before, except by hand: then nobody wrote down when.
UPDATE bookings SET cancelled_at = created_at WHERE status = 'cancelled';
-- What is a CHECK on PostgreSQL; SQLite adds none to a table that is there. Bookings are made confirmed.
CREATE TRIGGER bookings_cancelled_at_check BEFORE UPDATE OF status, cancelled_at ON bookings
    WHEN (NEW.status = 'cancelled') <> (NEW.cancelled_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a booking is cancelled if and only if it says when');
END;

-- A person's bookings, all of them or those of one tier.
DROP INDEX bookings_buyer_email;
CREATE INDEX bookings_buyer_email ON bookings (coalesce(buyer_email_normalised, lower(buyer_email)), ticket_type_id);
