//! Orders of several ticket types: the whole order is booked, or nothing.

mod api;

use std::sync::Barrier;
use std::thread;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::check_in::{answer, codes, scan};
use crate::mail::contents::{mails, parse};
use crate::support::acts::Checkout;
use crate::support::{TestApp, browser, header};
use testkit::outbox::OUTBOX;
use testkit::server::assert_verified;

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const BOTH: [(&str, u32); 2] = [("VIP", 2), ("Front Row", 1)];

fn sold(app: &TestApp) -> Vec<i64> {
    app.database.tiers().iter().map(|tier| tier.sold).collect()
}

#[test]
fn an_order_of_two_types_is_one_booking_with_one_reference_and_one_mail() {
    let app = TestApp::spawn();
    let location = app.book_order(&BOTH);
    assert_eq!((app.count("bookings"), app.count("booking_lines"), sold(&app)), (1, 2, vec![2, 1, 0]));
    app.database.assert_books_balance();

    let page = app.get(&location).text().expect("a page");
    for text in ["2 × VIP, 1 × Front Row", "$250.00"] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let tickets: Vec<&str> = page.split("<article class=\"ticket\"").skip(1).collect();
    assert_eq!(tickets.len(), 3);
    for (index, ticket_type) in ["VIP", "VIP", "Front Row"].iter().enumerate() {
        let (ticket, seat) = (tickets[index], index + 1);
        assert!(ticket.contains(&format!("<strong>{ticket_type}</strong>")), "{ticket}");
        assert!(ticket.contains(&format!("<span>Ticket {seat} of 3</span>")), "{ticket}");
        assert_eq!(ticket.contains("rel=\"prev\""), seat > 1, "{ticket}");
        assert_eq!(ticket.contains("rel=\"next\""), seat < 3, "{ticket}");
    }
    assert_eq!(page.matches("<span>Reference</span>").count(), 1);
    let codes = codes(&app, &location);
    assert_eq!(codes.len(), 3);

    let files = mails(&app, 1);
    let text = parse(&files[0]).body_text(0).expect("text").into_owned();
    for (seat, name) in [(1, "VIP"), (2, "VIP"), (3, "Front Row")] {
        let line = format!("{seat} of 3  {name}  {}", codes[seat - 1]);
        assert!(text.contains(&line), "{line}\n{text}");
    }
    app.database.wait_until_mails_are_written();
    assert_eq!(app.count(OUTBOX), 1, "one mail for all of it");

    let organizer = app.organizer();
    app.open_doors();
    for (code, ticket_type, seat) in
        [(&codes[0], ">VIP<", "ticket 1 of 3"), (&codes[2], ">Front Row<", "ticket 3 of 3")]
    {
        let (status, said) = answer(scan(&app, &organizer, "North", code));
        assert!(status == 201 && said.contains(ticket_type) && said.contains(seat), "{said}");
    }
    let csv = organizer.get(app.url("/admin/events/midnight-parade/bookings.csv")).send().expect("an answer");
    let csv = csv.text().expect("a file");
    assert!(
        csv.contains(",VIP,2,0,100.00,200.00,USD,") && csv.contains(",Front Row,1,0,50.00,50.00,USD,"),
        "{csv}"
    );
    assert_verified(&app.database);
}

/// The quantity that a form shows of a ticket type.
fn shown_quantity(app: &TestApp, html: &str, name: &str) -> Option<String> {
    let input = format!("id=\"checkout-quantity-{}\"", app.id_of(name));
    let input = html.split("<input").find(|rest| rest.contains(&input))?;
    Some(input.split("value=\"").nth(1)?.split('"').next()?.to_owned())
}

