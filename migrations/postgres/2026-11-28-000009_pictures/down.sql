DROP TABLE pictures;
ALTER TABLE events DROP COLUMN image_alt;
