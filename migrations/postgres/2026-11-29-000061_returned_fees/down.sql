-- Entries of the new kind stay: NOT VALID asks only what is written from now on.
ALTER TABLE ledger
    DROP CONSTRAINT ledger_kind, DROP CONSTRAINT ledger_sign,
    ADD CONSTRAINT ledger_kind CHECK (kind IN ('payment', 'refund', 'refund_failed', 'dispute', 'dispute_won', 'fee')) NOT VALID,
    ADD CONSTRAINT ledger_sign CHECK ((kind IN ('payment', 'refund_failed', 'dispute_won')) = (amount_minor > 0)) NOT VALID;
