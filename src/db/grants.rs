//! What the site's own role may do, when another one owns the tables: read and write rows. It changes no table, trigger
//! or function, no entry of the audit log or the ledger, and not the list of migrations.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _};

use super::identifier::quoted;
use super::primary::primary;
use super::{Db, connect, one_line, unreachable_database};
use crate::db::url::DatabaseUrl;
use crate::start_error::StartError;

#[derive(QueryableByName)]
struct SchemaName {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
}

/// Grants a role what the site needs. This is needed again after each migration: new tables have no grants.
///
/// # Errors
/// One line: there is no such role, or the URL's role does not own the tables.
pub fn grant(url: &DatabaseUrl, role: &str) -> Result<(), StartError> {
    let hint = "leave out --grant-to, or use PostgreSQL";
    let no_roles = || StartError::setting("DATABASE_URL", &url.to_string(), "SQLite has no roles", hint);
    match connect(&primary(url)).map_err(|e| unreachable_database(url, &e))? {
        Db::Sqlite(_) => Err(no_roles()),
        Db::Postgres(mut pg) => grant_on(&mut pg, role).map_err(|e| {
            StartError::new(format!("{role} was not granted what the site needs: {}", one_line(&e)))
        }),
    }
}

fn grant_on(pg: &mut diesel::PgConnection, role: &str) -> QueryResult<()> {
    let question = "SELECT quote_ident(current_schema()) AS name";
    let schema = diesel::sql_query(question).get_result::<SchemaName>(pg)?.name.unwrap_or_default();
    let role = quoted(role);
    pg.batch_execute(&format!(
        "BEGIN;
         REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
         GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
         REVOKE UPDATE, DELETE ON {schema}.audit_log, {schema}.ledger FROM {role};
         REVOKE INSERT, UPDATE, DELETE ON {schema}.__diesel_schema_migrations FROM {role};
         COMMIT"
    ))
}
