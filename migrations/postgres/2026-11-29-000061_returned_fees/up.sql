-- What the provider gives back of a fee, when a dispute is won, is a kind of its own.
-- Release before: both constraints allow all that they allowed.
ALTER TABLE ledger
    DROP CONSTRAINT ledger_kind, DROP CONSTRAINT ledger_sign,
    ADD CONSTRAINT ledger_kind CHECK (kind IN ('payment', 'refund', 'refund_failed', 'dispute', 'dispute_won', 'fee', 'fee_returned')) NOT VALID,
    ADD CONSTRAINT ledger_sign CHECK ((kind IN ('payment', 'refund_failed', 'dispute_won', 'fee_returned')) = (amount_minor > 0)) NOT VALID;
ALTER TABLE ledger VALIDATE CONSTRAINT ledger_kind, VALIDATE CONSTRAINT ledger_sign;
