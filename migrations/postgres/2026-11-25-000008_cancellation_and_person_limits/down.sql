DROP FUNCTION over_person_limit(BIGINT, INTEGER, TEXT[], INTEGER[]);
DROP INDEX bookings_buyer_email;
CREATE INDEX bookings_buyer_email ON bookings (lower(buyer_email));
ALTER TABLE bookings DROP COLUMN buyer_email_normalised, DROP COLUMN cancelled_at;
ALTER TABLE ticket_types DROP COLUMN max_per_person;
ALTER TABLE events DROP COLUMN cancellation_deadline_minutes;
