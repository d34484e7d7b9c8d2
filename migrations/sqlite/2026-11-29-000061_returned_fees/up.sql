-- What the provider gives back of a fee, when a dispute is won, is a kind of its own. SQLite changes a CHECK
-- only by a new table.
CREATE TABLE wider_ledger (
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
    CONSTRAINT ledger_kind CHECK
        (kind IN ('payment', 'refund', 'refund_failed', 'dispute', 'dispute_won', 'fee', 'fee_returned')),
    CONSTRAINT ledger_sign CHECK
        ((kind IN ('payment', 'refund_failed', 'dispute_won', 'fee_returned')) = (amount_minor > 0)),
    CONSTRAINT ledger_currency CHECK (length(currency) = 3)
);
INSERT INTO wider_ledger (id, entry_key, booking_id, payment_id, refund_id, kind, amount_minor, currency, live,
                          provider_id, entered_at)
SELECT id, entry_key, booking_id, payment_id, refund_id, kind, amount_minor, currency, live, provider_id, entered_at
FROM ledger;
-- Release before: it has no ledger, and the release that has one finds the same table with all that was in it.
DROP TABLE ledger;
-- Release before: as above.
ALTER TABLE wider_ledger RENAME TO ledger;
CREATE INDEX ledger_booking_id ON ledger (booking_id);
CREATE INDEX ledger_entered_at ON ledger (entered_at);

-- Release before: as above. The table had the same three.
CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- Release before: as above.
CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- Release before: as above.
CREATE TRIGGER ledger_is_never_replaced BEFORE INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM ledger WHERE id = NEW.id OR entry_key = NEW.entry_key)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
