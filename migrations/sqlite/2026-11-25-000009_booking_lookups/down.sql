DROP TABLE booking_lookups;
