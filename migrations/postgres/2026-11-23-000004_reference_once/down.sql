ALTER TABLE bookings ADD FOREIGN KEY (ticket_type_id) REFERENCES ticket_types (id);
DROP TRIGGER ticket_types_renumbered_have_no_bookings ON ticket_types;
DROP TRIGGER ticket_types_deleted_have_no_bookings ON ticket_types;
DROP TRIGGER bookings_updated_reference_ticket_types ON bookings;
DROP TRIGGER bookings_inserted_reference_ticket_types ON bookings;
DROP FUNCTION keep_ticket_type_of_bookings();
DROP FUNCTION find_ticket_types_of_new_bookings();
