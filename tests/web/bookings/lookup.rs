//! Buyers find their bookings again through a mail that goes only to their address.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use reqwest::blocking::{Client, Response};
use techkraft::booking::lookup::link::BookingLinks;
use techkraft::guard::cookies::Cookies;

use crate::support::{TestApp, browser, header};

const SECRET: &str = "correct horse battery staple, 40 characters";

#[derive(Debug, QueryableByName)]
struct Mail {
    #[diesel(sql_type = Nullable<Text>)]
    recipient: Option<String>,
}

/// The addresses that links were sent to.
fn recipients(app: &TestApp) -> Vec<String> {
    let query = "SELECT recipient FROM mails WHERE kind = 'booking link' ORDER BY id";
    app.database.rows(query).into_iter().filter_map(|mail: Mail| mail.recipient).collect()
}

fn ask(app: &TestApp, email: &str) -> (u16, String) {
    let response = app.post("/bookings/find", &[("email", email)]);
    (response.status().as_u16(), header(&response, "location").to_owned())
}

fn spawn() -> TestApp {
    TestApp::spawn_with(|config| config.secrets.current = Some(SECRET.into()))
}

/// Opens a link, and returns the page that it leads to. The link redirects to the list, whose URL reveals nothing.
pub fn follow(app: &TestApp, link: &str) -> Response {
    let browser = browser();
    let opened = browser.get(app.url(link)).send().expect("an answer");
    assert_eq!((opened.status().as_u16(), header(&opened, "location")), (303, "/bookings"));
    assert_eq!(header(&opened, "referrer-policy"), "no-referrer");
    let cookie = header(&opened, "set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Max-Age=1800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let key = link.rsplit('=').next().expect("a key");
    assert!(!cookie.contains(key), "sealed");
    browser.get(app.url("/bookings")).send().expect("an answer")
}

fn link(email: &str, age: TimeDelta) -> String {
    BookingLinks::new(&SECRET.into()).path(email, Utc::now() - age)
}

#[test]
fn the_address_gets_a_link_and_nobody_learns_whether_it_is_known() {
    let app = TestApp::spawn();
    app.book_well("VIP", 2);
    let mut answers = Vec::new();
    for email in
        ["ada@example.org", "nobody@example.org", "ADA@example.org", "ada@example.org", "who@example.org"]
    {
        let begun = Instant::now();
        answers.push(ask(&app, email));
        assert!(begun.elapsed() >= Duration::from_millis(400), "{email} after {:?}", begun.elapsed());
    }
    answers.dedup();
    assert_eq!(answers, [(303, "/bookings/find?asked=1".to_owned())], "the same to everybody");
    let page = app.get("/bookings/find?asked=1").text().expect("a page");
    assert!(page.contains("If we find bookings for that address, we’ll email you a link."), "{page}");
    assert_eq!(recipients(&app), ["ada@example.org"], "one mail in five minutes, as it was booked");
    app.database.execute("UPDATE booking_lookups SET asked_at = '2026-01-01 00:00:00'");
    ask(&app, "Ada@example.org");
    assert_eq!(recipients(&app).len(), 2);
}

/// Seen to fail without the condition of the upsert: each request wrote a mail.
#[test]
fn asked_twenty_times_at_once_on_two_servers_it_writes_one_mail() {
    let app = TestApp::spawn();
    app.book_well("VIP", 1);
    let other = app.another_server();
    let barrier = Barrier::new(20);
    thread::scope(|scope| {
        for window in 0..20 {
            let (app, other, barrier) = (&app, &other, &barrier);
            scope.spawn(move || {
                let server = if window % 2 == 0 { app.address } else { other.address };
                let post = browser().post(format!("http://{server}/bookings/find"));
                barrier.wait();
                let answer = post.form(&[("email", "ada@example.org")]).send().expect("an answer");
                assert_eq!(answer.status(), 303);
            });
        }
    });
    assert_eq!(recipients(&app).len(), 1);
}

#[test]
fn what_is_no_address_is_said_beside_the_field() {
    let app = TestApp::spawn();
    for bad in ["", "ada", "ada@localhost", "a@b.cc\r\nbcc: eve@example.org"] {
        let response = app.post("/bookings/find", &[("email", bad)]);
        assert_eq!(response.status(), 422, "{bad:?}");
        let page = response.text().expect("a page");
        assert!(page.contains("aria-describedby=\"lookup-email-error\""), "{page}");
    }
    assert!(recipients(&app).is_empty());
}

#[test]
fn the_link_lists_the_bookings_of_its_address_alone() {
    let app = spawn();
    let first = app.book_well("VIP", 2);
    let second = app.book_well("Front Row", 1);
    app.post(&format!("{second}/cancellation"), &[]);
    let checkout = app.open_checkout("VIP", 1);
    let foreign = app.confirm_for("bob@example.org", &browser(), &checkout, 1);
    let foreign = header(&foreign, "location").to_owned();
    let checkout = app.open_checkout("VIP", 3);
    assert_eq!(app.confirm_for("Ada@Example.org", &browser(), &checkout, 3).status(), 303);

    let response = follow(&app, &link("ada@example.org", TimeDelta::zero()));
    assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (200, "private, no-store"));
    assert_eq!(header(&response, "x-robots-tag"), "noindex, nofollow");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    let page = response.text().expect("a page");
    for text in [&first, &second, "2 × VIP", "3 × VIP", "1 × Front Row", "Canceled", "Confirmed"] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(!page.contains(&foreign), "{page}");
    assert!(page.find("3 × VIP") < page.find("2 × VIP"), "the newest first");
}

