//! Unit tests of the board.

use super::merge::LOST_AFTER_MS;
use super::*;
use std::sync::LazyLock;

use chrono::{TimeDelta, Utc};

use crate::events::sale::SaleState;
use crate::events::tests::{event, ticket_type};

/// A version of the last second, for a small number.
fn recent(version: i64) -> i64 {
    static BASE: LazyLock<i64> = LazyLock::new(|| Utc::now().timestamp_millis() - 1_000);
    *BASE + version
}

fn board(available: i32, version: i64) -> Board {
    let board = Board::default();
    board.show(read(available, version));
    board
}

fn read(available: i32, version: i64) -> Vec<Concert> {
    let ticket_types = vec![TicketType { version: recent(version), ..ticket_type(available) }];
    vec![Concert { event: event(), ticket_types, held: Vec::new(), former_slugs: Vec::new() }]
}

fn left(board: &Board) -> i32 {
    board.listings()[0].ticket_types[0].available
}

#[test]
fn the_board_never_goes_back_in_time() {
    let board = board(50, 10);
    board.publish(&[Stock { ticket_type_id: 1, available: 48, version: recent(12) }]);
    assert_eq!(left(&board), 48);
    board.publish(&[Stock { ticket_type_id: 1, available: 49, version: recent(11) }]);
    assert_eq!(left(&board), 48, "an older batch");
    board.show(read(50, 10));
    assert_eq!(left(&board), 48, "a lagging read");
    board.show(read(100, 13));
    assert_eq!(left(&board), 100, "a reseed");
}

/// Tried: without `primary_read_at` the concert is gone until the replica has it.
#[test]
fn a_replica_that_lags_hides_no_concert_that_was_just_published() {
    let board = Board::default();
    let begun_before = Instant::now();
    board.show_from_primary(read(50, 10), &board.snapshot.load_full());
    board.show_from_replica(Vec::new(), begun_before);
    assert_eq!(left(&board), 50, "the read began before the change");
    board.show_from_replica(Vec::new(), Instant::now());
    assert_eq!(left(&board), 50, "it may lag behind the change");
    board.show_from_replica(read(49, 11), Instant::now() + REPLICA_LAG_MAX + Duration::from_secs(1));
    assert_eq!(left(&board), 49, "it knows the change");
}

#[test]
fn facts_reach_the_board_while_it_sells() {
    let board = board(50, 10);
    board.publish(&[Stock { ticket_type_id: 1, available: 40, version: recent(20) }]);
    let mut concerts = read(45, 15);
    concerts[0].ticket_types[0].max_per_booking = 2;
    concerts[0].ticket_types[0].facts_version = recent(2);
    concerts[0].event.paused = true;
    concerts[0].event.facts_version = recent(2);
    board.show(concerts);
    let shown = board.listings()[0].clone();
    assert_eq!((shown.ticket_types[0].available, shown.ticket_types[0].max_per_booking), (40, 2));
    board.show(read(39, 21));
    let shown = board.listings()[0].clone();
    assert_eq!(
        (shown.ticket_types[0].available, shown.ticket_types[0].max_per_booking),
        (39, 2),
        "a lagging read"
    );
    assert!(shown.event.paused, "a lagging read");
}

#[test]
fn what_was_lost_is_not_shown_for_ever() {
    let board = board(50, 10);
    board.show(read(37, -LOST_AFTER_MS));
    assert_eq!(left(&board), 50, "the newest is of the last second");
    let lost = |version| {
        vec![Concert { ticket_types: vec![TicketType { version, ..ticket_type(0) }], ..read(0, 0).remove(0) }]
    };
    let board = Board::default();
    board.show(lost(recent(-2 * LOST_AFTER_MS)));
    board.show(read(37, -2 * LOST_AFTER_MS - 9));
    assert_eq!(left(&board), 37, "after a fail-over that lost commits");
}

