//! A database with 500 concerts and any number of bookings. Its content is the same each time, and `techkraft verify`
//! finds no mistake in it.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use techkraft::booking::search::store::write_some;
use techkraft::booking::store::reference_key;
use techkraft::db::{Database, DatabaseUrl, Db};
use techkraft::schema::bookings;

use testkit::bench::Result;
use testkit::bench::server::techkraft;
use testkit::server::set_admin_password;

pub const CONCERTS: u32 = 500;
/// The concert that has a fifth of all bookings.
pub const LARGE: &str = "concert-260";

/// The statements, with placeholders for the number of bookings and for SQL that differs between the two databases.
const STATEMENTS: [&str; 11] = [
    // One concert a day. Half of them are over, and half are to come. Each has a description of 2,000 characters.
    "INSERT INTO events (slug, name, tagline, description, description_html, venue, city, starts_at, ends_at,
         time_zone, currency, state, organizer_name)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {concerts})
     SELECT 'concert-' || i, 'Concert ' || i, 'One night only.', {text}, '<p>' || {text} || '</p>', 'The Foundry Hall',
         'Chicago', {day of i}, {day of i + 1}, 'America/Chicago', 'USD', 'published', 'TechKraft' FROM n",
    "INSERT INTO ticket_types (event_id, name, description, price_minor, capacity, available, max_per_booking, position)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
     SELECT e.id, 'Type ' || i, 'With a view of the stage.', 1000 * i, 2000000, 2000000, 10, i
     FROM events e, n WHERE e.slug LIKE 'concert-%'",
    // A fifth of the bookings are for one concert, and the others are spread over all concerts. One booking in a
    // hundred is canceled. The newest hundred are held: a hold lasts only minutes, so the number of holds does not
    // depend on the number of bookings.
    "INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, total_minor,
         buyer_name, buyer_email, created_at, confirmed_at, canceled_at)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {bookings}),
     made AS (SELECT i, CASE WHEN i % 5 = 0 THEN 260 ELSE 1 + (i - i / 5) % {concerts} END AS concert,
                  CASE WHEN i > {bookings} - 100 THEN 'held' WHEN i % 100 = 3 THEN 'canceled'
                       ELSE 'confirmed' END AS status,
                  {minute of i} AS at FROM n)
     SELECT e.id, {reference of i}, 'token-' || {eighteen digits of i}, 'key ' || i, 0, m.status, 'USD',
         CASE WHEN i % 3 = 0 THEN 5000 ELSE 2000 END, 'Ada Number ' || i, 'ada.' || i || '@example.org', m.at,
         CASE WHEN m.status = 'held' THEN NULL ELSE m.at END, CASE WHEN m.status = 'canceled' THEN m.at END
     FROM made m JOIN events e ON e.slug = 'concert-' || m.concert ORDER BY i",
    // Every booking has two tickets of the first type. Every third booking also has one ticket of the third type.
    "INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor, returned)
     SELECT b.id, t.id, 2, t.price_minor, CASE WHEN b.status = 'canceled' THEN 2 ELSE 0 END
     FROM bookings b JOIN ticket_types t ON t.event_id = b.event_id AND t.position = 1 ORDER BY b.id",
    "INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor, returned)
     SELECT b.id, t.id, 1, t.price_minor, CASE WHEN b.status = 'canceled' THEN 1 ELSE 0 END
     FROM bookings b JOIN ticket_types t ON t.event_id = b.event_id AND t.position = 3
     WHERE b.total_minor = 5000 ORDER BY b.id",
    "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
     SELECT l.booking_id, s.seat, l.ticket_type_id, 'returned', b.created_at
     FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
     JOIN (SELECT 1 AS seat, 2 AS quantity UNION ALL SELECT 2, 2 UNION ALL SELECT 3, 1) AS s ON s.quantity = l.quantity
     WHERE b.status = 'canceled'",
    // One ticket of every third booking of the large concert is admitted.
    "INSERT INTO used_tickets (booking_id, seat, ticket_type_id, state, used_at)
     SELECT b.id, 1, t.id, 'admitted', b.created_at FROM bookings b JOIN ticket_types t ON t.event_id = b.event_id
     WHERE t.position = 1 AND b.status = 'confirmed' AND b.total_minor = 5000
     AND b.event_id = (SELECT id FROM events WHERE slug = 'concert-260')",
    "INSERT INTO holds (booking_id, held_until) SELECT id, '2099-01-01 00:00:00' FROM bookings WHERE status = 'held'",
    "INSERT INTO mails (booking_id, kind, queued_at, due_at, sent_at, state)
     SELECT id, 'confirmation', created_at, created_at, created_at, 'sent' FROM bookings
     WHERE status <> 'held' ORDER BY id",
    "UPDATE ticket_types SET version = version + 1, available = capacity - (
         SELECT COALESCE(SUM(l.quantity - l.returned), 0) FROM booking_lines l WHERE l.ticket_type_id = ticket_types.id)
     WHERE position <> 2 AND name LIKE 'Type %'",
    "DELETE FROM sales_counts",
];