#[test]
fn not_enough_of_one_type_takes_nothing_and_offers_what_can_be_had() {
    let app = TestApp::spawn();
    let wishes = [("VIP", 2), ("Front Row", 3), ("General Admission", 4)];
    let checkout = app.open_order(&wishes);
    app.set_available("Front Row", 1);
    let refused = app.send_order(&app.client, "ada@example.org", &checkout, &wishes);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    assert_eq!(sold(&app), [0, 199, 0], "nothing was taken");
    assert!(html.contains("Only 1 ticket left. We changed your quantity to 1."), "{html}");
    for (name, quantity) in [("VIP", "2"), ("Front Row", "1"), ("General Admission", "4")] {
        assert_eq!(shown_quantity(&app, &html, name).as_deref(), Some(quantity), "{name}");
    }
    assert!(html.contains("value=\"Ada Lovelace\"") && html.contains("value=\"ada@example.org\""));
    assert!(html.contains("<details class=\"more\" open>"), "what is wrong is seen");
    assert!(html.contains("$290.00"), "the total of what can be had");

    app.book_order(&[("VIP", 2), ("Front Row", 1), ("General Admission", 4)]);
    app.database.assert_books_balance();
}

#[test]
fn a_type_of_which_nothing_is_left_is_named_and_the_others_stay_in_the_form() {
    let app = TestApp::spawn();
    let wishes = [("VIP", 2), ("Front Row", 3)];
    let checkout = app.open_order(&wishes);
    app.set_available("Front Row", 0);
    let refused = app.send_order(&app.client, "ada@example.org", &checkout, &wishes);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    assert!(html.contains("the last Front Row ticket just sold"), "{html}");
    assert_eq!(shown_quantity(&app, &html, "VIP").as_deref(), Some("2"));
    assert_eq!(sold(&app), [0, 200, 0]);
}

#[test]
fn when_the_first_type_is_gone_the_way_to_the_others_keeps_their_quantities() {
    let app = TestApp::spawn();
    let wishes = [("VIP", 2), ("Front Row", 3)];
    let checkout = app.open_order(&wishes);
    app.set_available("VIP", 0);
    let refused = app.send_order(&app.client, "ada@example.org", &checkout, &wishes);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    let form = format!("name=\"ticket_type\" value=\"{}\">", app.id_of("Front Row"));
    let (_, fields) = html.split_once(&form).unwrap_or_else(|| panic!("{form}\n{html}"));
    assert!(
        fields.trim_start().starts_with("<input type=\"hidden\" name=\"quantity\" value=\"3\">"),
        "{html}"
    );
    assert_eq!(sold(&app), [100, 0, 0]);
}

#[test]
fn the_limit_of_one_type_refuses_the_whole_order() {
    let app = TestApp::spawn();
    app.book_well("VIP", 9);
    let wishes = [("Front Row", 2), ("VIP", 2)];
    let refused = app.send_order(&app.client, "ada@example.org", &app.open_order(&wishes), &wishes);
    assert_eq!(refused.status(), 409);
    let html = refused.text().expect("a page");
    assert!(html.contains("Limit: 10 VIP tickets per person, counting all bookings under one email address. You can’t book 2 more"), "{html}");
    let marked = format!("id=\"checkout-quantity-{}-error\"", app.id_of("VIP"));
    assert!(html.contains(&marked), "beside its own quantity: {html}");
    assert_eq!(sold(&app), [9, 0, 0]);

    let (status, problem) = app.post_json(KEY, &app.order_json(&wishes));
    assert_eq!((status, &problem["type"]), (409, &json!("/api/docs#problem-over-person-limit")));
    assert_eq!(sold(&app), [9, 0, 0]);
}

#[test]
fn an_other_quantity_out_of_range_is_told_at_its_field() {
    let app = TestApp::spawn();
    let checkout = app.open_order(&BOTH);
    let front_row = app.id_of("Front Row");
    for (typed, message) in [("11", "up to 10 tickets"), ("x", "Choose 1 to 10"), ("-1", "Choose 1 to 10")] {
        let mut form = app.order_form("ada@example.org", &checkout, &BOTH);
        form.last_mut().expect("a field").1 = typed.to_owned();
        let response = app.client.post(app.url("/bookings")).form(&form).send().expect("an answer");
        assert_eq!(response.status(), 422, "{typed}");
        let html = response.text().expect("a page");
        assert!(html.contains(message), "{typed}: {html}");
        assert!(html.contains(&format!("id=\"checkout-quantity-{front_row}-error\"")), "{typed}");
        assert_eq!(shown_quantity(&app, &html, "VIP").as_deref(), Some("2"));
    }
    assert_eq!(sold(&app), [0, 0, 0]);
}

