CREATE INDEX used_tickets_ticket_type_id ON used_tickets (ticket_type_id);
DROP INDEX used_tickets_state;
DROP INDEX bookings_event_id;
DROP TABLE sales_counts;
