//! What an organizer changes while the concert sells: prices, capacities, ticket types, pauses.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;

use super::concerts::{add_type, post, type_path};
use crate::support::acts::Checkout;
use crate::support::{TestApp, browser, header};
use testkit::wait::{eventually, within};

const EVENT: &str = "/admin/events/midnight-parade";

/// Posts a capacity to a ticket type's form. Returns the status and the page.
fn set_capacity(app: &TestApp, organizer: &Client, path: &str, capacity: i64) -> (u16, String) {
    let answer = post(app, organizer, path, &[("capacity", &capacity.to_string()), ("max_per_person", "")]);
    (answer.status().as_u16(), answer.text().expect("a page"))
}

#[test]
fn a_price_changes_for_new_bookings_only() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let vip = type_path(&app, &organizer, EVENT, "VIP");
    app.book_well("VIP", 2);
    assert_eq!(post(&app, &organizer, &vip, &[("price", "1,120.50")]).status(), 303);
    assert!(app.get("/events/midnight-parade").text().expect("a page").contains("$1,120.50"));
    app.book_well("VIP", 1);
    let totals: Vec<(i64, i64)> = app
        .database
        .rows::<Total>("SELECT id, total_minor AS total FROM bookings ORDER BY id")
        .into_iter()
        .map(|row| (row.id, row.total))
        .collect();
    assert_eq!(totals.iter().map(|it| it.1).collect::<Vec<_>>(), [20_000, 112_050]);
    // A form that was opened before somebody else's change does not undo it.
    let stale = post(&app, &organizer, &vip, &[("price", "1"), ("facts_version", "1")]);
    assert_eq!(stale.status(), 409);
    assert!(stale.text().expect("a page").contains("Someone else has changed this"));
    app.database.assert_books_balance();
}

#[derive(diesel::QueryableByName)]
struct Total {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    total: i64,
}

#[test]
fn a_capacity_goes_up_and_down_to_what_is_sold() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let vip = type_path(&app, &organizer, EVENT, "VIP");
    app.book_well("VIP", 7);
    let checkout = app.open_checkout("VIP", 1);
    let (status, page) = set_capacity(&app, &organizer, &vip, 6);
    assert_eq!(status, 409);
    assert!(page.contains("7 are sold or held, so 7 is the lowest number."), "{page}");
    assert!(page.contains("name=\"capacity\" value=\"6\""), "what was typed is kept");
    assert_eq!(set_capacity(&app, &organizer, &vip, 7).0, 303);
    assert_eq!(app.confirm(&checkout, 1).status(), 409);
    assert_eq!(set_capacity(&app, &organizer, &vip, 9).0, 303);
    app.book_well("VIP", 2);
    assert_eq!(set_capacity(&app, &organizer, &vip, 500).0, 303);
    assert!(
        app.get("/events/midnight-parade").text().expect("a page").contains("<strong>491</strong> of 500")
    );
    app.database.assert_books_balance();
}

#[test]
fn types_are_added_moved_paused_and_hidden_while_it_sells() {
    let app = TestApp::spawn();
    let other = app.another_server();
    let organizer = app.organizer();
    add_type(&app, &organizer, EVENT, "Balcony", "80", "50");
    app.book_well("Balcony", 2);
    let balcony = type_path(&app, &organizer, EVENT, "Balcony");
    assert_eq!(post(&app, &organizer, &format!("{balcony}/position"), &[("position", "1")]).status(), 303);
    let page = || app.get("/events/midnight-parade").text().expect("a page");
    let shown = page();
    assert!(shown.find(">Balcony</h3>") < shown.find(">VIP</h3>"), "it is the first now: {shown}");

    let checkout = app.open_checkout("Balcony", 1);
    assert_eq!(post(&app, &organizer, &format!("{balcony}/state"), &[("state", "paused")]).status(), 303);
    assert_eq!(app.confirm(&checkout, 1).status(), 409);
    assert!(page().contains("Paused by the organizer"));
    app.book_well("VIP", 1);
    assert_eq!(post(&app, &organizer, &format!("{balcony}/state"), &[("state", "on_sale")]).status(), 303);
    assert_eq!(app.confirm(&checkout, 1).status(), 303);
    assert_eq!(post(&app, &organizer, &format!("{balcony}/state"), &[("state", "hidden")]).status(), 303);
    assert!(!page().contains(">Balcony</h3>"));

    // The whole sale is paused, on another server too as soon as it reads the database again.
    let checkout = app.open_checkout("VIP", 1);
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/pause"), &[("paused", "true")]).status(), 303);
    assert_eq!(app.confirm(&checkout, 1).status(), 409);
    let shown = || {
        let url = format!("http://{}/events/midnight-parade", other.address);
        browser().get(url).send().expect("an answer").text().expect("a page")
    };
    eventually("the other server shows it", || shown().contains("Paused by the organizer"));
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/pause"), &[("paused", "false")]).status(), 303);
    app.book_well("VIP", 1);
    for (path, form) in [("/pause", ("paused", "perhaps")), ("/archive", ("archived", ""))] {
        assert_eq!(post(&app, &organizer, &format!("{EVENT}{path}"), &[form]).status(), 422, "{path}");
    }
    app.database.assert_books_balance();
}