#[test]
fn the_same_form_of_two_types_books_once() {
    let app = TestApp::spawn();
    let checkout = app.open_order(&BOTH);
    let send = |wishes: &[(&str, u32)]| app.send_order(&app.client, "ada@example.org", &checkout, wishes);
    let first = header(&send(&BOTH), "location").to_owned();
    assert!(first.starts_with("/bookings/"));
    assert_eq!(header(&send(&BOTH), "location"), first);
    assert_eq!(send(&[("VIP", 2), ("Front Row", 2)]).status(), 422, "the same key for something else");
    assert_eq!(send(&[("VIP", 2)]).status(), 422);
    assert_eq!((app.count("bookings"), sold(&app)), (1, vec![2, 1, 0]));
}

#[test]
fn a_cancellation_gives_both_types_back() {
    let app = TestApp::spawn();
    let location = app.book_order(&BOTH);
    let asked = app.get(&format!("{location}/cancellation")).text().expect("a page");
    assert!(asked.contains("Ticket 1 · VIP") && asked.contains("Ticket 3 · Front Row"), "{asked}");
    let (_, booking) = app.post_json(KEY, &app.order_json(&[("VIP", 1), ("General Admission", 4)]));
    assert_eq!(sold(&app), [3, 1, 4]);
    for _ in 0..2 {
        assert_eq!(app.post(&format!("{location}/cancellation"), &[]).status(), 303);
        let page = app.get("/").text().expect("a page");
        assert!(
            page.contains("<strong>99</strong> of 100 left") && page.contains("<strong>200</strong> of 200"),
            "{page}"
        );
    }
    let token = booking["token"].as_str().expect("a text");
    for _ in 0..2 {
        let path = app.url(&format!("/api/v1/bookings/{token}/cancellation"));
        let canceled: Value = app.client.post(path).send().expect("an answer").json().expect("JSON");
        assert_eq!((&canceled["status"], &canceled["tickets"]), (&json!("canceled"), &json!([])));
    }
    assert_eq!(sold(&app), [0, 0, 0]);
    app.database.assert_books_balance();
    app.database.wait_until_mails_are_written();
    assert_eq!(app.count(&format!("{OUTBOX} WHERE kind = 'cancellation'")), 2);
    assert_verified(&app.database);
}

/// At two servers, half of the buyers name the ticket types in one sequence and half in the other: there is no
/// deadlock, and no order is half booked.
#[test]
fn a_hundred_buyers_of_two_types_at_two_servers_get_all_or_nothing() {
    let app = TestApp::spawn();
    let other = app.another_server();
    app.set_available("VIP", 40);
    app.set_available("Front Row", 30);
    let there = [("VIP", 1), ("Front Row", 1)];
    let back = [("Front Row", 1), ("VIP", 1)];
    let orders: Vec<(Checkout, [(&str, u32); 2])> = (0..100)
        .map(|number| if number % 4 < 2 { there } else { back })
        .map(|wishes| (app.open_order(&wishes), wishes))
        .collect();
    let barrier = Barrier::new(orders.len());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let buyers: Vec<_> = orders
            .iter()
            .enumerate()
            .map(|(number, (checkout, wishes))| {
                let (app, barrier) = (&app, &barrier);
                let server = if number % 2 == 0 { app.address } else { other.address };
                scope.spawn(move || {
                    let form = app.order_form(&format!("buyer-{number}@example.org"), checkout, wishes);
                    let client: Client = browser();
                    barrier.wait();
                    let post = client.post(format!("http://{server}/bookings")).form(&form);
                    post.send().expect("an answer").status().as_u16()
                })
            })
            .collect();
        buyers.into_iter().map(|buyer| buyer.join().expect("a buyer")).collect()
    });
    assert!(statuses.iter().all(|status| [303, 409].contains(status)), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 30);
    assert_eq!(sold(&app), [60 + 30, 170 + 30, 0]);
    assert_eq!(app.count("bookings WHERE request_key NOT LIKE 'box office%'"), 30);
    app.database.assert_books_balance();
    assert_verified(&app.database);
}
