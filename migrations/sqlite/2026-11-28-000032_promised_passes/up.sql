-- How far a line had moved a while ago. Who has been served since and has not asked for a pass yet is counted as if the
-- pass was out, so that no more people are served than there are passes.
ALTER TABLE waiting_rooms ADD COLUMN served_earlier BIGINT NOT NULL DEFAULT 0;
-- The same at `marked_at`: the next value of `served_earlier`.
ALTER TABLE waiting_rooms ADD COLUMN served_mark BIGINT NOT NULL DEFAULT 0;
ALTER TABLE waiting_rooms ADD COLUMN marked_at TIMESTAMP;
-- When somebody who is served was last told that there is no pass right now. They come first.
ALTER TABLE waiting_rooms ADD COLUMN refused_at TIMESTAMP;
