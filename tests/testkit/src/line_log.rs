//! A rehearsed sale through a waiting room, and the database's own log of it: every pass, and every move of the line.
//! The log remains after the rehearsal's copy of the concert is deleted.

use std::fmt;
use std::process::{Command, Stdio};

use chrono::{NaiveDateTime, TimeDelta};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Timestamp};
use diesel::{QueryableByName, RunQueryDsl as _};
use techkraft::db::{Database, DatabaseUrl, Db};
use techkraft::rehearsal::report::RehearsalReport;
use techkraft::rehearsal::store;

use crate::bench::Result;

const POSTGRES: &str = "
    CREATE TABLE logged_passes (event_id BIGINT NOT NULL, position BIGINT NOT NULL, issued_at TIMESTAMP NOT NULL);
    CREATE TABLE logged_moves (event_id BIGINT NOT NULL, served BIGINT NOT NULL, moved_at TIMESTAMP NOT NULL);
    CREATE FUNCTION log_pass() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO logged_passes VALUES (NEW.event_id, NEW.position, NEW.issued_at); RETURN NULL; END';
    CREATE FUNCTION log_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN INSERT INTO logged_moves VALUES (NEW.event_id, NEW.served, NEW.moved_at); RETURN NULL; END';
    CREATE TRIGGER log_pass AFTER INSERT ON queue_passes FOR EACH ROW EXECUTE FUNCTION log_pass();
    CREATE TRIGGER log_move AFTER UPDATE ON waiting_rooms FOR EACH ROW
    WHEN (NEW.moved_at IS DISTINCT FROM OLD.moved_at AND NEW.moved_at IS NOT NULL) EXECUTE FUNCTION log_move();";

const SQLITE: &str = "
    CREATE TABLE logged_passes (event_id BIGINT NOT NULL, position BIGINT NOT NULL, issued_at TIMESTAMP NOT NULL);
    CREATE TABLE logged_moves (event_id BIGINT NOT NULL, served BIGINT NOT NULL, moved_at TIMESTAMP NOT NULL);
    CREATE TRIGGER log_pass AFTER INSERT ON queue_passes
    BEGIN INSERT INTO logged_passes VALUES (NEW.event_id, NEW.position, NEW.issued_at); END;
    CREATE TRIGGER log_move AFTER UPDATE ON waiting_rooms
    WHEN NEW.moved_at IS NOT OLD.moved_at AND NEW.moved_at IS NOT NULL
    BEGIN INSERT INTO logged_moves VALUES (NEW.event_id, NEW.served, NEW.moved_at); END;";

/// A concert with a waiting room, the database of its site, and the settings of the rehearsal.
pub struct RoomSale<'a> {
    /// The database's URL, with the role that owns the tables.
    pub url: &'a str,
    pub event_id: i64,
    pub slug: &'a str,
    pub buyers: u32,
    pub minutes: u32,
}

#[derive(QueryableByName)]
struct IssuedPass {
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Timestamp)]
    issued_at: NaiveDateTime,
}

#[derive(QueryableByName)]
struct LineMove {
    #[diesel(sql_type = BigInt)]
    served: i64,
    #[diesel(sql_type = Timestamp)]
    moved_at: NaiveDateTime,
}

/// The result.
pub struct RoomSold {
    report: RehearsalReport,
    buyers: u32,
    /// In the order in which they were issued.
    passes: Vec<IssuedPass>,
    moves: Vec<LineMove>,
}

impl RoomSale<'_> {
    /// Rehearses the sale. `command`: the program with its settings.
    ///
    /// # Errors
    /// An error of the program or the database.
    pub fn play(&self, mut command: Command) -> Result<RoomSold> {
        let database = Database::open(&DatabaseUrl::parse(self.url)?, 1)?;
        database.write_blocking(|db| match db {
            Db::Postgres(pg) => pg.batch_execute(POSTGRES),
            Db::Sqlite(sqlite) => sqlite.batch_execute(SQLITE),
        })?;
        let (buyers, minutes) = (self.buyers.to_string(), self.minutes.to_string());
        command.args(["rehearse", self.slug, "--buyers", &buyers, "--minutes", &minutes]);
        let output = command.stdout(Stdio::inherit()).stderr(Stdio::piped()).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let report = database.read_primary_blocking(|db| store::last_of(db, self.event_id))?;
        let report = report.and_then(|last| last.report()).ok_or("there is no report")?;
        let (passes, moves) = database.read_primary_blocking(|db| {
            let passes =
                diesel::sql_query("SELECT position, issued_at FROM logged_passes ORDER BY issued_at");
            // Only the copy issues passes. A busy server may also open the room of the original concert.
            let moves = diesel::sql_query(
                "SELECT served, moved_at FROM logged_moves \
                 WHERE event_id IN (SELECT event_id FROM logged_passes) ORDER BY moved_at, served",
            );
            Ok((passes.load(db)?, moves.load(db)?))
        })?;
        Ok(RoomSold { report, buyers: self.buyers, passes, moves })
    }
}

impl RoomSold {
    /// What is wrong, if anything. All tickets must be sold and none twice, every buyer must have got a result, and
    /// nobody may have been served before their turn.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let report = &self.report;
        let is_sold = i64::from(report.tickets) == report.capacity && report.verify.is_empty();
        if !is_sold || report.came != self.buyers || report.waiting > 0 || report.gave_up > 0 {
            return Some("not everything was sold, or somebody was left".into());
        }
        if self.passes.len() < report.booked as usize {
            return Some(format!("{} bookings with {} passes", report.booked, self.passes.len()));
        }
        if self.moves.windows(2).any(|it| it[0].served > it[1].served) {
            return Some("the line went back".into());
        }
        let early = self.passes.iter().find(|pass| pass.position >= self.served(pass.issued_at));
        early.map(|pass| format!("{} was served before its turn, at {}", pass.position, pass.issued_at))
    }

    /// The position up to which the line was served at this time.
    fn served(&self, at: NaiveDateTime) -> i64 {
        let moves = self.moves.partition_point(|it| it.moved_at <= at);
        moves.checked_sub(1).map_or(0, |last| self.moves[last].served)
    }

    /// The times from the move that served each buyer to their pass, the shortest first.
    fn waits(&self) -> Vec<TimeDelta> {
        let served_at = |pass: &IssuedPass| {
            let earlier = self.moves.partition_point(|it| it.served <= pass.position);
            self.moves.get(earlier).map(|it| pass.issued_at - it.moved_at)
        };
        let mut waits: Vec<_> = self.passes.iter().filter_map(served_at).collect();
        waits.sort();
        waits
    }
}

impl fmt::Display for RoomSold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.waits();
        let seconds = |at: usize| waits.get(at).map_or(0.0, |wait| wait.num_milliseconds() as f64 / 1000.0);
        write!(
            f,
            "{} passes in {} moves of the line; from the turn to the pass half took {:.1} s, the last {:.1} s",
            self.passes.len(),
            self.moves.len(),
            seconds(waits.len() / 2),
            seconds(waits.len().saturating_sub(1))
        )
    }
}
