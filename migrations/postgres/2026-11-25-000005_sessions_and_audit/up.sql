-- Where a session was started, and when it was last used; unknown for what the release before has written.
ALTER TABLE admin_sessions
    ADD COLUMN last_seen_at TIMESTAMP,
    ADD COLUMN client_address TEXT NOT NULL DEFAULT '';
CREATE INDEX admin_sessions_admin_id ON admin_sessions (admin_id);

-- Wrong passwords by account, network and browser. The key is a hash: what people mistype is not kept.
CREATE TABLE sign_in_brakes (
    key TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    slowed_until TIMESTAMP NOT NULL,
    last_failed_at TIMESTAMP NOT NULL
);
CREATE INDEX sign_in_brakes_last_failed_at ON sign_in_brakes (last_failed_at);

ALTER TABLE audit_log ADD COLUMN client_address TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_log_action_id ON audit_log (action, id);

-- The log is only ever added to, whoever asks for something else.
CREATE FUNCTION refuse_to_change_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the audit log is append-only', TABLE = 'audit_log';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();
-- Also while a session calls itself a replica, which switches ordinary triggers off.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_is_append_only;
