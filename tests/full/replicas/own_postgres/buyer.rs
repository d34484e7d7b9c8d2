//! A buyer's own pages are read from the primary.

use crate::replicas::looker::stock;
use crate::replicas::site::Site;
use testkit::rush::{order, tier_ids};
use testkit::visitor::Visitor;

/// Seen to fail when the booking's page was read from the standbys: the booking was not found.
#[test]
fn a_buyer_sees_the_own_booking_at_once_whatever_the_standbys_know() {
    let site = Site::start();
    let servers = [site.server(), site.server()];
    let mut visitors = servers.each_ref().map(|server| Visitor::new(server.address));
    let tier = tier_ids(&site.database)[0];
    let before = stock(&visitors[0].get("/").expect("a page").body);
    for standby in &site.standbys {
        standby.pause();
    }
    let booked = visitors[0].book(&order(tier, 2)).expect("an answer");
    assert_eq!(booked.status, 303);
    for visitor in &mut visitors {
        let page = visitor.get(booked.location()).expect("a page");
        assert_eq!(page.status, 200, "{}", page.body);
        let calendar = visitor.get(&format!("{}/calendar.ics", booked.location())).expect("a file");
        assert_eq!(calendar.status, 200);
    }
    let after = stock(&visitors[0].get("/").expect("a page").body);
    assert_eq!(after[0] + 2, before[0], "the board of the server that has sold it");
    let asked = |log: String| log.contains(r#""bookings"."token" = $1"#);
    assert!(asked(site.primary.log()), "the primary was asked for the booking");
    assert!(site.standbys.iter().all(|standby| !asked(standby.cluster.log())));
}
