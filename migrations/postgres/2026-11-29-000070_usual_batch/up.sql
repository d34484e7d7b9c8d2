-- As book_batch_2, which costs more for each booking: a batch of one ticket type whose orders all fit is judged as a
-- whole. Servers that were started before this call book_batch_2.
CREATE FUNCTION book_batch_3(
    keys TEXT[], order_hashes BIGINT[], names TEXT[], emails TEXT[], normalized TEXT[], external_ids TEXT[],
    refs TEXT[], toks TEXT[], hold_seconds INTEGER[], expected_totals BIGINT[],
    types BIGINT[], least_wanted INTEGER[], line_order INTEGER[], line_type INTEGER[], line_quantity INTEGER[])
RETURNS TABLE (
    booked_at TIMESTAMP, outcomes INTEGER[], culprits INTEGER[], person_held INTEGER[], ids BIGINT[],
    lefts INTEGER[], versions BIGINT[], prices BIGINT[], currencies TEXT[], person_limits INTEGER[],
    events_of BIGINT[])
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
    order_count INTEGER := cardinality(keys);
    line_count INTEGER := cardinality(line_order);
    was INTEGER[]; states INTEGER[]; is_locked BOOLEAN[]; has_limit BOOLEAN;
    -- For lines of types with a limit: the number of the person and type, and what each may still have.
    line_person INTEGER[]; may_have INTEGER[]; has INTEGER[];
    totals BIGINT[] := array_fill(0::bigint, ARRAY[order_count]);
    first_types INTEGER[] := array_fill(1, ARRAY[order_count]);
    sellable BIGINT[]; first INTEGER; last INTEGER; j INTEGER; k INTEGER; n INTEGER; outcome INTEGER; updated INTEGER; cost BIGINT;
    is_usual BOOLEAN := false; wanted BIGINT; costs BIGINT[];
