//! A database that only one test uses.

use std::env;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::{
    Connection as _, PgConnection, QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection,
};
use tempfile::TempDir;

use crate::template;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A new SQLite file, or a new schema or database on the PostgreSQL that `TEST_DATABASE_URL` names.
pub struct TestDatabase {
    pub url: String,
    /// Contains the SQLite file, and is the working folder of programs that a test starts.
    pub folder: TempDir,
    schema: Option<(String, String)>,
    /// The URL with the role that owns the tables, if servers use another role.
    owner: Option<String>,
    /// A separate PostgreSQL database for this test, which is dropped at the end.
    own: Option<(String, String)>,
    /// On PostgreSQL, the connection that tests read on, and its URL. It is kept because a waiting test reads a
    /// hundred times a second.
    reader: Mutex<Option<(String, PgConnection)>>,
}

/// The counts of one ticket type.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct TierCount {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub capacity: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub available: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub sold: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub held: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub bookings: i64,
}

const TIER_COUNTS: &str = "
    SELECT t.name, CAST(t.capacity AS BIGINT) AS capacity, CAST(t.available AS BIGINT) AS available,
           CAST(COALESCE(SUM(CASE WHEN b.status = 'confirmed' THEN l.quantity - l.returned END), 0) AS BIGINT) AS sold,
           CAST(COALESCE(SUM(CASE WHEN b.status = 'held' THEN l.quantity - l.returned END), 0) AS BIGINT) AS held,
           COUNT(CASE WHEN b.status = 'confirmed' THEN 1 END) AS bookings
    FROM ticket_types t LEFT JOIN booking_lines l ON l.ticket_type_id = t.id LEFT JOIN bookings b ON b.id = l.booking_id
    GROUP BY t.id, t.name, t.capacity, t.available, t.position ORDER BY t.position";

impl TestDatabase {
    /// A database as after the first start: migrated, with the sample concert, and with [`template::ADMIN_PASSWORD`]
    /// set.
    pub fn seeded() -> Self {
        let Ok(server) = env::var("TEST_DATABASE_URL") else {
            let database = Self::create();
            let path = database.url.strip_prefix("sqlite:").expect("an SQLite URL");
            let file = File::options().write(true).create_new(true).mode(0o600).open(path);
            file.and_then(|mut file| file.write_all(template::sqlite())).expect("a new file");
            return database;
        };
        let (template, folder) = (template::postgres(), tempfile::tempdir().expect("a temporary folder"));
        let name = format!("{template}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        template::copy_postgres(&mut connect_postgres(&server), &name);
        let url = template::url_of_copy(&server, &name);
        let mut database = Self::new(url, folder);
        database.schema = Some((server.clone(), template::SCHEMA.to_owned()));
        database.own = Some((server, name));
        database.served_by_role()
    }

    /// An empty database.
    pub fn create() -> Self {
        if let Ok(server) = env::var("TEST_DATABASE_URL") {
            return Self::on(&server);
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::new(url, folder)
    }

    /// An SQLite file in a folder, even when the other tests use PostgreSQL.
    pub fn file_in(place: &std::path::Path) -> Self {
        let url = format!("sqlite:{}", place.join("test.db").display());
        Self::new(url, tempfile::tempdir().expect("a temporary folder"))
    }

    /// A new schema on the PostgreSQL that a URL names.
    pub fn on(server: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let schema = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        connect_postgres(server).batch_execute(&format!("CREATE SCHEMA {schema}")).expect("a new schema");
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
        let mut database = Self::new(url, folder);
        database.schema = Some((server.to_owned(), schema));
        database.served_by_role()
    }

    fn new(url: String, folder: TempDir) -> Self {
        Self { url, folder, schema: None, owner: None, own: None, reader: Mutex::default() }
    }

    /// The same database with another role for the servers, if the environment names one.
    fn served_by_role(self) -> Self {
        match env::var("TEST_DATABASE_ROLE") {
            Ok(role) if !role.is_empty() => self.served_by(&role),
            _ => self,
        }
    }

    /// Migrates the database with the role that owns it. Servers use another role, which has only the rights that
    /// `techkraft migrate --grant-to` gives.
    pub fn served_by(mut self, role: &str) -> Self {
        let mut migrate = Command::new(crate::binary());
        migrate.args(["migrate", "--grant-to", role]).env("DATABASE_URL", &self.url).env_remove("PUBLIC_URL");
        let output = migrate.current_dir(self.folder.path()).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (scheme, rest) = self.url.split_once("://").expect("a URL");
        let place = rest.split_once('@').map_or(rest, |(_, place)| place);
        let url = format!("{scheme}://{role}@{place}");
        self.owner = Some(std::mem::replace(&mut self.url, url));
        self
    }

    /// The URL with the role that owns the tables.
    pub fn owner_url(&self) -> &str {
        self.owner.as_deref().unwrap_or(&self.url)
    }

    /// An empty database into which this one can be restored: another file, or another database on the same
    /// PostgreSQL, where the schema will have the same name.
    pub fn empty_place(&self) -> Self {
        let Some((server, schema)) = &self.schema else { return Self::create() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_place_{number}", std::process::id());
        connect_postgres(server).batch_execute(&format!("CREATE DATABASE {name}")).expect("a new database");
        let mut database = Self::new(format!("{}&dbname={name}", self.url), folder);
        database.schema = Some((server.clone(), schema.clone()));
        database.own = Some((server.clone(), name));
        database
    }

    pub fn is_postgres(&self) -> bool {
        self.schema.is_some()
    }

    /// Closes the connection that tests read on, for operations that need exclusive use of the database.
    pub fn disconnect(&self) {
        self.reader.lock().expect("a lock").take();
    }

    /// Runs SQL on a connection of its own, without the app.
    pub fn execute(&self, sql: &str) {
        if self.is_postgres() {
            connect_postgres(self.owner_url()).batch_execute(sql).expect(sql);
        } else {
            self.connect_sqlite().batch_execute(sql).expect(sql);
        }
    }

    /// The same for SQL that may be refused: returns the reason.
    pub fn try_to(&self, sql: &str) -> Result<(), String> {
        let done = if self.is_postgres() {
            connect_postgres(self.owner_url()).batch_execute(sql)
        } else {
            self.connect_sqlite().batch_execute(sql)
        };
        done.map_err(|e| e.to_string())
    }

    pub fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: 'static
            + diesel::deserialize::QueryableByName<diesel::pg::Pg>
            + diesel::deserialize::QueryableByName<diesel::sqlite::Sqlite>,
    {
        if self.is_postgres() {
            self.read_postgres(sql).expect(sql)
        } else {
            diesel::sql_query(sql).load(&mut self.connect_sqlite()).expect(sql)
        }
    }

    /// Reads on the connection of the last call, or on a new one if PostgreSQL has closed that.
    fn read_postgres<T: 'static + diesel::deserialize::QueryableByName<diesel::pg::Pg>>(
        &self,
        sql: &str,
    ) -> QueryResult<Vec<T>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let url = self.owner_url();
        // After a promotion the URL is another one.
        if let Some((known, mut connection)) = reader.take().filter(|(known, _)| known == url)
            && let Ok(rows) = diesel::sql_query(sql).load(&mut connection)
        {
            *reader = Some((known, connection));
            return Ok(rows);
        }
        let mut connection = connect_postgres(url);
        let rows = diesel::sql_query(sql).load(&mut connection)?;
        *reader = Some((url.to_owned(), connection));
        Ok(rows)
    }

    /// The column `text` of the first row.
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct TextRow {
            #[diesel(sql_type = diesel::sql_types::Text)]
            text: String,
        }
        self.rows::<TextRow>(sql).remove(0).text
    }

