-- How a concert is paid for. The release before sells everything "at the venue", so a concert is switched to online
-- payment when the rollout has ended (docs/releases.md).
ALTER TABLE events ADD COLUMN payment TEXT NOT NULL DEFAULT 'venue' CHECK (payment IN ('venue', 'online', 'both'));
-- What is kept of each ticket that a buyer gives back; 0: all of its price is refunded; NULL: nothing is.
ALTER TABLE events ADD COLUMN refund_fee_minor BIGINT DEFAULT 0 CHECK (refund_fee_minor >= 0);
-- The tax that the price includes, in hundredths of a percent; NULL: receipts name none.
ALTER TABLE ticket_types ADD COLUMN tax_rate INTEGER CHECK (tax_rate BETWEEN 0 AND 10000);

-- `held_until` is when tickets go back on sale at the earliest; `pay_until` is what the buyer is told (NULL:
-- `held_until`). What may still be paid at Stripe is never released, so the first may be the later one.
ALTER TABLE holds ADD COLUMN pay_until TIMESTAMP;
-- The end that "More time" cannot pass, fixed at the beginning; NULL: nobody has asked for more.
ALTER TABLE holds ADD COLUMN latest_until TIMESTAMP;
ALTER TABLE holds ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0;

-- Attempts to pay: one row for each page of the provider. Nothing is sent before its row is committed.
CREATE TABLE payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- No cascade: a booking with a payment is not deleted, whichever release tries.
    booking_id BIGINT NOT NULL REFERENCES bookings (id),
    provider TEXT NOT NULL DEFAULT 'stripe',
    -- Whether it is real money, or a test.
    live BOOLEAN NOT NULL,
    state TEXT NOT NULL DEFAULT 'wanted',
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    -- Asked back, and not refused: no refund goes beyond the payment.
    refunded_minor BIGINT NOT NULL DEFAULT 0,
    -- What a buyer who cancels gets back, as the concert promised it then.
    refund_fee_minor BIGINT,
    idempotency_key TEXT NOT NULL UNIQUE,
    -- The body that asks for the page, fixed when it is sent for the first time: the same key always has the same body.
    request TEXT,
    session_id TEXT UNIQUE,
    session_url TEXT,
    session_ends_at TIMESTAMP,
    intent_id TEXT UNIQUE,
    -- Why the bank said no the last time, in the provider's words for programs.
    declined TEXT,
    -- "visa 4242"
    method TEXT,
    -- What the provider keeps.
    fee_minor BIGINT,
    wanted_at TIMESTAMP NOT NULL,
    opened_at TIMESTAMP,
    paid_at TIMESTAMP,
    ended_at TIMESTAMP,
    -- When it is looked at next; whoever takes it puts this off for the time of a lease.
    due_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    CONSTRAINT payments_state CHECK (state IN ('wanted', 'open', 'paid', 'expired', 'failed', 'review')),
    CONSTRAINT payments_amount CHECK (amount_minor > 0),
    CONSTRAINT payments_refunded CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT payments_currency CHECK (length(currency) = 3),
    CONSTRAINT payments_open CHECK (state NOT IN ('open', 'paid') OR (session_id IS NOT NULL AND session_ends_at IS NOT NULL)),
    CONSTRAINT payments_paid CHECK ((state = 'paid') = (paid_at IS NOT NULL))
);
-- A booking has one page to pay on at a time.
CREATE UNIQUE INDEX payments_alive ON payments (booking_id) WHERE state IN ('wanted', 'open');
CREATE INDEX payments_booking_id ON payments (booking_id);
CREATE INDEX payments_queue ON payments (due_at) WHERE state IN ('wanted', 'open');
CREATE INDEX payments_wanted ON payments (id) WHERE state = 'wanted';
CREATE INDEX payments_review ON payments (id) WHERE state = 'review';

-- What a payment is for, as it was then. Receipts are made of it.
CREATE TABLE payment_lines (
    payment_id BIGINT NOT NULL REFERENCES payments (id) ON DELETE CASCADE,
    ticket_type_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price_minor BIGINT NOT NULL,
    tax_rate INTEGER,
    PRIMARY KEY (payment_id, ticket_type_id),
    CONSTRAINT payment_lines_quantity CHECK (quantity > 0),
    CONSTRAINT payment_lines_unit_price CHECK (unit_price_minor >= 0)
);

-- Money that goes back, or that a bank has taken back.
CREATE TABLE refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    payment_id BIGINT NOT NULL REFERENCES payments (id),
    -- `outside`: it began at the provider. `dispute`: a bank asks for the money.
    source TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'wanted',
    amount_minor BIGINT NOT NULL,
    -- The seats that it is for; empty: all of the booking, or an amount.
    seats TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL DEFAULT '',
    idempotency_key TEXT NOT NULL UNIQUE,
    -- The provider's.
    refund_id TEXT UNIQUE,
    wanted_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP,
    due_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    CONSTRAINT refunds_source CHECK (source IN ('buyer', 'organizer', 'system', 'outside', 'dispute')),
    CONSTRAINT refunds_state CHECK (state IN ('wanted', 'pending', 'done', 'failed')),
    CONSTRAINT refunds_amount CHECK (amount_minor > 0)
);
CREATE INDEX refunds_payment_id ON refunds (payment_id);
CREATE INDEX refunds_queue ON refunds (due_at) WHERE state IN ('wanted', 'pending');

-- What the provider tells: each event once. It is a bell; what is true is read from the provider.
CREATE TABLE payment_events (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What it is about: a session, an intent, a charge, a refund, a dispute.
    object_id TEXT NOT NULL,
    -- The intent that the object belongs to, where it names one.
    intent_id TEXT,
    -- The payment that its object names; it is asked about, whatever the event says.
    payment_id BIGINT,
    live BOOLEAN NOT NULL,
    -- When it happened there.
    happened_at TIMESTAMP NOT NULL,
    received_at TIMESTAMP NOT NULL,
    handled_at TIMESTAMP,
    due_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX payment_events_queue ON payment_events (due_at) WHERE handled_at IS NULL;
CREATE INDEX payment_events_received_at ON payment_events (received_at);

-- Every cent that has moved. Rows are only ever added, each act once.
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    entry_key TEXT NOT NULL UNIQUE,
    booking_id BIGINT NOT NULL,
    payment_id BIGINT NOT NULL,
    refund_id BIGINT,
    kind TEXT NOT NULL,
    -- What the seller has more; negative: less.
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    live BOOLEAN NOT NULL,
    -- The provider's name for it.
    provider_id TEXT NOT NULL DEFAULT '',
    entered_at TIMESTAMP NOT NULL,
    CONSTRAINT ledger_kind CHECK (kind IN ('payment', 'refund', 'refund_failed', 'dispute', 'dispute_won', 'fee')),
    CONSTRAINT ledger_sign CHECK ((kind IN ('payment', 'refund_failed', 'dispute_won')) = (amount_minor > 0)),
    CONSTRAINT ledger_currency CHECK (length(currency) = 3)
);
CREATE INDEX ledger_booking_id ON ledger (booking_id);
CREATE INDEX ledger_entered_at ON ledger (entered_at);

CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_is_never_replaced BEFORE INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM ledger WHERE id = NEW.id OR entry_key = NEW.entry_key)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- What servers agree on: the next free moment of each of the provider's endpoints, and when its lists were last read.
CREATE TABLE payment_clocks (
    name TEXT PRIMARY KEY NOT NULL,
    at TIMESTAMP NOT NULL
);