BEGIN
    ids := array_fill(0::bigint, ARRAY[order_count]);
    culprits := array_fill(1, ARRAY[order_count]);
    person_held := array_fill(0, ARRAY[order_count]);

    -- A look without locks: what is sold out costs no lock and no write to the disk.
    SELECT array_agg(t.id) INTO sellable FROM unnest(types, least_wanted) AS o (id, least)
    JOIN ticket_types t ON t.id = o.id AND t.available >= o.least;
    PERFORM FROM ticket_types t WHERE t.id = ANY (sellable) ORDER BY t.id FOR NO KEY UPDATE;

    -- After the locks, because they may have been waited for.
    booked_at := timezone('utc', clock_timestamp());
    SELECT array_agg(CASE WHEN t.id = ANY (sellable) THEN t.available ELSE least(coalesce(t.available, 0), o.least - 1) END ORDER BY o.i),
           -- 0: what is left is not known exactly, so nobody may be told.
           array_agg(CASE WHEN t.id = ANY (sellable) OR t.available < o.least THEN t.version ELSE 0 END ORDER BY o.i),
           array_agg(coalesce(t.price_minor, 0) ORDER BY o.i),
           array_agg(coalesce(e.currency, '') ORDER BY o.i), array_agg(t.max_per_person ORDER BY o.i),
           bool_or(t.max_per_person IS NOT NULL), array_agg(coalesce(t.event_id, 0) ORDER BY o.i),
           array_agg(sale_state_1(e, t, booked_at) ORDER BY o.i)
    INTO was, versions, prices, currencies, person_limits, has_limit, events_of, states
    FROM unnest(types, least_wanted) WITH ORDINALITY AS o (id, least, i)
    LEFT JOIN ticket_types t ON t.id = o.id LEFT JOIN events e ON e.id = t.event_id;
    lefts := was;

    -- Keys before anything that can refuse: an order that is sent again gets its booking.
    SELECT array_agg(CASE WHEN b.request_key IS NULL THEN 0 ELSE 2 END ORDER BY k.i) INTO outcomes
    FROM unnest(keys) WITH ORDINALITY AS k (key, i) LEFT JOIN bookings b ON b.request_key = k.key;

    IF has_limit THEN
        WITH wanted AS MATERIALIZED (
            SELECT l.i, l.ty, coalesce(normalized[l.o], lower(emails[l.o] COLLATE "C"), 'user ' || external_ids[l.o]) AS person
            FROM unnest(line_order, line_type) WITH ORDINALITY AS l (o, ty, i)
        ), people AS MATERIALIZED (
            SELECT row_number() OVER ()::integer AS no, p.ty, p.person, CASE WHEN person_limits[p.ty] IS NULL THEN 0 ELSE (
                SELECT coalesce(sum(l.quantity - l.returned), 0)::integer
                FROM bookings b JOIN booking_lines l ON l.booking_id = b.id AND l.ticket_type_id = types[p.ty]
                WHERE coalesce(b.buyer_email_normalized, lower(b.buyer_email), 'user ' || b.buyer_external_id) = p.person
                  AND b.status IN ('held', 'confirmed')) END AS held
            FROM (SELECT DISTINCT ty, person FROM wanted) AS p
        )
        SELECT (SELECT array_agg(p.no ORDER BY w.i) FROM wanted w JOIN people p USING (ty, person)),
               (SELECT array_agg(person_limits[p.ty] - p.held ORDER BY p.no) FROM people p),
               (SELECT array_agg(p.held ORDER BY p.no) FROM people p)
        INTO line_person, may_have, has;
    END IF;

    -- The usual rush: everybody wants tickets of one type, and there are enough for all. Then nobody is judged alone.
    IF line_count = order_count AND cardinality(types) = 1 AND states[1] = 0 AND NOT has_limit AND 2 <> ALL (outcomes) THEN
        SELECT sum(o.quantity), array_agg(prices[1] * o.quantity ORDER BY o.i),
               bool_and(o.expected IS NULL OR o.expected = prices[1] * o.quantity)
        INTO wanted, costs, is_usual
        FROM unnest(line_quantity, expected_totals) WITH ORDINALITY AS o (quantity, expected, i);
        is_usual := is_usual AND wanted <= lefts[1];
        IF is_usual THEN
            lefts[1] := lefts[1] - wanted;
            totals := costs;
            outcomes := array_fill(1, ARRAY[order_count]);
            SELECT array_agg(nextval('bookings_id_seq')) INTO ids FROM generate_series(1, order_count);
        END IF;
    END IF;

    first := 1;
    WHILE NOT is_usual AND first <= line_count LOOP
        last := first;
        n := line_order[first];
        WHILE last < line_count AND line_order[last + 1] = n LOOP last := last + 1; END LOOP;
        IF outcomes[n] = 0 THEN
            outcome := 1;
            FOR j IN first..last LOOP
                k := line_type[j];
                outcome := CASE
                    WHEN events_of[k] <> events_of[line_type[first]] THEN 9
                    WHEN states[k] <> 0 THEN states[k]
                    WHEN lefts[k] < line_quantity[j] THEN 3
                    WHEN has_limit AND may_have[line_person[j]] < line_quantity[j] THEN 4
                    ELSE 1
                END;
                IF outcome <> 1 THEN
                    culprits[n] := k;
                    IF outcome = 4 THEN person_held[n] := has[line_person[j]]; END IF;
                    EXIT;
                END IF;
            END LOOP;
            IF outcome = 1 AND expected_totals[n] IS NOT NULL THEN
                cost := 0;
                FOR j IN first..last LOOP cost := cost + prices[line_type[j]] * line_quantity[j]; END LOOP;
                IF cost <> expected_totals[n] THEN outcome := 10; END IF;
            END IF;
            outcomes[n] := outcome;
            IF outcome = 1 THEN
                FOR j IN first..last LOOP
                    k := line_type[j];
                    lefts[k] := lefts[k] - line_quantity[j];
                    totals[n] := totals[n] + prices[k] * line_quantity[j];
                    IF has_limit THEN
                        may_have[line_person[j]] := may_have[line_person[j]] - line_quantity[j];
                        has[line_person[j]] := has[line_person[j]] + line_quantity[j];
                    END IF;
                END LOOP;
                ids[n] := nextval('bookings_id_seq');
                first_types[n] := line_type[first];
            END IF;
        END IF;
        first := last + 1;
    END LOOP;

    IF 1 = ANY (outcomes) THEN
        -- The promise of this house: take n, but only if n are left. Nothing above counts if this disagrees.
        WITH taken AS (
            UPDATE ticket_types t SET available = t.available - (o.was - o.left), version = next_version(t.version)
            FROM unnest(types, was, lefts) AS o (id, was, "left")
            WHERE t.id = o.id AND o.left < o.was AND t.available >= o.was - o.left
            RETURNING t.id, t.version
        )
        SELECT array_agg(coalesce(taken.version, o.version) ORDER BY o.i), count(taken.id)
        INTO versions, updated
        FROM unnest(types, versions) WITH ORDINALITY AS o (id, version, i) LEFT JOIN taken ON taken.id = o.id;
        IF updated <> (SELECT count(*) FROM unnest(was, lefts) AS o (was, "left") WHERE o.left < o.was) THEN
            RAISE serialization_failure USING MESSAGE = 'tickets were taken that a lock protects';
        END IF;
        INSERT INTO bookings (id, event_id, reference, token, request_key, order_hash, status, currency, total_minor,
                              buyer_name, buyer_email, buyer_email_normalized, buyer_external_id, created_at, confirmed_at)
        SELECT ids[o.i], events_of[first_types[o.i]], o.reference, o.token, o.key, o.hash,
               CASE WHEN o.hold > 0 THEN 'held' ELSE 'confirmed' END,
               currencies[first_types[o.i]], totals[o.i], o.name, o.email, o.normal, o.external, booked_at, CASE WHEN o.hold > 0 THEN NULL ELSE booked_at END
        FROM unnest(keys, order_hashes, names, emails, normalized, external_ids, refs, toks, hold_seconds)
            WITH ORDINALITY AS o (key, hash, name, email, normal, external, reference, token, hold, i)
        -- Sorted: servers that insert the same keys wait for each other in one direction.
        WHERE ids[o.i] > 0 ORDER BY o.key COLLATE "C";
        INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
        SELECT ids[l.o], types[l.ty], l.quantity, prices[l.ty]
        FROM unnest(line_order, line_type, line_quantity) AS l (o, ty, quantity) WHERE ids[l.o] > 0;
        INSERT INTO holds (booking_id, held_until)
        SELECT ids[o.i], booked_at + make_interval(secs => o.hold)
        FROM unnest(hold_seconds) WITH ORDINALITY AS o (hold, i) WHERE ids[o.i] > 0 AND o.hold > 0;
        -- There is no confirmation for a hold, nor for a buyer without an address.
        INSERT INTO confirmation_batches (booking_ids, queued_at)
        SELECT array_agg(o.id), booked_at FROM unnest(ids, emails, hold_seconds) AS o (id, email, hold)
        WHERE o.id > 0 AND o.email IS NOT NULL AND o.hold = 0 HAVING count(*) > 0;
    END IF;
    RETURN NEXT;
END $$;
