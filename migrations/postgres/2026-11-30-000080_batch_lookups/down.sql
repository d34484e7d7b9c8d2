ALTER TABLE confirmation_batches ALTER COLUMN booking_ids SET STORAGE EXTENDED;
CREATE OR REPLACE FUNCTION check_new_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_holds WHERE NOT EXISTS (SELECT FROM bookings b WHERE b.id = new_holds.booking_id)) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a hold of a booking that does not exist', TABLE = 'holds';
    END IF;
    RETURN NULL;
END $$;
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
