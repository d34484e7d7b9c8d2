//! PgBouncer between the program and PostgreSQL.

mod own_postgres;
