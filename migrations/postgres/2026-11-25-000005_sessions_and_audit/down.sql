DROP TRIGGER audit_log_is_append_only ON audit_log;
DROP FUNCTION refuse_to_change_the_audit_log();
DROP INDEX audit_log_action_id;
ALTER TABLE audit_log DROP COLUMN client_address;
DROP TABLE sign_in_brakes;
DROP INDEX admin_sessions_admin_id;
ALTER TABLE admin_sessions DROP COLUMN client_address, DROP COLUMN last_seen_at;
