DROP TABLE event_jobs;
DROP TABLE former_slugs;
ALTER TABLE events DROP COLUMN archived_from;
ALTER TABLE events DROP COLUMN returns_until;
ALTER TABLE events DROP COLUMN postponed_from;
ALTER TABLE events DROP COLUMN accessibility;
ALTER TABLE events DROP COLUMN description_html;
