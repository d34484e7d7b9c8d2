DROP TABLE secrets;
DROP TABLE audit_log;
DROP TABLE admin_sessions;
DROP TABLE admins;
