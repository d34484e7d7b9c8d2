//! The shop under test: the real binary on a free port, with a database that nobody else uses. SQLite,
//! or the PostgreSQL that `TEST_DATABASE_URL` names.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use techkraft::db::DatabaseUrl;
use techkraft::db::{Database, Db};
use techkraft::events::TicketType;
use techkraft::schema::{bookings, ticket_types};
use tempfile::TempDir;
use testkit::server::set_admin_password;

const START_WAIT: Duration = Duration::from_secs(20);

pub struct Site {
    process: Child,
    binary: PathBuf,
    bind: String,
    settings: Vec<(&'static str, &'static str)>,
    database_url: String,
    /// The admin's password.
    pub password: String,
    database: Database,
    // Fields are dropped in this order: connections first, then what they lead to.
    _schema: Option<Schema>,
    folder: TempDir,
}

/// A tier's place on the page.
#[derive(Clone)]
pub struct Tier {
    pub id: i64,
    pub name: String,
}

impl Site {
    /// Starts the shop with the seed's concert.
    pub fn open(binary: impl Into<PathBuf>) -> Self {
        // Journeys wait for polls, so these are fast. One interval: a machine that is busy with other journeys is no
        // reason to poll less in this one.
        Self::open_with(binary, &[("POLL_SECONDS", "2"), ("POLL_SECONDS_BUSY", "2")])
    }

    /// The same with settings.
    pub fn open_with(binary: impl Into<PathBuf>, settings: &[(&'static str, &'static str)]) -> Self {
        let (binary, settings) = (binary.into(), settings.to_vec());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let schema = env::var("TEST_DATABASE_URL").ok().map(Schema::create);
        let database_url = match &schema {
            Some(schema) => schema.url(),
            None => format!("sqlite:{}", folder.path().join("techkraft.db").display()),
        };
        let (process, lines) = spawn(&binary, &folder, "127.0.0.1:0", &database_url, &settings);
        let bind = address(&lines);
        let password =
            set_admin_password(techkraft(&binary, &folder, &database_url).env("RUST_LOG", "error"));
        let url = DatabaseUrl::parse(&database_url).expect("a database URL");
        let database = Database::open(&url, 1).expect("the shop's database");
        Self { process, binary, bind, settings, database_url, password, database, _schema: schema, folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.bind)
    }

    /// Where the shop keeps what is not in its database.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server is gone from one moment to the next.
    pub fn stop(&mut self) {
        self.process.kill().expect("the server can be killed");
        self.process.wait().expect("the server ends");
    }

    /// The server is back at the same address, with the same database.
    pub fn start_again(&mut self) {
        let (process, lines) =
            spawn(&self.binary, &self.folder, &self.bind, &self.database_url, &self.settings);
        self.process = process;
        assert_eq!(address(&lines), self.bind);
    }

    pub fn tier(&self, name: &str) -> Tier {
        Tier { id: self.ticket_type(name).id, name: name.to_owned() }
    }

    pub fn available(&self, tier: &Tier) -> i32 {
        self.ticket_type(&tier.name).available
    }

    /// As if other visitors had left only so many tickets.
    pub fn set_available(&self, tier: &Tier, available: i32) {
        let row = ticket_types::table.find(tier.id);
        let change =
            (ticket_types::available.eq(available), ticket_types::version.eq(ticket_types::version + 1));
        self.beside_the_runtime(|database| {
            let written = database.write_blocking(|db| diesel::update(row).set(change).execute(db));
            written.expect("the tickets can be counted again");
        });
    }

    /// As if the organizer had changed the concert: `change` is what SQL sets.
    pub fn change_concert(&self, change: &str) {
        self.run_sql(&format!("UPDATE events SET {change}, facts_version = facts_version + 1"));
    }

