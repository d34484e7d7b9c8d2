DROP INDEX audit_log_subject;
DROP INDEX booking_lines_ticket_type_id;
DROP INDEX bookings_canceled_of_event;
DROP INDEX bookings_canceled;
DROP TABLE search_progress;
DROP TABLE booking_words;
ALTER TABLE event_jobs DROP COLUMN ticket_type_id;
ALTER TABLE audit_log DROP COLUMN details;
