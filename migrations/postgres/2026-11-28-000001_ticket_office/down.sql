DROP FUNCTION release_booking_1, expire_holds_1, confirm_hold_1, book_batch_1, sale_state_1;
DROP VIEW batched_confirmations;
DROP TABLE secrets, audit_log, sign_in_brakes, admin_sessions, admins, booking_lookups, confirmation_batches, mails,
    refusals, used_tickets, holds, booking_lines, bookings, ticket_types, events;
DROP FUNCTION refuse_to_change_the_audit_log, check_new_booking_lines, check_new_holds, refuse_to_move_booking_lines,
    keep_ticket_types_with_bookings, delete_what_belongs_to_bookings, next_version;
