//! pgbench with the same guarded update and inserts on one hot row, in one transaction. This is PostgreSQL's speed
//! without batches, when each client has its own transaction.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::contender::{Round, percentile_ms};
use crate::plan::Plan;
use testkit::bench::database::SaleDatabase;
use testkit::bench::machine::Usage;

/// Finds pgbench as the tests do, because Debian keeps PostgreSQL's own programs outside the PATH.
const START: &str = "source scripts/lib/packages.sh && exec pgbench \"$@\"";

/// A transaction that pgbench has logged.
struct Logged {
    /// Microseconds since 1970.
    ended_at: u64,
    took_us: u32,
}

pub fn measure(database: &SaleDatabase, clients: usize, plan: &Plan, postmaster: u32) -> Result<Round> {
    let folder = tempfile::tempdir_in(&database.folder)?;
    let file = folder.path().join("script.sql");
    fs::write(&file, script(database.ticket_type_id))?;
    let seconds = (plan.warm_up + plan.measured).as_secs_f64().ceil();
    let before = Usage::of(&[], postmaster)?;
    let output = Command::new("bash")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-c", START, "pgbench", "--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={seconds}"))
        .arg(format!("--log-prefix={}", folder.path().join("log").display()))
        .arg(format!("--file={}", file.display()))
        .arg(&database.url)
        .output()?;
    if !output.status.success() {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let used = Usage::of(&[], postmaster)?.since(&before);
    let logged = read_logs(folder.path())?;
    let errors = failed(&String::from_utf8_lossy(&output.stdout));
    let mut latencies = after_warm_up(&logged, plan);
    latencies.sort_unstable();
    // pgbench's statements write no confirmation mails, so they are added here for the verification.
    database.confirm()?;
    Ok(Round {
        bookings_per_second: latencies.len() as f64 / plan.measured.as_secs_f64(),
        p50_ms: percentile_ms(&latencies, 0.50),
        p95_ms: percentile_ms(&latencies, 0.95),
        p99_ms: percentile_ms(&latencies, 0.99),
        errors,
        server_cores: 0.0,
        postgres_cores: used.postgres_seconds / seconds,
        load_cores: used.own_seconds / seconds,
        server_rss_mib: 0.0,
        verify: Some(database.is_true(logged.len() as u64, errors)?),
    })
}

fn script(ticket_type_id: i64) -> String {
    let random = "gen_random_uuid()::text";
    format!(
        "BEGIN;
         UPDATE ticket_types SET available = available - 1, version = version + 1 \
             WHERE id = {ticket_type_id} AND available >= 1;
         WITH booked AS (INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency, \
             total_minor, buyer_name, buyer_email, created_at, confirmed_at) \
             VALUES (1, left({random}, 18), left({random}, 24), {random}, 0, 'confirmed', 'USD', 1000, 'Ada Lovelace', \
             'buyer-' || {random} || '@example.org', now(), now()) RETURNING id) \
         INSERT INTO booking_lines (booking_id, ticket_type_id, quantity, unit_price_minor) \
             SELECT id, {ticket_type_id}, 1, 1000 FROM booked;
         COMMIT;
        "
    )
}

/// Each line has the client, a number, the duration in microseconds, the script, and the end of the transaction in
/// seconds and microseconds.
fn read_logs(folder: &Path) -> Result<Vec<Logged>> {
    let mut logged = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("log.") {
            continue;
        }
        for line in fs::read_to_string(entry.path())?.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            // A failed transaction has a word in place of its duration. pgbench counts these transactions.
            let (Some(Ok(took_us)), [_, _, _, _, seconds, micros, ..]) =
                (words.get(2).map(|it| it.parse()), words.as_slice())
            else {
                continue;
            };
            let ended_at = seconds.parse::<u64>()? * 1_000_000 + micros.parse::<u64>()?;
            logged.push(Logged { ended_at, took_us });
        }
    }
    Ok(logged)
}

fn after_warm_up(logged: &[Logged], plan: &Plan) -> Vec<u32> {
    let micros = |duration: std::time::Duration| duration.as_micros() as u64;
    let begun = logged.iter().map(|it| it.ended_at).min().unwrap_or(0) + micros(plan.warm_up);
    let measured = begun..begun + micros(plan.measured);
    logged.iter().filter(|it| measured.contains(&it.ended_at)).map(|it| it.took_us).collect()
}

fn failed(output: &str) -> u64 {
    let line = output.lines().find_map(|line| line.strip_prefix("number of failed transactions: "));
    line.and_then(|line| line.split(' ').next()).and_then(|it| it.parse().ok()).unwrap_or(0)
}