/// Another server says that 0 are left, with a version that can be true. The primary does not know of it.
#[test]
fn the_primary_is_believed_against_what_the_board_shows() {
    let board = board(50, 10);
    let lie = [Stock { ticket_type_id: 1, available: 0, version: recent(12) }];
    board.publish(&lie);
    board.show(read(50, 10));
    assert_eq!(left(&board), 0, "a replica may be late");
    let before = board.snapshot.load_full();
    board.show_from_primary(read(50, 10), &before);
    assert_eq!(left(&board), 50);
    // What is sold while the primary is read is newer than the read.
    let before = board.snapshot.load_full();
    board.publish(&[Stock { ticket_type_id: 1, available: 49, version: recent(13) }]);
    board.show_from_primary(read(50, 10), &before);
    assert_eq!(left(&board), 49);
}

#[test]
fn versions_of_the_far_future_are_not_possible_and_do_not_stay() {
    let board = board(50, 10);
    assert!(board.is_possible(recent(0)) && board.is_possible(recent(59_000)));
    assert!(!board.is_possible(recent(62_000)) && !board.is_possible(i64::MAX));
    // A database whose clock was set back goes on from its newest version.
    let ahead = read(50, 100_000_000);
    board.show_from_primary(ahead, &board.snapshot.load_full());
    assert!(board.is_possible(recent(100_059_000)) && !board.is_possible(i64::MAX));
    board.publish(&[Stock { ticket_type_id: 1, available: 0, version: i64::MAX }]);
    board.show(read(37, 11));
    assert_eq!(left(&board), 37);
}

#[test]
fn a_sale_opens_on_the_board_by_itself() {
    let board = Board::default();
    let opens = board.now() + TimeDelta::milliseconds(60);
    let mut concerts = read(5, 1);
    concerts[0].event.sales_start_at = Some(opens);
    board.show(concerts);
    let state = |board: &Board| board.listings()[0].sale_state(1);
    let tag = |board: &Board| board.listings()[0].fragment(board.pace()).expect("html").etag.clone();
    let (closed, wait) = (tag(&board), board.open_and_close_sales().expect("it will open"));
    assert!(wait <= Duration::from_millis(60) && state(&board) == SaleState::NotYet(opens));
    std::thread::sleep(wait);
    board.open_and_close_sales();
    assert_eq!(state(&board), SaleState::OnSale);
    assert_ne!(closed, tag(&board));
}

#[test]
fn a_fragment_is_made_once_per_change() {
    let board = board(50, 10);
    let before = board.listings()[0].clone();
    board.show(read(50, 10));
    let same = board.listings()[0].clone();
    assert!(Arc::ptr_eq(&before, &same), "nothing changed");
    assert!(std::ptr::eq(
        before.fragment(board.pace()).expect("html"),
        same.fragment(board.pace()).expect("html")
    ));

    board.publish(&[Stock { ticket_type_id: 1, available: 49, version: recent(11) }]);
    let after = board.listings()[0].clone();
    assert_ne!(
        before.fragment(board.pace()).expect("html").etag,
        after.fragment(board.pace()).expect("html").etag
    );
    assert!(
        String::from_utf8_lossy(&after.fragment(board.pace()).expect("html").html)
            .contains("<strong>49</strong>")
    );
}

#[test]
fn a_fragment_asks_for_the_pace_and_is_made_once_for_each() {
    let board = board(50, 10);
    let listing = board.listings()[0].clone();
    let fragment = || listing.fragment(board.pace()).expect("html");
    let usual = fragment();
    assert!(board.set_load(true, true) && !board.set_load(false, true), "only a change is one");
    let slow = fragment();
    let [usual_tag, slow_tag] = [usual, slow].map(|it| it.etag.to_str().expect("text"));
    assert!(usual_tag.contains("-5s-") && slow_tag.contains("-15s-"), "{usual_tag} {slow_tag}");
    let asks = |fragment: &Fragment, seconds: &str| {
        String::from_utf8_lossy(&fragment.html).contains(&format!("data-poll-seconds=\"{seconds}\""))
    };
    assert!(asks(usual, "5") && asks(slow, "15"));
    assert!(std::ptr::eq(slow, fragment()));
    assert!(board.set_load(false, false) && std::ptr::eq(usual, fragment()), "and back, without rendering");
}
