-- The organizer's cancellation with its note in one statement: the ticket types, which everybody wants, are locked for one
-- round trip. See release_booking_1.
CREATE FUNCTION cancel_booking_1(booking BIGINT, seats INTEGER[], actor TEXT, actor_address TEXT, action TEXT, note TEXT)
RETURNS TABLE (outcome INTEGER, admitted INTEGER, ended_at TIMESTAMP, type_ids BIGINT[], lefts INTEGER[], versions BIGINT[])
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
BEGIN
    SELECT r.outcome, r.admitted, r.ended_at, r.type_ids, r.lefts, r.versions
    INTO outcome, admitted, ended_at, type_ids, lefts, versions
    FROM release_booking_1(booking, seats, actor, actor_address, action) AS r;
    IF outcome = 1 THEN
        INSERT INTO cancellation_notes (booking_id, seats, message, canceled_at)
        VALUES (booking, coalesce(array_to_string(seats, ' '), ''), note, ended_at);
    END IF;
    RETURN NEXT;
END $$;
