//! A database with two ticket types that never sell out, and the check of its counts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use techkraft::db::DatabaseUrl;
use techkraft::db::{Database, Db};
use techkraft::error::Error;
use techkraft::schema::{bookings, ticket_types};

use crate::bench::Result;
use crate::bench::server::techkraft;
use crate::outbox::drop_confirmations;

/// The hot ticket type, and one that is bought together with it. Neither has a limit per person.
const HOT: &str = "General Admission";
const OTHER: &str = "Front Row";
const RETRY_FOR: Duration = Duration::from_secs(60);
/// More than any round can sell.
const CAPACITY: i32 = 100_000_000;

pub struct SaleDatabase {
    pub url: String,
    pub ticket_type_id: i64,
    pub other_ticket_type_id: i64,
    /// The working folder of programs that are run on it.
    pub folder: PathBuf,
    database: Database,
}

impl SaleDatabase {
    /// Creates and seeds the database.
    pub fn prepare(url: &str, folder: &Path) -> Result<Self> {
        let seeded = techkraft(url, folder).arg("seed").output()?;
        if !seeded.status.success() {
            return Err(format!("{url} is not seeded: {}", String::from_utf8_lossy(&seeded.stderr)).into());
        }
        let database = Database::open(&DatabaseUrl::parse(url)?, 1)?;
        let [ticket_type_id, other_ticket_type_id] = [HOT, OTHER].map(|name| {
            let named = ticket_types::table.filter(ticket_types::name.eq(name)).select(ticket_types::id);
            database.read_primary_blocking(|db| named.first(db))
        });
        let sale = Self {
            url: url.to_owned(),
            ticket_type_id: ticket_type_id?,
            other_ticket_type_id: other_ticket_type_id?,
            folder: folder.to_owned(),
            database,
        };
        sale.begin_sale()?;
        Ok(sale)
    }

    /// Deletes all bookings, makes all tickets available, and flushes the log, so that all rounds start the same.
    pub fn begin_sale(&self) -> Result<()> {
        self.write(|db| {
            empty(db)?;
            let ids = [self.ticket_type_id, self.other_ticket_type_id];
            let sold = ticket_types::table.filter(ticket_types::id.eq_any(ids));
            let full = (ticket_types::capacity.eq(CAPACITY), ticket_types::available.eq(CAPACITY));
            diesel::update(sold).set((full, ticket_types::version.eq(ticket_types::version + 1))).execute(db)
        })?;
        self.database.read_primary_blocking(|db| match db {
            Db::Postgres(pg) => pg.batch_execute("CHECKPOINT"),
            Db::Sqlite(sqlite) => sqlite.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"),
        })?;
        Ok(())
    }

    /// Retries a write: the mail sender may lock the same tables for longer than the app waits.
    fn write<T>(&self, work: impl Fn(&mut Db) -> QueryResult<T>) -> Result<T> {
        let until = Instant::now() + RETRY_FOR;
        loop {
            match self.database.write_blocking(&work) {
                Err(Error::Busy) if Instant::now() < until => {}
                done => return Ok(done?),
            }
        }
    }

    /// Deletes what was sold, so that neither the mail sender nor the search index works on it during the next round.
    pub fn end_sale(&self) -> Result<()> {
        self.write(empty)?;
        Ok(())
    }

    /// From now on the outbox takes no confirmations: the database drops them, so that no sender has work.
    pub fn drop_confirmations(&self) -> Result<()> {
        self.write(|db| match db {
            Db::Postgres(pg) => pg.batch_execute(drop_confirmations(true)),
            Db::Sqlite(sqlite) => sqlite.batch_execute(drop_confirmations(false)),
        })?;
        Ok(())
    }

    /// Writes the missing confirmations of bookings, so that everything else can be verified.
    pub fn confirm(&self) -> Result<()> {
        const CONFIRM: &str = "
            INSERT INTO mails (booking_id, kind, queued_at, due_at, state)
            SELECT id, 'confirmation', created_at, created_at, 'dropped' FROM bookings b
            WHERE NOT EXISTS (SELECT 1 FROM mails m WHERE m.booking_id = b.id)";
        self.write(|db| match db {
            Db::Postgres(pg) => pg.batch_execute(CONFIRM),
            Db::Sqlite(sqlite) => sqlite.batch_execute(CONFIRM),
        })?;
        Ok(())
    }

    /// Whether `techkraft verify` finds nothing wrong, and every confirmed booking exists. A booking whose answer was
    /// lost may exist as well.
    pub fn is_true(&self, confirmed: u64, errors: u64) -> Result<bool> {
        let verified = techkraft(&self.url, &self.folder).arg("verify").output()?;
        let booked: i64 = self.database.read_primary_blocking(|db| bookings::table.count().get_result(db))?;
        let booked = u64::try_from(booked)?;
        let holds = (confirmed..=confirmed + errors).contains(&booked);
        if !verified.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&verified.stdout));
        }
        if !holds {
            eprintln!("{booked} bookings are there, and {confirmed} were confirmed, with {errors} errors");
        }
        Ok(verified.status.success() && holds)
    }
}

/// Deletes all bookings and everything that belongs to them.
fn empty(db: &mut Db) -> QueryResult<()> {
    match db {
        // The other tables named here have no foreign key to bookings; CASCADE includes those that have one.
        Db::Postgres(pg) => pg.batch_execute(
            "TRUNCATE bookings, booking_lines, booking_words, holds, mails, used_tickets, cancellation_notes CASCADE",
        ),
        Db::Sqlite(sqlite) => sqlite.batch_execute(
            "DELETE FROM mails; DELETE FROM used_tickets; DELETE FROM booking_words; DELETE FROM booking_lines;
             DELETE FROM holds; DELETE FROM bookings",
        ),
    }
}
