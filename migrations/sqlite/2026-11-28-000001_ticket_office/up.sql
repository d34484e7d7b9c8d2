-- Times are UTC. Money is an integer in the minor unit of its currency (ISO 4217): cents for USD.

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tagline TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    venue TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    city TEXT NOT NULL,
    doors_at TIMESTAMP,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- Where the picture is; NULL: none.
    image TEXT,
    age_limit INTEGER,
    organizer_name TEXT NOT NULL DEFAULT '',
    organizer_contact TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'draft',
    -- NULL: from publication on.
    sales_start_at TIMESTAMP,
    -- NULL: until the start of the show.
    sales_end_at TIMESTAMP,
    paused BOOLEAN NOT NULL DEFAULT false,
    -- Whether the front page lists it. It opens for anyone who has the link.
    listed BOOLEAN NOT NULL DEFAULT true,
    -- Until how many minutes before the start a buyer may cancel; NULL: only the organizer may.
    cancellation_deadline_minutes INTEGER,
    -- Grows with every change of the row.
    facts_version BIGINT NOT NULL DEFAULT 1,
    CONSTRAINT events_end_after_start CHECK (ends_at > starts_at),
    CONSTRAINT events_currency CHECK (length(currency) = 3),
    CONSTRAINT events_age_limit CHECK (age_limit > 0),
    CONSTRAINT events_state CHECK (state IN ('draft', 'published', 'canceled', 'archived')),
    CONSTRAINT events_sales_window CHECK (sales_end_at > sales_start_at),
    CONSTRAINT events_cancellation_deadline CHECK (cancellation_deadline_minutes >= 0)
);

CREATE TABLE ticket_types (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    price_minor BIGINT NOT NULL,
    capacity INTEGER NOT NULL,
    -- capacity = confirmed + held + available, always.
    available INTEGER NOT NULL,
    max_per_booking INTEGER NOT NULL,
    -- The most that one person (one email address) may have in all bookings together; NULL: no limit.
    max_per_person INTEGER,
    position INTEGER NOT NULL,
    icon TEXT,
    accent INTEGER,
    state TEXT NOT NULL DEFAULT 'on_sale',
    sales_start_at TIMESTAMP,
    sales_end_at TIMESTAMP,
    -- Grows with every change of `available`. It starts with the clock, so it also grows over a restored backup.
    version BIGINT NOT NULL DEFAULT 1,
    -- Grows with every change of anything else.
    facts_version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (event_id, name),
    CONSTRAINT ticket_types_price CHECK (price_minor >= 0),
    CONSTRAINT ticket_types_capacity CHECK (capacity > 0),
    CONSTRAINT ticket_types_available CHECK (available BETWEEN 0 AND capacity),
    CONSTRAINT ticket_types_max_per_booking CHECK (max_per_booking > 0),
    CONSTRAINT ticket_types_max_per_person CHECK (max_per_person > 0),
    CONSTRAINT ticket_types_accent CHECK (accent > 0),
    CONSTRAINT ticket_types_state CHECK (state IN ('on_sale', 'paused', 'hidden')),
    CONSTRAINT ticket_types_sales_window CHECK (sales_end_at > sales_start_at)
);

--: these are only compared byte by byte.
CREATE TABLE bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id),
    -- A permutation of the id (src/booking/reference_key.rs), so it needs no index.
    reference TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    request_key TEXT NOT NULL UNIQUE,
    -- What was ordered and by whom, hashed: tells a repeated order from another one with the same key.
    order_hash BIGINT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    buyer_name TEXT NOT NULL,
    buyer_email TEXT,
    -- Only where it is not the address in small ASCII letters.
    buyer_email_normalized TEXT,
    -- The buyer's id in the program that booked, where there is no address.
    buyer_external_id TEXT,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP,
    canceled_at TIMESTAMP,
    CONSTRAINT bookings_status CHECK (status IN ('held', 'confirmed', 'expired', 'canceled')),
    CONSTRAINT bookings_canceled_at CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CONSTRAINT bookings_confirmed_at CHECK (status <> 'confirmed' OR confirmed_at IS NOT NULL),
    CONSTRAINT bookings_currency CHECK (length(currency) = 3),
    CONSTRAINT bookings_total CHECK (total_minor >= 0),
    CONSTRAINT bookings_buyer CHECK (buyer_email IS NOT NULL OR buyer_external_id IS NOT NULL)
);
-- The bookings of a person. `PERSON` in src/booking/store is the same expression.
CREATE INDEX bookings_person
    ON bookings (coalesce(buyer_email_normalized, lower(buyer_email), 'user ' || buyer_external_id));

CREATE TABLE booking_lines (
    booking_id BIGINT NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    ticket_type_id BIGINT NOT NULL REFERENCES ticket_types (id),
    -- What was ordered. It never changes: tickets are numbered by it.
    quantity INTEGER NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    -- How many of them were given back.
    returned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (booking_id, ticket_type_id),
    CONSTRAINT booking_lines_quantity CHECK (quantity > 0),
    CONSTRAINT booking_lines_unit_price CHECK (unit_price_minor >= 0),
    CONSTRAINT booking_lines_returned CHECK (returned BETWEEN 0 AND quantity)
);

