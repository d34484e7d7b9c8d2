DROP TABLE queue_passes;
DROP TABLE queue_arrivals;
DROP TABLE waiting_rooms;