    /// Makes it the night of the concert, which the gates ask for.
    pub fn open_doors(&self) {
        let time = |hours| (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%F %T").to_string();
        self.change_concert(&format!("starts_at = '{}', ends_at = '{}'", time(1), time(4)));
    }

    /// So many other concerts, each with the same ticket types and a long name, one on each later day.
    pub fn add_concerts(&self, count: u32) {
        for number in 1..=count {
            self.run_sql(&format!(
                "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
                 SELECT 'later-{number}', 'The Night of the Unpronounceable Schottische, Part {number}',
                        venue, city, '2028-01-01 01:00:00', '2028-01-01 04:00:00', time_zone, currency, state
                 FROM events WHERE slug = 'midnight-parade'"
            ));
        }
        self.run_sql(
            "INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
             SELECT it.id, 'Seated', 3500, 10, 10, 4, 1 FROM events it WHERE it.slug LIKE 'later-%'",
        );
    }

    pub fn run_sql(&self, statement: &str) {
        self.beside_the_runtime(|database| {
            let written = database.write_blocking(|db| sql_query(statement).execute(db));
            written.unwrap_or_else(|e| panic!("{statement}: {e}"));
        });
    }

    /// Somebody else's transaction holds what every booking needs, until the answer is dropped: orders wait.
    pub fn block_bookings(&self) -> Sender<()> {
        let (release, released) = mpsc::channel();
        let (blocked, is_blocked) = mpsc::channel();
        let database = self.database.clone();
        std::thread::spawn(move || {
            let block = |db: &mut Db| {
                let locked =
                    diesel::update(ticket_types::table).set(ticket_types::version.eq(ticket_types::version));
                locked.execute(db)?;
                let _ = blocked.send(());
                let _ = released.recv();
                QueryResult::Ok(())
            };
            database.write_blocking(block).expect("the transaction ends well");
        });
        is_blocked.recv().expect("the rows are locked");
        release
    }

    pub fn booking_count(&self) -> i64 {
        self.read(|db| bookings::table.count().get_result(db))
    }

    fn ticket_type(&self, name: &str) -> TicketType {
        let tier = ticket_types::table.filter(ticket_types::name.eq(name.to_owned()));
        self.read(|db| tier.select(TicketType::as_select()).first(db))
    }

    fn read<T: Send>(&self, work: impl FnOnce(&mut Db) -> QueryResult<T> + Send) -> T {
        self.beside_the_runtime(|database| {
            database.read_primary_blocking(work).expect("the database can be read")
        })
    }

    /// The database's blocking acts refuse to run on a thread that drives a journey.
    fn beside_the_runtime<T: Send>(&self, act: impl FnOnce(&Database) -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(|| act(&self.database)).join()).expect("the act ends")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Only with the settings given here: neither a `.env` nor the environment of the tests counts.
fn spawn(
    binary: &PathBuf,
    folder: &TempDir,
    bind: &str,
    database_url: &str,
    settings: &[(&str, &str)],
) -> (Child, Receiver<String>) {
    let mut process = techkraft(binary, folder, database_url)
        .env("BIND", bind)
        .env("DATABASE_POOL_SIZE", "4")
        .env("RUST_LOG", "error")
        // All visitors of a journey have one address, and are quicker than people.
        .env("RATE_LIMITS", "off")
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{} does not start: {e}", binary.display()));
    let stdout = process.stdout.take().expect("stdout is piped");
    let (sender, lines) = mpsc::channel();
    // A thread of its own, so that a server that never says its address fails a test and does not hang it.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    (process, lines)
}

fn techkraft(binary: &PathBuf, folder: &TempDir, database_url: &str) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder.path()).env_clear().env("DATABASE_URL", database_url);
    command
}

fn address(lines: &Receiver<String>) -> String {
    value_after(lines, "TechKraft Tickets").replace("http://", "")
}

fn value_after(lines: &Receiver<String>, label: &str) -> String {
    loop {
        let line = lines.recv_timeout(START_WAIT).unwrap_or_else(|_| {
            panic!("the server never said {label:?}; what it said instead stands in the test's stderr")
        });
        if let Some(value) = line.strip_prefix(label) {
            return value.split_whitespace().next().unwrap_or_default().to_owned();
        }
    }
}

/// A schema of its own in a PostgreSQL that several tests share.
struct Schema {
    server: String,
    name: String,
}

impl Schema {
    fn create(server: String) -> Self {
        // A folder's random name is as good as any.
        let random = tempfile::tempdir().expect("a temporary folder");
        let random = random.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let letters: String = random.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("browser_{}_{letters}", std::process::id());
        let schema = Self { server, name };
        schema.run("CREATE SCHEMA").expect("a schema can be created");
        schema
    }

    fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.server, self.name)
    }

    fn run(&self, statement: &str) -> QueryResult<usize> {
        let mut server = PgConnection::establish(&self.server).expect("TEST_DATABASE_URL can be reached");
        sql_query(format!("{statement} {}", self.name)).execute(&mut server)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Ok(mut server) = PgConnection::establish(&self.server) {
            let _ = sql_query(format!("DROP SCHEMA {} CASCADE", self.name)).execute(&mut server);
        }
    }
}
