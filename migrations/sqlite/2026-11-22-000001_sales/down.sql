DROP TABLE bookings;
DROP TABLE ticket_types;
DROP TABLE events;
