-- The confirmations of a batch of bookings, until the sender makes mails of them: one row however many they are,
-- so that the outbox costs a rush next to nothing. Times are UTC.
CREATE TABLE confirmation_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- A JSON array.
    booking_ids TEXT NOT NULL,
    queued_at TIMESTAMP NOT NULL
);

-- The same, a row for each booking that there still is.
CREATE VIEW batched_confirmations AS
SELECT c.id AS batch_id, b.id AS booking_id, c.queued_at
FROM confirmation_batches c CROSS JOIN json_each(c.booking_ids) AS each CROSS JOIN bookings b ON b.id = each.value;
