-- Times are UTC. Money is integer cents in the event's currency (ISO 4217).
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tagline TEXT NOT NULL,
    venue TEXT NOT NULL,
    city TEXT NOT NULL,
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL CHECK (ends_at > starts_at),
    time_zone TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3)
);

CREATE TABLE ticket_types (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price_cents BIGINT NOT NULL CHECK (price_cents >= 0),
    capacity INTEGER NOT NULL CHECK (capacity > 0),
    available INTEGER NOT NULL CHECK (available BETWEEN 0 AND capacity),
    max_per_booking INTEGER NOT NULL CHECK (max_per_booking > 0),
    position INTEGER NOT NULL,
    -- Counts every change of the row, and never goes back: readers order what they have seen by it.
    version BIGINT NOT NULL DEFAULT 1,
    UNIQUE (event_id, name)
);

CREATE TABLE bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL UNIQUE,
    ticket_type_id BIGINT NOT NULL REFERENCES ticket_types (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_cents BIGINT NOT NULL CHECK (unit_price_cents >= 0),
    total_cents BIGINT NOT NULL CHECK (total_cents = unit_price_cents * quantity),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    buyer_name TEXT NOT NULL,
    buyer_email TEXT NOT NULL,
    request_key TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('confirmed', 'cancelled')),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX bookings_ticket_type_id ON bookings (ticket_type_id);
CREATE INDEX bookings_buyer_email ON bookings (lower(buyer_email));
CREATE INDEX bookings_created_at ON bookings (created_at);
