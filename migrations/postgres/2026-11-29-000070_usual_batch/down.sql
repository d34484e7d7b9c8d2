DROP FUNCTION book_batch_3(TEXT[], BIGINT[], TEXT[], TEXT[], TEXT[], TEXT[], TEXT[], TEXT[], INTEGER[], BIGINT[], BIGINT[], INTEGER[], INTEGER[], INTEGER[], INTEGER[]);
CREATE OR REPLACE FUNCTION check_new_booking_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT ticket_type_id AS id FROM new_lines) AS wanted
               WHERE NOT EXISTS (SELECT FROM ticket_types t WHERE t.id = wanted.id))
    OR EXISTS (SELECT FROM new_lines WHERE NOT EXISTS (SELECT FROM bookings b WHERE b.id = new_lines.booking_id)) THEN
        RAISE foreign_key_violation USING
            MESSAGE = 'a line of a booking or ticket type that does not exist', TABLE = 'booking_lines';
    END IF;
    RETURN NULL;
END $$;
