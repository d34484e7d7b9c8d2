//! A request that no page of ours sends is refused before a handler sees it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::time::Duration;

use reqwest::blocking::{Body, Response};
use techkraft::guard::request_validation::FIELDS_MAX;

use crate::support::{TestApp, header};
use testkit::wait::eventually;

const FORM: &str = "application/x-www-form-urlencoded";

fn post(app: &TestApp, content_type: &str, body: impl Into<Body>) -> Response {
    let request = app.client.post(app.url("/bookings")).header("content-type", content_type).body(body);
    request.send().expect("an answer")
}

#[test]
fn only_forms_are_read() {
    let app = TestApp::spawn();
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencodedx",
        "nonsense",
    ] {
        for path in
            ["/bookings", "/admin/sign-in", "/admin/reseed", "/buyer/forget", "/admin/sign-out", "/nowhere"]
        {
            let request = app.client.post(app.url(path)).header("content-type", content_type).body("a=b");
            let status = request.send().expect("an answer").status().as_u16();
            let is_known_to_handlers_only = content_type.contains("utf-16");
            assert!(status == 415 || is_known_to_handlers_only, "{path} {content_type}: {status}");
        }
    }
    assert_eq!(post(&app, "application/x-www-form-urlencoded; charset=utf-16", "a=b").status(), 415);
    let id = app.tier_id("VIP");
    assert_eq!(post(&app, &format!("{FORM}; charset=UTF-8"), format!("ticket_type={id}")).status(), 422);
    assert_eq!(post(&app, FORM, format!("ticket_type={id}")).status(), 422, "nothing typed, but read");
    let request = app.client.post(app.url("/bookings")).body("no type");
    assert_eq!(request.send().expect("an answer").status(), 415);
}

/// Seen to fail without the check of all names: the last of two fields of one ticket type counted.
#[test]
fn a_form_with_a_repeated_field_books_nothing() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let other = app.tier_id("Front Row");
    let form = |more: &str| {
        format!(
            "ticket_type={}&quantity=1&name=Ada&email=ada%40example.org&request_key={}&quantity_{other}=1{more}",
            checkout.ticket_type, checkout.request_key
        )
    };
    for repeated in ["&quantity=2".into(), format!("&quantity_{other}=2"), "&x=1&x=2".into()] {
        assert_eq!(post(&app, FORM, form(&repeated)).status(), 422, "{repeated}");
    }
    assert_eq!(app.count("bookings"), 0);
    assert_eq!(post(&app, FORM, form("&x=1")).status(), 303);
    assert_eq!(app.count("bookings"), 1);
}

#[test]
fn deep_json_and_many_parts_are_not_even_parsed() {
    let app = TestApp::spawn();
    assert_eq!(post(&app, "application/json", "[".repeat(15_000)).status(), 415);
    let parts = "--x\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n".repeat(200);
    assert_eq!(post(&app, "multipart/form-data; boundary=x", parts).status(), 415);
}

#[test]
fn a_compressed_body_is_never_unpacked() {
    let app = TestApp::spawn();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b'a'; 8 * 1024 * 1024]).expect("memory");
    let bomb = gzip.finish().expect("memory");
    assert!(bomb.len() < 16 * 1024, "it passes the limit of bodies: {}", bomb.len());
    for encoding in ["gzip", "br", "deflate", "zstd", "identity", "gzip, gzip"] {
        let request = app.client.post(app.url("/bookings")).header("content-encoding", encoding);
        let response = request.header("content-type", FORM).body(bomb.clone()).send().expect("an answer");
        assert_eq!(response.status(), 415, "{encoding}");
    }
}

#[test]
fn bodies_and_addresses_have_limits() {
    let app = TestApp::spawn();
    assert_eq!(post(&app, FORM, format!("name={}", "x".repeat(20_000))).status(), 413);
    // The request states no length, so the body is counted while it arrives.
    let endless = std::io::Read::take(std::io::repeat(b'a'), 200_000);
    assert_eq!(post(&app, FORM, Body::new(endless)).status(), 413);
    let response = app.get(&format!("/nowhere/{}", "x".repeat(8_100)));
    assert_eq!(response.status(), 414);
    assert!(response.text().expect("a page").contains("address is too long"));
    assert_eq!(app.get(&format!("/nowhere/{}", "x".repeat(7_000))).status(), 404);
    let request = app.client.get(app.url("/")).header("content-type", FORM).body("a=b");
    assert_eq!(request.send().expect("an answer").status(), 400);
}

#[test]
fn fields_are_few_single_and_text() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let good = format!(
        "ticket_type={}&quantity=1&name=Ada&email=ada%40example.org&request_key={}",
        checkout.ticket_type, checkout.request_key
    );
    let many: String = (0..=FIELDS_MAX).map(|number| format!("&x{number}=1")).collect();
    for bad in [
        format!("{good}&quantity=2"),
        format!("{good}{many}"),
        good.replace("Ada", "%ff"),
        good.replace("Ada", "%c0%80"),
        good.replace("Ada", "%ed%a0%80"),
        good.replace("Ada", "%zz"),
        good.replace("Ada", "%"),
    ] {
        let response = post(&app, FORM, bad.clone());
        assert_eq!(response.status(), 422, "{bad}");
        assert!(response.text().expect("a page").contains("couldn’t read that form"));
    }
    assert_eq!(app.database.tier("VIP").sold, 0);
    let known_and_unknown = post(&app, FORM, format!("{good}&unknown=1&_method=DELETE"));
    assert_eq!(known_and_unknown.status(), 303, "a field too many is left alone");
    for query in ["ticket_type=1&ticket_type=1", "ticket_type=%ff", &many] {
        assert_eq!(app.get(&format!("/bookings/new?{query}")).status(), 422, "{query}");
    }
    assert_eq!(header(&app.get("/?x=1"), "location"), "");
}

