DROP TRIGGER audit_log_is_never_replaced;
DROP TRIGGER audit_log_is_never_deleted;
DROP TRIGGER audit_log_is_never_changed;
DROP INDEX audit_log_action_id;
ALTER TABLE audit_log DROP COLUMN client_address;
DROP TABLE sign_in_brakes;
DROP INDEX admin_sessions_admin_id;
ALTER TABLE admin_sessions DROP COLUMN client_address;
ALTER TABLE admin_sessions DROP COLUMN last_seen_at;
