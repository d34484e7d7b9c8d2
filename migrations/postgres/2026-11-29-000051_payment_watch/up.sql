-- Operators are told when Stripe is silent about pages that were made since.
CREATE INDEX payments_opened_at ON payments (opened_at);
-- Stripe may know what it keeps of a payment a little later than that it was paid: those payments are asked about again.
CREATE INDEX payments_without_fee ON payments (due_at) WHERE state = 'paid' AND fee_minor IS NULL;