-- Bookings that hold their places until a time. Deleting the row decides what ends the hold: its
-- confirmation or its expiry.
CREATE TABLE holds (
    booking_id INTEGER PRIMARY KEY NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    held_until TIMESTAMP NOT NULL
);
CREATE INDEX holds_held_until ON holds (held_until);

-- Tickets to which something has happened. A ticket is a booking and a seat; the gate and a return may come at the
-- same time, and this key lets one of them win.
CREATE TABLE used_tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    booking_id BIGINT NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    seat INTEGER NOT NULL,
    ticket_type_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    gate TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL DEFAULT '',
    used_at TIMESTAMP NOT NULL,
    UNIQUE (booking_id, seat),
    CONSTRAINT used_tickets_seat CHECK (seat > 0),
    CONSTRAINT used_tickets_state CHECK (state IN ('admitted', 'returned'))
);
CREATE INDEX used_tickets_ticket_type_id ON used_tickets (ticket_type_id);

-- Who was not let in, and why. `ticket` is the reference and seat where the code was one of ours, and otherwise
-- the start of what was typed.
CREATE TABLE refusals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ticket TEXT NOT NULL,
    reason TEXT NOT NULL,
    gate TEXT NOT NULL,
    actor TEXT NOT NULL,
    refused_at TIMESTAMP NOT NULL,
    CONSTRAINT refusals_reason CHECK (reason IN ('used', 'returned', 'canceled', 'other event', 'unknown'))
);
CREATE INDEX refusals_event_id ON refusals (event_id);

-- Mails to be sent, being sent, and sent: one row for each. A row holds what is not known elsewhere; the text
-- is written when it is sent.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    booking_id BIGINT REFERENCES bookings (id) ON DELETE CASCADE,
    -- When it was put into the queue, the first time or again.
    queued_at TIMESTAMP NOT NULL,
    -- When it may be tried next. Whoever takes it puts this off for as long as the attempt may last, so that a
    -- mail whose server has died in the middle comes back by itself.
    due_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    attempts INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    -- Two mails with the same key are one mail; NULL: a mail that may be sent any number of times.
    dedupe_key TEXT UNIQUE,
    state TEXT NOT NULL DEFAULT 'queued',
    -- Only where it is not the booking's buyer.
    recipient TEXT,
    -- What the kind needs to know beyond the booking.
    payload TEXT,
    last_error TEXT,
    CONSTRAINT mails_state CHECK (state IN ('queued', 'sent', 'failed', 'dropped')),
    CONSTRAINT mails_addressed CHECK (booking_id IS NOT NULL OR recipient IS NOT NULL)
);
CREATE INDEX mails_booking_id ON mails (booking_id);
CREATE INDEX mails_queue ON mails (due_at) WHERE state = 'queued';
CREATE INDEX mails_failed ON mails (id) WHERE state = 'failed';

-- The confirmations of a batch of bookings, until the sender makes mails of them: one row however many they are,
-- so that the outbox costs a rush next to nothing.
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

-- Who asked for their bookings of late, so that nobody is flooded with mail: a hash of each address, known or not,
-- for as long as another mail would be too soon.
CREATE TABLE booking_lookups (
    email_hash TEXT PRIMARY KEY NOT NULL,
    asked_at TIMESTAMP NOT NULL
);
CREATE INDEX booking_lookups_asked_at ON booking_lookups (asked_at);

CREATE TABLE admins (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    username TEXT NOT NULL UNIQUE,
    -- An argon2 hash in PHC string format, never the password.
    password_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE admin_sessions (
    -- SHA-256 of the cookie's value: who reads this table still cannot sign in.
    token_hash TEXT PRIMARY KEY NOT NULL,
    admin_id BIGINT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP,
    client_address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX admin_sessions_admin_id ON admin_sessions (admin_id);

-- Wrong passwords by account, network and browser. The key is a hash: what people mistype is not kept.
CREATE TABLE sign_in_brakes (
    key TEXT PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    slowed_until TIMESTAMP NOT NULL,
    last_failed_at TIMESTAMP NOT NULL
);
CREATE INDEX sign_in_brakes_last_failed_at ON sign_in_brakes (last_failed_at);

-- Who did what, when, and to how many. Rows are only ever added.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    affected BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    client_address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_log_action_id ON audit_log (action, id);

CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_is_never_deleted BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_is_never_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Values that every server of one database must agree on, such as the signing key when none is set.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
-- The key that makes references of booking ids (src/booking/reference_key.rs): eight numbers from 1 to 2147483646.
INSERT INTO secrets (name, value)
SELECT 'booking references', group_concat(number, ' ') FROM (
    SELECT abs(random() % 2147483646) + 1 AS number
    FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8)));
