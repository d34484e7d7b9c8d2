//! The search over more bookings than one query reads.

use super::booking_list::found;
use super::{book_as, book_many};
use crate::support::TestApp;

/// Writes the buyers' names and addresses into the search's index, as its background task does later.
fn index(app: &TestApp) {
    app.database.execute(
        "INSERT INTO booking_words (word, booking_id) SELECT lower(buyer_name), id FROM bookings WHERE true
             ON CONFLICT DO NOTHING;
         INSERT INTO booking_words (word, booking_id) SELECT buyer_email, id FROM bookings WHERE true
             ON CONFLICT DO NOTHING;
         UPDATE search_progress SET last_booking_id = (SELECT MAX(id) FROM bookings)",
    );
}

/// Each booking has two words that begin so. The query's limit counted the words, and the last bookings of the index
/// were missing.
#[test]
fn a_booking_is_found_behind_a_thousand_whose_words_begin_alike() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_many(&app, 1_101);
    app.database.execute(
        "UPDATE bookings SET buyer_name = 'Marcel', buyer_email = 'marcel' || id || '@example.org';
         UPDATE bookings SET buyer_name = 'Maria', buyer_email = 'maria@example.org'
             WHERE reference = 'TK-1100'",
    );
    index(&app);
    assert_eq!(found(&app, &organizer, "?q=mar")[..2], ["Maria", "Marcel"]);
    // More words than are read: the newest bookings are compared instead.
    app.database.execute(
        "INSERT INTO booking_words (word, booking_id)
         WITH RECURSIVE numbers AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 8000)
         SELECT 'marb' || n, (SELECT MIN(id) FROM bookings) FROM numbers",
    );
    assert_eq!(found(&app, &organizer, "?q=mar")[..2], ["Maria", "Marcel"]);
}

/// The index lacks as many bookings as one search compares. It took that for too many, and looked among the newest
/// bookings alone.
#[test]
fn an_old_booking_is_found_while_the_index_is_as_far_behind_as_it_may_be() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, "zoe@example.org", "VIP", 1, "Zoe");
    index(&app);
    book_many(&app, 8_000);
    assert_eq!(found(&app, &organizer, "?q=zoe"), ["Zoe"]);
    assert_eq!(found(&app, &organizer, "?q=buyer0"), ["Buyer 0"], "the oldest that the index lacks");
}
