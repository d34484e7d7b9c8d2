-- Where a session was started, and when it was last used; unknown for what the release before has written.
ALTER TABLE admin_sessions ADD COLUMN last_seen_at TIMESTAMP;
ALTER TABLE admin_sessions ADD COLUMN client_address TEXT NOT NULL DEFAULT '';
CREATE INDEX admin_sessions_admin_id ON admin_sessions (admin_id);

-- Wrong passwords by account, network and browser. The key is a hash: what people mistype is not kept.
CREATE TABLE sign_in_brakes (
    key TEXT PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    slowed_until TIMESTAMP NOT NULL,
    last_failed_at TIMESTAMP NOT NULL
);
CREATE INDEX sign_in_brakes_last_failed_at ON sign_in_brakes (last_failed_at);

ALTER TABLE audit_log ADD COLUMN client_address TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_log_action_id ON audit_log (action, id);

-- The log is only ever added to, whoever asks for something else.
CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_log_is_never_deleted BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- INSERT OR REPLACE deletes the row that is in its way, and asks no trigger for that.
CREATE TRIGGER audit_log_is_never_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
