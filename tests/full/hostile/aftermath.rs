//! Checks after all cases have been sent.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::hostile::decency;
use crate::hostile::stage::{Stage, TIER};
use crate::hostile::wire::exchange;
use testkit::server::{SECRET, assert_verified};

/// Bookings that belong to no case: one whose buyer's cookie some cases send, and one that is made at the end.
const BESIDES: i64 = 2;

/// The pages that an organizer looks at.
const PAGES: [&str; 7] = [
    "/admin",
    "/admin/sales",
    "/admin/reseed",
    "/admin/account",
    "/admin/audit-log",
    "/admin/events/midnight-parade/terms",
    "/admin/events/midnight-parade/bookings.csv",
];

/// Checks that the server still works and did nothing wrong. `tokens`: those of all bookings that were confirmed.
pub fn is_well(stage: &Stage, tokens: &HashSet<&str>) {
    books_at_once(stage);
    nothing_else_was_booked(stage, tokens.len() as i64 + BESIDES);
    the_organizer_sees_it_unharmed(stage);
    the_log_is_clean(stage, tokens);
    assert_verified(&stage.database);
}

fn books_at_once(stage: &Stage) {
    let begun = Instant::now();
    let heard = exchange(stage.address(), &stage.booking());
    assert_eq!(heard.answers.first().map(|answer| answer.status), Some(303), "{heard:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

fn nothing_else_was_booked(stage: &Stage, confirmed: i64) {
    let tiers = stage.database.tiers();
    let hot = tiers.iter().find(|tier| tier.name == TIER).expect("a tier");
    assert_eq!(hot.bookings, confirmed, "bookings that nobody was told of: {tiers:?}");
    assert_eq!(stage.database.tier("VIP").sold, 0, "nobody asked for those");
    stage.database.assert_books_balance();
}

fn the_organizer_sees_it_unharmed(stage: &Stage) {
    for page in PAGES {
        let answers = stage.get(page, &stage.session);
        let answer = answers.first().expect("an answer");
        assert_eq!(answer.status, 200, "{page}");
        if page.ends_with(".csv") {
            let mut reader = csv::Reader::from_reader(answer.body.as_slice());
            let cells = reader
                .records()
                .flat_map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>());
            let formulas: Vec<String> = cells.filter(|cell| cell.starts_with(['=', '+', '-', '@'])).collect();
            assert!(formulas.is_empty(), "{formulas:?}");
        } else {
            assert_eq!(decency::breaches(answer), Vec::<String>::new(), "{page}");
        }
    }
}

/// Checks that the log has only well-formed lines, and no secrets or personal data of buyers.
fn the_log_is_clean(stage: &Stage, tokens: &HashSet<&str>) {
    let log = stage.server.logged();
    let is_line =
        |line: &str| line.starts_with("[20") && (line.contains(" INFO ") || line.contains(" WARN "));
    let others: Vec<&str> = log.lines().filter(|line| !is_line(line)).take(20).collect();
    assert!(others.is_empty(), "errors, panics, or lines that a visitor has written: {others:#?}");
    let secrets: HashSet<&str> = [SECRET, stage.password.as_str(), "ada@example.org", "Lovelace"].into();
    let shown: Vec<&str> = log
        .lines()
        .filter(|line| secrets.iter().chain(tokens).any(|secret| line.contains(secret)))
        .take(20)
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
    assert!(log.lines().count() > tokens.len(), "the log is there");
}
