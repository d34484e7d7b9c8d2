ALTER TABLE waiting_rooms DROP COLUMN refused_at;
ALTER TABLE waiting_rooms DROP COLUMN marked_at;
ALTER TABLE waiting_rooms DROP COLUMN served_mark;
ALTER TABLE waiting_rooms DROP COLUMN served_earlier;
