DROP FUNCTION cancel_booking_1;