/// All buyers send their forms at once. Returns how many have booked.
fn rush(app: &TestApp, checkouts: &[Checkout], meanwhile: impl FnOnce(&Barrier) + Send) -> usize {
    let barrier = Barrier::new(checkouts.len() + 1);
    thread::scope(|scope| {
        let buyers: Vec<_> = checkouts
            .iter()
            .enumerate()
            .map(|(buyer, checkout)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let (client, email) = (browser(), format!("buyer-{buyer}@example.org"));
                    barrier.wait();
                    app.confirm_for(&email, &client, checkout, 1).status().as_u16()
                })
            })
            .collect();
        meanwhile(&barrier);
        let statuses: Vec<u16> = buyers.into_iter().map(|buyer| buyer.join().expect("a buyer")).collect();
        assert!(statuses.iter().all(|status| [303, 409].contains(status)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 303).count()
    })
}

#[test]
fn a_capacity_is_lowered_while_two_hundred_buyers_book() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let path = type_path(&app, &organizer, EVENT, "Front Row");
    let checkouts: Vec<Checkout> = (0..200).map(|_| app.open_checkout("Front Row", 1)).collect();
    let booked = rush(&app, &checkouts, |barrier| {
        barrier.wait();
        for capacity in [150, 120, 90, 60, 160, 40] {
            let (status, page) = set_capacity(&app, &organizer, &path, capacity);
            assert!([303, 409].contains(&status), "{status}: {page}");
            if status == 409 {
                assert!(page.contains("is the lowest number."), "{page}");
            }
        }
    });
    let front_row = app.database.tier("Front Row");
    assert_eq!(i64::try_from(booked), Ok(front_row.sold), "confirmed to buyers, and in the books");
    let (sold, capacity) = (front_row.sold, front_row.capacity);
    assert!(sold + front_row.available == capacity, "{sold} of {capacity}");
    app.database.assert_books_balance();
}

#[test]
fn nothing_is_booked_after_a_pause_in_the_middle_of_a_rush() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let checkouts: Vec<Checkout> = (0..150).map(|_| app.open_checkout("General Admission", 1)).collect();
    let booked = rush(&app, &checkouts, |barrier| {
        barrier.wait();
        let paused = post(&app, &organizer, &format!("{EVENT}/pause"), &[("paused", "true")]);
        assert_eq!((paused.status().as_u16(), header(&paused, "location")), (303, EVENT));
    });
    assert_eq!(i64::try_from(booked), Ok(app.database.tier("General Admission").sold));
    let late = app.database.count(
        "bookings JOIN audit_log ON audit_log.action = 'sale paused' AND bookings.created_at > audit_log.created_at",
    );
    assert_eq!(late, 0, "of {booked} booked");
    app.database.assert_books_balance();
}

#[test]
fn a_concert_with_a_canceled_booking_offers_no_withdrawal() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let page = || organizer.get(app.url(EVENT)).send().expect("an answer").text().expect("a page");
    assert!(page().contains("midnight-parade/withdrawal"));
    let location = app.book_well("VIP", 1);
    assert!(!page().contains("midnight-parade/withdrawal"));
    assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
    assert!(!page().contains("midnight-parade/withdrawal"), "its holder still has the page");
    assert_eq!(post(&app, &organizer, &format!("{EVENT}/withdrawal"), &[]).status(), 409);
}

#[test]
fn the_audit_log_says_from_what_to_what() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let vip = type_path(&app, &organizer, EVENT, "VIP");
    let changed =
        post(&app, &organizer, &vip, &[("price", "112.50"), ("capacity", "120"), ("max_per_person", "")]);
    assert_eq!(changed.status(), 303);
    let moved = [("venue", "The Cellar"), ("organizer_contact", "box@example.org"), ("notify", "false")];
    assert!(post(&app, &organizer, &format!("{EVENT}/edit"), &moved).status().is_redirection());
    let log = organizer.get(app.url("/admin/audit-log")).send().expect("an answer").text().expect("a page");
    for text in
        ["price: 100.00 → 112.50\ncapacity: 100 → 120", "→ The Cellar", "organizer’s contact: changed"]
    {
        assert!(log.contains(text), "{text}\n{log}");
    }
    assert!(!log.contains("box@example.org"), "it is kept for good");
}

/// When one server pauses a sale, the other server stops selling, and when one resumes it, the other sells again.
#[test]
fn all_servers_pause_and_resume_within_a_second() {
    // The default of a real server.
    let refresh = |config: &mut techkraft::config::Config| config.board_refresh = Duration::from_secs(1);
    let app = TestApp::spawn_with(refresh);
    let organizer = app.organizer();
    let other = app.another_server_with(refresh);
    let checkouts: Vec<Checkout> = (0..3).map(|_| app.open_checkout("VIP", 1)).collect();
    let book = |checkout: &Checkout| {
        let url = format!("http://{}/bookings", other.address);
        let form = checkout.fields("Ada", "ada@example.org");
        browser().post(url).form(&form).send().expect("an answer").status().as_u16()
    };
    let page = || browser().get(format!("http://{}/events/midnight-parade", other.address)).send();
    let shows = |words: &str| page().expect("an answer").text().expect("a page").contains(words);
    assert_eq!(book(&checkouts[0]), 303);
    for (paused, is_sold) in [("true", false), ("false", true)] {
        assert_eq!(post(&app, &organizer, &format!("{EVENT}/pause"), &[("paused", paused)]).status(), 303);
        // The claim reads the row that it locks.
        if !is_sold {
            assert_ne!(book(&checkouts[1]), 303, "nothing is sold from the commit on");
        }
        // One second, plus time for a machine that is busy with other tests.
        within(Duration::from_secs(5), "the other server shows it", || shows("Sales paused") != is_sold);
    }
    assert_eq!(book(&checkouts[2]), 303);
}
