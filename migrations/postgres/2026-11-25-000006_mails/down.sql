DROP TRIGGER bookings_deleted_take_their_mails ON bookings;
DROP FUNCTION delete_mails_of_deleted_bookings();
DROP TABLE mails;