/// With a limit of 32 fields, a buyer who gave back 40 tickets read "We couldn’t read that form".
#[test]
fn many_tickets_are_given_back_at_once() {
    let app = TestApp::spawn();
    app.database.execute("UPDATE ticket_types SET max_per_booking = 100, max_per_person = NULL, facts_version = facts_version + 1");
    let id = app.tier_id("VIP");
    eventually("the board knows it", || {
        let page = app.get(&format!("/bookings/new?ticket_type={id}")).text().expect("a page");
        page.contains("VIP tickets, up to 100<")
    });
    let path = app.book_order(&[("VIP", 60), ("General Admission", 50)]);
    let asked = app.get(&format!("{path}/cancellation")).text().expect("a page");
    assert_eq!(asked.matches("name=\"seat_").count(), 110);
    let form = |seats: RangeInclusive<u32>| -> Vec<(String, String)> {
        let seats = seats.map(|seat| (format!("seat_{seat}"), "on".to_owned()));
        [("choice".to_owned(), "1".to_owned())].into_iter().chain(seats).collect()
    };
    let sold = || app.database.tiers().iter().map(|tier| tier.sold).sum::<i64>();
    let by_buyer = app.client.post(app.url(&format!("{path}/cancellation"))).form(&form(1..=70)).send();
    assert_eq!((by_buyer.expect("an answer").status().as_u16(), sold()), (303, 40));
    let reference = app.database.text("SELECT reference AS text FROM bookings");
    let desk = app.url(&format!("/admin/bookings/{reference}/cancellation"));
    let by_organizer = app.organizer().post(desk).form(&form(71..=110)).send();
    assert_eq!((by_organizer.expect("an answer").status().as_u16(), sold()), (303, 0));
}

/// Without the limit, actix reads 128 KiB.
#[test]
fn a_head_has_a_limit_however_it_is_filled() {
    let app = TestApp::spawn();
    let long = |length: usize| app.client.get(app.url("/")).header("x-long", "x".repeat(length));
    let many = |length: usize| {
        (0..80).fold(app.client.get(app.url("/")), |request, number| {
            request.header(format!("x-{number}"), "x".repeat(length / 80))
        })
    };
    let cookies = |length: usize| app.client.get(app.url("/")).header("cookie", "a=b;".repeat(length / 4));
    let address =
        app.client.get(app.url(&format!("/?x={}", "x".repeat(7_900)))).header("x-long", "x".repeat(9_000));
    for (request, status) in [
        (long(15_000), 200),
        (long(16_400), 431),
        (long(40_000), 431),
        (many(14_000), 200),
        (many(17_000), 431),
        (cookies(15_000), 200),
        (cookies(17_000), 431),
        (address, 431),
    ] {
        let response = request.send().expect("an answer");
        assert_eq!(response.status(), status);
        if status == 431 {
            assert_eq!(header(&response, "connection"), "close");
            assert!(response.text().expect("a page").contains("Your browser sent too much"));
        }
    }
}

/// Nothing is read beyond the limit. Without the limit, the connection of an unfinished head stayed open for 30 s.
#[test]
fn a_head_without_end_is_answered_and_cut_off() {
    let app = TestApp::spawn();
    let mut stream = TcpStream::connect(app.address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "x".repeat(60_000));
    stream.write_all(head.as_bytes()).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end");
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

/// An organizer's form may be longer than a head, however its parts arrive.
#[test]
fn a_long_form_is_read_to_its_end() {
    let app = TestApp::spawn();
    let mut stream = TcpStream::connect(app.address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    let form = format!("username=admin&password=wrong&typed={}", "x".repeat(100_000));
    let head = format!(
        "POST /admin/sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {FORM}\r\n\
         Content-Length: {}\r\n\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).expect("it is taken");
    for part in form.as_bytes().chunks(20_000) {
        std::thread::sleep(Duration::from_millis(400));
        stream.write_all(part).expect("it is taken");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 422 "), "{}", &answer[..answer.len().min(200)]);
}

/// A header that is longer than any browser's is not searched for encodings: the page is sent uncompressed.
#[test]
fn a_long_list_of_encodings_is_not_read() {
    let app = TestApp::spawn();
    for (accepted, encoding) in [("gzip, br".to_owned(), true), ("gzip, ".repeat(2_000), false)] {
        for path in ["/", "/events/midnight-parade/availability"] {
            let request = app.client.get(app.url(path)).header("accept-encoding", &accepted);
            let response = request.send().expect("an answer");
            assert_eq!(response.status(), 200);
            let is_packed = !["", "identity"].contains(&header(&response, "content-encoding"));
            assert_eq!(is_packed, encoding, "{path}");
        }
    }
}
