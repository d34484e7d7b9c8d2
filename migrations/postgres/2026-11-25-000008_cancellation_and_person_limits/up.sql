-- Until how many minutes before the start a buyer may cancel; NULL: only the organiser may.
ALTER TABLE events ADD COLUMN cancellation_deadline_minutes INTEGER CHECK (cancellation_deadline_minutes >= 0);

-- The most tickets of a tier that one person, that is one email address, may hold; NULL: no limit. A release
-- that does not know of it does not refuse what is over it, but what it books is counted by those that do.
ALTER TABLE ticket_types ADD COLUMN max_per_person INTEGER CHECK (max_per_person > 0);

ALTER TABLE bookings
    ADD COLUMN cancelled_at TIMESTAMP,
    -- Only where it is not the address in small ASCII letters: that is what NULL stands for, so nearly every
    -- row holds nothing here. Rows from before are found by their ASCII letters alone.
    ADD COLUMN buyer_email_normalised TEXT COLLATE "C";
-- There was no way to cancel before, except by hand: then nobody wrote down when.
UPDATE bookings SET cancelled_at = created_at WHERE status = 'cancelled';
ALTER TABLE bookings ADD CONSTRAINT bookings_cancelled_at_check
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL));

-- A person's bookings, all of them or those of one tier.
DROP INDEX bookings_buyer_email;
CREATE INDEX bookings_buyer_email ON bookings (coalesce(buyer_email_normalised, lower(buyer_email)), ticket_type_id);

-- Those of these people who hold so many tickets of a tier that they may not have as many more as they want.
--
-- The desk calls it inside the statement that books, with the tier's row locked. That statement sees the
-- bookings as they were when it began, without those for which it has waited at the lock. A function that is
-- VOLATILE looks afresh, and sees every booking of the tier, because whoever makes one holds that lock.
CREATE FUNCTION over_person_limit(tier BIGINT, most INTEGER, people TEXT[], wanted INTEGER[])
RETURNS TABLE (person TEXT, held INTEGER, refused INTEGER) LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT w.email, coalesce(sum(b.quantity), 0)::integer, w.quantity
    FROM unnest(people, wanted) AS w (email, quantity)
    LEFT JOIN bookings b ON coalesce(b.buyer_email_normalised, lower(b.buyer_email)) = w.email
        AND b.ticket_type_id = tier AND b.status = 'confirmed'
    GROUP BY w.email, w.quantity
    HAVING coalesce(sum(b.quantity), 0) + w.quantity > most;
END $$;
