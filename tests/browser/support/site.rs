//! The shop under test: the real binary on a free port, with a database that no other test uses, on SQLite or on the
//! PostgreSQL that `TEST_DATABASE_URL` names.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use techkraft::db::DatabaseUrl;
use techkraft::db::{Database, Db};
use techkraft::events::TicketType;
use techkraft::schema::{bookings, ticket_types};
use testkit::blockade::SlowDisk;
use testkit::database::TestDatabase;
use testkit::template::ADMIN_PASSWORD;

const START_WAIT: Duration = Duration::from_secs(60);

pub struct Site {
    process: Child,
    binary: PathBuf,
    bind: String,
    settings: Vec<(&'static str, &'static str)>,
    /// The admin's password.
    pub password: String,
    // Fields are dropped in this order: the connections before the database.
    connections: Database,
    database: TestDatabase,
}

/// A ticket type on the page.
#[derive(Clone)]
pub struct Tier {
    pub id: i64,
    pub name: String,
}

impl Site {
    /// Starts the shop with the seed's concert.
    pub fn open(binary: impl Into<PathBuf>) -> Self {
        // Journeys wait for polls, so polls are frequent. Both intervals are the same, so that a machine that is busy
        // with other journeys does not slow down the polls of this one.
        Self::open_with(binary, &[("POLL_SECONDS", "2"), ("POLL_SECONDS_BUSY", "2")])
    }

    /// The same with these settings.
    pub fn open_with(binary: impl Into<PathBuf>, settings: &[(&'static str, &'static str)]) -> Self {
        let (binary, settings) = (binary.into(), settings.to_vec());
        let database = TestDatabase::seeded();
        let (process, lines) = spawn(&binary, &database, "127.0.0.1:0", &settings);
        let bind = address(&lines);
        let url = DatabaseUrl::parse(&database.url).expect("a database URL");
        let connections = Database::open(&url, 1).expect("the shop's database");
        let password = ADMIN_PASSWORD.to_owned();
        Self { process, binary, bind, settings, password, connections, database }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.bind)
    }

    /// The folder in which the shop keeps what is not in its database.
    pub fn folder(&self) -> &Path {
        self.database.folder.path()
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        self.process.kill().expect("the server can be killed");
        self.process.wait().expect("the server ends");
    }

    /// Starts the server again, at the same address and with the same database.
    pub fn start_again(&mut self) {
        let (process, lines) = spawn(&self.binary, &self.database, &self.bind, &self.settings);
        self.process = process;
        assert_eq!(address(&lines), self.bind);
    }

    pub fn tier(&self, name: &str) -> Tier {
        Tier { id: self.ticket_type(name).id, name: name.to_owned() }
    }

    pub fn available(&self, tier: &Tier) -> i32 {
        self.ticket_type(&tier.name).available
    }

    /// Sets the number of available tickets, as if other visitors had bought the rest.
    pub fn set_available(&self, tier: &Tier, available: i32) {
        let row = ticket_types::table.find(tier.id);
        let change =
            (ticket_types::available.eq(available), ticket_types::version.eq(ticket_types::version + 1));
        self.beside_the_runtime(|database| {
            let written = database.write_blocking(|db| diesel::update(row).set(change).execute(db));
            written.expect("the tickets can be counted again");
        });
    }

    /// Changes the concert as if the organizer had done it: `change` is the SET clause in SQL.
    pub fn change_concert(&self, change: &str) {
        self.run_sql(&format!("UPDATE events SET {change}, facts_version = facts_version + 1"));
    }

    /// Moves the concert to tonight, because gates open only then.
    pub fn open_doors(&self) {
        let time = |hours| (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%F %T").to_string();
        self.change_concert(&format!("starts_at = '{}', ends_at = '{}'", time(1), time(4)));
    }

    /// Adds other concerts, each with the same ticket types and a long name, one on each later day.
    pub fn add_concerts(&self, count: u32) {
        let concerts = (1..=count).map(|number| {
            format!(
                "INSERT INTO events (slug, name, venue, city, starts_at, ends_at, time_zone, currency, state)
                 SELECT 'later-{number}', 'The Night of the Unpronounceable Schottische, Part {number}',
                        venue, city, '2028-01-01 01:00:00', '2028-01-01 04:00:00', time_zone, currency, state
                 FROM events WHERE slug = 'midnight-parade';"
            )
        });
        self.run_sql(&format!(
            "{}
             INSERT INTO ticket_types (event_id, name, price_minor, capacity, available, max_per_booking, position)
             SELECT it.id, 'Seated', 3500, 10, 10, 4, 1 FROM events it WHERE it.slug LIKE 'later-%'",
            concerts.collect::<String>()
        ));
    }

    /// Runs one or more statements in one transaction: the server sees all of their effects or none.
    pub fn run_sql(&self, statements: &str) {
        self.beside_the_runtime(|database| {
            let written = database.write_blocking(|db| db.batch_execute(statements));
            written.unwrap_or_else(|e| panic!("{statements}: {e}"));
        });
    }

    /// Makes orders wait until the returned value ends.
    pub fn slow_disk(&self) -> SlowDisk<'_> {
        SlowDisk::of(&self.database)
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

    /// Runs `act` on another thread: the database's blocking functions refuse to run on a thread of an async runtime.
    fn beside_the_runtime<T: Send>(&self, act: impl FnOnce(&Database) -> T + Send) -> T {
        std::thread::scope(|scope| scope.spawn(|| act(&self.connections)).join()).expect("the act ends")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the server with only the settings given here: neither a `.env` file nor the tests' environment has an
/// effect.
fn spawn(
    binary: &Path,
    database: &TestDatabase,
    bind: &str,
    settings: &[(&str, &str)],
) -> (Child, Receiver<String>) {
    let mut process = Command::new(binary)
        .current_dir(database.folder.path())
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .env("BIND", bind)
        .env("DATABASE_POOL_SIZE", "4")
        .env("RUST_LOG", "error")
        // All visitors of a journey have the same address, and are quicker than people.
        .env("RATE_LIMITS", "off")
        .envs(settings.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{} does not start: {e}", binary.display()));
    let stdout = process.stdout.take().expect("stdout is piped");
    let (sender, lines) = mpsc::channel();
    // A separate thread reads the output, so that a server that never prints its address makes a test fail instead of
    // hanging.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    (process, lines)
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
