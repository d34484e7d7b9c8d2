ALTER TABLE payment_events DROP COLUMN returned;
ALTER TABLE refunds DROP COLUMN beyond_minor;
DROP INDEX payments_open;
ALTER TABLE payments DROP COLUMN asked_at;