    /// Counts the rows of a table. `from`: the table, with an optional WHERE.
    pub fn count(&self, from: &str) -> u64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        let rows = self.rows::<Count>(&format!("SELECT COUNT(*) AS count FROM {from}"));
        u64::try_from(rows[0].count).expect("a count")
    }

    pub fn set_available(&self, tier: &str, available: u32) {
        // Keeps the counts right: the tickets that are not available are sold in one booking, whose confirmation was
        // sent.
        self.execute(&format!(
            "INSERT INTO bookings (event_id, reference, token, order_hash, total_minor,
                 currency, buyer_name, buyer_email, request_key, status, created_at, confirmed_at)
             SELECT event_id, 'TK-' || name, 'token ' || name, 0, price_minor * (available - {available}),
                 'USD', 'Box Office', 'box@example.org',
                 'box office ' || name, 'confirmed', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
             FROM ticket_types WHERE name = '{tier}' AND available > {available};
             INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor)
             SELECT b.id, t.id, t.available - {available}, t.price_minor FROM bookings b, ticket_types t
             WHERE b.request_key = 'box office {tier}' AND t.name = '{tier}' AND t.available > {available};
             INSERT INTO mails (booking_id, kind, queued_at, due_at, sent_at, state)
             SELECT id, 'confirmation', created_at, created_at, created_at, 'sent' FROM bookings b
             WHERE request_key = 'box office {tier}' AND NOT EXISTS (SELECT 1 FROM mails WHERE booking_id = b.id);
             UPDATE ticket_types SET available = {available}, version = version + 1 WHERE name = '{tier}';"
        ));
    }

    /// The id of the ticket type with this name.
    pub fn ticket_type_id(&self, name: &str) -> i64 {
        #[derive(QueryableByName)]
        struct IdRow {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            id: i64,
        }
        let ids = self.rows::<IdRow>(&format!("SELECT id FROM ticket_types WHERE name = '{name}'"));
        ids.first().expect(name).id
    }

    pub fn tiers(&self) -> Vec<TierCount> {
        self.rows(TIER_COUNTS)
    }

    pub fn tier(&self, name: &str) -> TierCount {
        self.tiers().into_iter().find(|tier| tier.name == name).expect(name)
    }

    /// Checks for every ticket type that no ticket was sold twice or lost.
    pub fn assert_books_balance(&self) {
        for tier in self.tiers() {
            assert!(tier.available >= 0, "{tier:?}");
            assert_eq!(tier.sold + tier.held + tier.available, tier.capacity, "{tier:?}");
        }
    }

    fn connect_sqlite(&self) -> SqliteConnection {
        let path = self.url.strip_prefix("sqlite:").expect("an SQLite URL");
        let mut connection = SqliteConnection::establish(path).expect("the test's database opens");
        connection.batch_execute("PRAGMA busy_timeout = 5000").expect("a pragma");
        connection
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.own {
            if let Ok(mut connection) = PgConnection::establish(server) {
                let _ = connection.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
            }
        } else if let Some((server, schema)) = &self.schema {
            // Does not wait long for a server that still holds a lock: the cluster is deleted anyway.
            let sql = format!("SET lock_timeout = '2s'; DROP SCHEMA {schema} CASCADE");
            if let Ok(mut connection) = PgConnection::establish(server) {
                let _ = connection.batch_execute(&sql);
            }
        }
    }
}

pub(crate) fn connect_postgres(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|e| panic!("{url}: {e}"))
}
