INSERT INTO mails (booking_id, kind, queued_at, due_at)
SELECT booking_id, 'confirmation', queued_at, queued_at FROM batched_confirmations ORDER BY booking_id;
DROP VIEW batched_confirmations;
DROP TABLE confirmation_batches;
