-- When a payment was last taken to be asked about: who comes back from the provider's page again and again has it asked
-- no more often for that.
ALTER TABLE payments ADD COLUMN asked_at TIMESTAMP;
-- Open pages are taken by themselves: those that wait for one do not stand before them.
CREATE INDEX payments_open ON payments (due_at) WHERE state = 'open';

-- What went back beyond the payment, because refunds and disputes that began at the provider overlap. It is a part of
-- `amount_minor`, and not of `payments.refunded_minor`.
ALTER TABLE refunds ADD COLUMN beyond_minor BIGINT NOT NULL DEFAULT 0;

-- How much of the payment has gone back, as an event about a charge says it, in the provider's units.
ALTER TABLE payment_events ADD COLUMN returned BIGINT;
