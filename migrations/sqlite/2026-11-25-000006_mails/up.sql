-- Mails to be sent, being sent, and sent: one row for each. A row holds what is not known elsewhere; the text
-- is written when it is sent. Times are UTC.
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
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed', 'dropped')),
    -- Only where it is not the booking's buyer.
    recipient TEXT,
    -- What the kind needs to know beyond the booking.
    payload TEXT,
    last_error TEXT,
    CHECK (booking_id IS NOT NULL OR recipient IS NOT NULL),
    -- A booking has at most one mail of a kind; mails of no booking are not counted.
    UNIQUE (booking_id, kind)
);
CREATE INDEX mails_queue ON mails (due_at) WHERE state = 'queued';
CREATE INDEX mails_failed ON mails (id) WHERE state = 'failed';

-- Bookings that were made before there were mails are left alone.
INSERT INTO mails (booking_id, kind, queued_at, due_at, state, last_error)
SELECT id, 'confirmation', created_at, created_at, 'dropped', 'booked before mails were sent'
FROM bookings ORDER BY id;