/// An older release accepted such an address: it begins with KELVIN SIGN, whose lower-case letter is a k.
#[test]
fn two_people_whose_addresses_look_alike_to_us_see_their_own_bookings() {
    let app = spawn();
    let checkout = app.open_checkout("VIP", 1);
    let kate = app.confirm_for("kate@example.org", &browser(), &checkout, 1);
    let kate = header(&kate, "location").to_owned();
    let checkout = app.open_checkout("VIP", 1);
    let other = app.confirm_for("somebody@example.org", &browser(), &checkout, 1);
    let other = header(&other, "location").to_owned();
    app.database.execute(
        "UPDATE bookings SET buyer_email = '\u{212a}ate@example.org', buyer_email_normalized = 'kate@example.org'
         WHERE buyer_email = 'somebody@example.org'",
    );
    let list = |email| follow(&app, &link(email, TimeDelta::zero())).text().expect("a page");
    assert!(list("kate@example.org").contains(&kate) && !list("kate@example.org").contains(&other));
    assert!(list("\u{212a}ate@example.org").contains(&other));
    ask(&app, "kate@example.org");
    assert_eq!(recipients(&app), ["kate@example.org"]);
}

#[test]
fn a_link_that_is_over_or_made_up_opens_nothing() {
    let app = spawn();
    let booking = app.book_well("VIP", 2);
    let good = link("ada@example.org", TimeDelta::minutes(29));
    assert!(follow(&app, &good).text().expect("a page").contains(&booking));
    let foreign = BookingLinks::new(&"another secret, of 32 characters or more".into());
    for bad in [
        link("ada@example.org", TimeDelta::minutes(31)),
        foreign.path("ada@example.org", Utc::now()),
        "/bookings?link=x".to_owned(),
        format!("{good}x"),
    ] {
        let response = app.get(&bad);
        assert_eq!(response.status(), 404, "{bad}");
        let page = response.text().expect("a page");
        assert!(
            page.contains("This link has expired") && page.contains("action=\"/bookings/find\""),
            "{page}"
        );
        assert!(!page.contains(&booking));
    }
}

/// The list stays open in the browser that has opened the link, until the link expires or the browser is told to
/// forget.
#[test]
fn the_list_is_open_for_this_browser_alone_and_no_longer_than_its_link() {
    let app = spawn();
    let booking = app.book_well("VIP", 2);
    let shown = |browser: &Client| {
        let response = browser.get(app.url("/bookings")).send().expect("an answer");
        (response.status().as_u16(), response.text().expect("a page").contains(&booking))
    };
    let browser = browser();
    browser.get(app.url(&link("ada@example.org", TimeDelta::zero()))).send().expect("an answer");
    assert_eq!([shown(&browser), shown(&browser)], [(200, true); 2], "a reload shows it again");
    assert_eq!(shown(&crate::support::browser()), (303, false), "another browser");
    browser.post(app.url("/buyer/forget")).form(&[("event", "")]).send().expect("an answer");
    assert_eq!(shown(&browser), (303, false), "forgotten");
    // A cookie that outlives its link opens nothing.
    let cookies = Cookies::new(&SECRET.into(), false);
    for (age, status) in [(29, 200), (31, 303)] {
        let link = link("ada@example.org", TimeDelta::minutes(age));
        let sealed = cookies.sealed("bookings", link.rsplit('=').next().expect("a key")).finish();
        let request = crate::support::browser().get(app.url("/bookings"));
        let response =
            request.header("cookie", format!("bookings={}", sealed.value())).send().expect("an answer");
        assert_eq!(response.status(), status, "after {age} minutes");
    }
}

#[test]
fn people_find_the_way_there() {
    let app = TestApp::spawn();
    for path in ["/", "/nowhere", "/bookings/AAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert!(app.get(path).text().expect("a page").contains("href=\"/bookings/find\""), "{path}");
    }
    assert_eq!(header(&app.get("/bookings"), "location"), "/bookings/find");
    app.book_and_be_remembered("VIP");
    assert!(app.get("/bookings/find").text().expect("a page").contains("value=\"ada@example.org\""));
}