/// A database that is filled.
pub struct Filled {
    pub url: String,
    pub folder: PathBuf,
    pub password: String,
    /// The reference of a booking for the large concert.
    pub reference: String,
    pub token: String,
    /// The ticket type that is booked while pages poll.
    pub ticket_type_id: i64,
    /// The number of bookings of the large concert. Its export has at least one row for each.
    pub large_bookings: i64,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    token: String,
    #[diesel(sql_type = BigInt)]
    ticket_type_id: i64,
    #[diesel(sql_type = BigInt)]
    bookings: i64,
}

const FOUND: &str = "
    SELECT b.id, b.reference, b.token,
           (SELECT t.id FROM ticket_types t WHERE t.event_id = b.event_id AND t.position = 2) AS ticket_type_id,
           (SELECT COUNT(*) FROM bookings x WHERE x.event_id = b.event_id) AS bookings
    FROM bookings b WHERE b.event_id = (SELECT id FROM events WHERE slug = 'concert-260') AND b.status = 'confirmed'
    ORDER BY b.id LIMIT 1";

/// Makes the tables and fills them.
pub fn fill(url: &str, folder: &Path, bookings: u32) -> Result<Filled> {
    let seeded = techkraft(url, folder).arg("seed").output()?;
    if !seeded.status.success() {
        return Err(format!("{url} is not seeded: {}", String::from_utf8_lossy(&seeded.stderr)).into());
    }
    let password = set_admin_password(&mut techkraft(url, folder));
    let database = Database::open(&DatabaseUrl::parse(url)?, 1)?;
    for statement in STATEMENTS {
        let work = |db: &mut Db| match db {
            Db::Postgres(pg) => {
                pg.batch_execute("SET LOCAL work_mem = '64MB'")?;
                pg.batch_execute(&written(statement, bookings, true))
            }
            Db::Sqlite(sqlite) => sqlite.batch_execute(&written(statement, bookings, false)),
        };
        database.write_blocking(work)?;
    }
    let found = database.write_blocking(with_true_reference)?;
    // Fill the search index with all bookings, as the server does within some minutes after so many bookings.
    while database.write_blocking(write_some)? > 0 {}
    let tidy = |db: &mut Db| match db {
        Db::Postgres(pg) => {
            pg.batch_execute("VACUUM ANALYZE")?;
            pg.batch_execute("CHECKPOINT")
        }
        Db::Sqlite(sqlite) => sqlite.batch_execute("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)"),
    };
    database.read_primary_blocking(tidy)?;
    let Found { reference, token, ticket_type_id, bookings: large_bookings, .. } = found;
    database.close();
    let (url, folder) = (url.to_owned(), folder.to_owned());
    Ok(Filled { url, folder, password, reference, token, ticket_type_id, large_bookings })
}

/// The booking whose pages are read. It gets the reference that the site would give it. All other references are made
/// up.
fn with_true_reference(db: &mut Db) -> QueryResult<Found> {
    let mut found: Found = diesel::sql_query(FOUND).get_result(db)?;
    if let Some(key) = reference_key(db)? {
        found.reference = key.reference(found.id);
        let booking = bookings::table.find(found.id);
        diesel::update(booking).set(bookings::reference.eq(&found.reference)).execute(db)?;
    }
    Ok(found)
}

fn written(statement: &str, bookings: u32, is_postgres: bool) -> String {
    let digits = |count: usize| match is_postgres {
        true => format!("right('000000000000000000' || i, {count})"),
        false => format!("substr('000000000000000000' || i, -{count})"),
    };
    // References have no 0 and no 1.
    let readable = format!("replace(replace({}, '0', 'A'), '1', 'B')", digits(8));
    let reference = format!("'TK-' || substr({readable}, 1, 4) || '-' || substr({readable}, 5, 4)");
    let (minute, day) = match is_postgres {
        true => (
            "timestamp '2026-06-01 12:00:00' + i % 250000 * interval '1 minute'",
            "date_trunc('day', timezone('utc', now())) + interval '20 hours' + (i - 250) * interval '1 day'",
        ),
        false => (
            "strftime('%Y-%m-%d %H:%M:%S', '2026-06-01 12:00:00', '+' || (i % 250000) || ' minutes')",
            "strftime('%Y-%m-%d %H:%M:%S', 'now', 'start of day', '+20 hours', (i - 250) || ' days')",
        ),
    };
    let later = day.replace("20 hours", "23 hours");
    let text = format!("'{}'", "The band plays all of its second album. ".repeat(50));
    statement
        .replace("{bookings}", &bookings.to_string())
        .replace("{concerts}", &CONCERTS.to_string())
        .replace("{reference of i}", &reference)
        .replace("{eighteen digits of i}", &digits(18))
        .replace("{minute of i}", minute)
        .replace("{day of i}", day)
        .replace("{day of i + 1}", &later)
        .replace("{text}", &text)
}
