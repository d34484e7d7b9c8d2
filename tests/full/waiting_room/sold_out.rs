//! Many more buyers than tickets, through the room: all is sold, nothing twice, and nobody is served before the line
//! has come to them. `cargo bench --bench watchers -- --buyers 5000` does it with a release and more of both.

use testkit::database::TestDatabase;
use testkit::line_log::RoomSale;
use testkit::server::{Server, assert_verified, techkraft};

use super::open_lobby;

#[test]
fn many_buyers_buy_all_in_the_order_of_their_places() {
    let database = TestDatabase::create();
    let mut server = Server::start(&database, &[("RATE_LIMITS", "on")]);
    // 260 tickets.
    database.execute("UPDATE ticket_types SET capacity = capacity / 5, available = available / 5");
    // Far enough for a rehearsal, which copies the concert with its room and plays its sale.
    open_lobby(&database, &[], 30 * 24 * 3_600_000, 200);
    let url = database.owner_url();
    let sale = RoomSale { url, event_id: 1, slug: "midnight-parade", buyers: 1_000, minutes: 4 };
    let sold = sale.play(techkraft(&database)).expect("a sale");
    println!("{sold}");
    assert_eq!(sold.fault(), None);
    server.stop();
    assert_verified(&database);
}
