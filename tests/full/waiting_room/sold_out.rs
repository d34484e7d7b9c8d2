//! Many more buyers than tickets, through the waiting room: all tickets are sold, none twice, and nobody is served
//! before their turn. `cargo bench --bench watchers -- --buyers 5000` does the same with a release build, more buyers
//! and more tickets.

use testkit::database::TestDatabase;
use testkit::line_log::RoomSale;
use testkit::rush::busy_machine;
use testkit::server::{Server, assert_verified, techkraft};

use super::open_lobby;

#[test]
fn many_buyers_buy_all_in_the_order_of_their_places() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[("RATE_LIMITS", "on")]);
    // 260 tickets are left.
    database.execute("UPDATE ticket_types SET capacity = capacity / 5, available = available / 5");
    // Far enough in the future for a rehearsal, which copies the concert with its waiting room and runs the copy's
    // sale.
    open_lobby(&database, &[], 30 * 24 * 3_600_000, 200);
    let url = database.owner_url();
    let sale = RoomSale { url, event_id: 1, slug: "midnight-parade", buyers: 1_000, minutes: 4 };
    let _machine = busy_machine();
    let sold = sale.play(techkraft(&database)).expect("a sale");
    println!("{sold}");
    assert_eq!(sold.fault(), None);
    server.stop();
    assert_verified(&database);
}
