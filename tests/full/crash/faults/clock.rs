//! The machine's clock jumps.

use std::fs;
use std::path::{Path, PathBuf};
use testkit::wait::eventually;

use testkit::database::TestDatabase;
use testkit::rush::tier_ids;
use testkit::server::{Server, assert_verified, logged_errors};
use testkit::visitor::{Purchase, Visitor};

/// The errors of the clock, in hours, one after the other.
const JUMPS: [i32; 6] = [3, 24 * 40, -48, 0, -24 * 400, 0];

/// The server's clock jumps forward and back. A form from after a jump books. A form from before the jump books or is
/// shown again with a new key. No booking is duplicated or lost.
///
/// The jumps do have an effect: after one of 40 days, an earlier form is shown again because it is too old.
#[test]
fn the_clock_jumps_and_the_sale_goes_on() {
    let database = TestDatabase::create();
    let offset = database.folder.path().join("offset");
    jump(&offset, 0);
    let mut server = Server::prepared(&database, &[]);
    // The monotonic clock does not jump when a machine's clock does.
    server.start_through(
        std::process::Command::new("env")
            .env("LD_PRELOAD", libfaketime())
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("DONT_FAKE_MONOTONIC", "1"),
    );
    server.start_again();
    server.wait_until_it_listens();
    let general = tier_ids(&database)[2];
    let mut visitor = Visitor::new(server.address);
    let mut booked = Vec::new();
    for hours in JUMPS {
        let before = form(&mut visitor, general);
        jump(&offset, hours);
        let fresh = form(&mut visitor, general);
        let answer = visitor.book(&fresh).expect("an answer");
        assert_eq!(answer.status, 303, "{hours} hours: {}", answer.body);
        booked.push(answer.location().to_owned());
        let again = visitor.book(&fresh).expect("an answer");
        assert_eq!(
            (again.status, again.location()),
            (303, answer.location()),
            "{hours} hours: the same again"
        );
        let answer = visitor.book(&before).expect("an answer");
        println!("{hours} hours: a form of before is answered with {}", answer.status);
        match answer.status {
            303 => booked.push(answer.location().to_owned()),
            // The form is shown again, and can be sent.
            status => assert_eq!(status, 422, "{hours} hours"),
        }
    }
    for location in &booked {
        assert_eq!(visitor.get(location).expect("an answer").status, 200, "{location}");
    }
    eventually("what was sold is shown", || database.count("bookings") == booked.len() as u64);
    assert_eq!(logged_errors(&database), [""; 0]);
    assert_verified(&database);
    database.assert_books_balance();
}

/// Opens the checkout now, and returns the order that its form would send later.
fn form(visitor: &mut Visitor, ticket_type_id: i64) -> Purchase {
    let page = visitor.get(&format!("/bookings/new?ticket_type={ticket_type_id}")).expect("a page");
    let key = page.body.split_once("name=\"request_key\" value=\"").expect("a key").1;
    let request_key = key.split_once('"').expect("its end").0.to_owned();
    Purchase { ticket_type_id, quantity: 1, request_key }
}

fn jump(file: &Path, hours: i32) {
    let part = file.with_extension("part");
    fs::write(&part, format!("{hours:+}h\n")).expect("written");
    fs::rename(&part, file).expect("renamed");
}

pub(super) fn libfaketime() -> PathBuf {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"];
    let places = folders.iter().map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    places.into_iter().find(|it| it.exists()).expect("this test needs: sudo apt-get install faketime")
}
