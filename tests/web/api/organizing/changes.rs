//! What a program can change about concerts that sell, and how it reads their list.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Program, kind, night, pointers};
use crate::support::{TestApp, header};

#[test]
fn ticket_types_are_changed_moved_paused_and_hidden() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let vip = app.tier_id("VIP");
    app.book_well("VIP", 3);
    let path = format!("/midnight-parade/ticket-types/{vip}");
    let body = json!({ "price": "99.50", "capacity": 90, "taxRate": "8.25" });
    let (status, changed) = program.send(Method::PATCH, &path, &body);
    assert_eq!((status.as_u16(), &changed["price"]["cents"]), (200, &json!(9_950)));
    assert_eq!(changed["taxRate"], "8.25");
    assert_eq!((&changed["capacity"], &changed["available"]), (&json!(90), &json!(87)));
    let (status, problem) = program.send(Method::PATCH, &path, &json!({ "capacity": 2 }));
    assert_eq!(
        (status.as_u16(), kind(&problem), pointers(&problem)),
        (409, "change-refused", vec!["#/capacity"])
    );
    assert!(problem["detail"].as_str().is_some_and(|it| it.contains("3 is the lowest number")), "{problem}");

    let names = || -> Vec<String> {
        let all: Value = app.get("/api/v1/events/midnight-parade/ticket-types").json().expect("JSON");
        let all = all["ticketTypes"].as_array().expect("a list").clone();
        all.iter()
            .map(|it| format!("{} {}", it["name"].as_str().unwrap_or(""), it["sale"].as_str().unwrap_or("")))
            .collect()
    };
    let first = names();
    assert_eq!(program.send(Method::PATCH, &path, &json!({ "position": 3, "state": "paused" })).0, 200);
    assert_eq!(names(), [first[1].as_str(), first[2].as_str(), "VIP sale-paused"]);
    let (_, hidden) =
        program.send(Method::PATCH, &path, &json!({ "state": "hidden", "accent": null, "icon": "users" }));
    assert_eq!(
        (&hidden["state"], &hidden["icon"], &hidden["position"]),
        (&json!("hidden"), &json!("users"), &json!(3))
    );
    assert_eq!(hidden["sale"], "not-published");
    assert_eq!(names().len(), 2);
    assert_eq!(program.get("/midnight-parade")["ticketTypes"].as_array().map(Vec::len), Some(3));
    assert_eq!(program.send(Method::PATCH, &path, &json!({ "state": "on-sale", "position": 1 })).0, 200);
    assert_eq!(names()[0], "VIP on-sale");
    for (path, status) in [
        ("/midnight-parade/ticket-types/999", 404),
        ("/midnight-parade/ticket-types/x", 404),
        ("/nowhere", 404),
    ] {
        assert_eq!(program.send(Method::PATCH, path, &json!({})).0.as_u16(), status, "{path}");
    }
    app.database.assert_books_balance();
}

#[test]
fn ticket_types_of_a_canceled_concert_stay_in_their_places() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let path = format!("/midnight-parade/ticket-types/{}", app.tier_id("VIP"));
    app.database.execute("UPDATE events SET state = 'canceled'");
    let shown = program.request(Method::GET, &path).send().expect("an answer");
    let tag = header(&shown, "etag").to_owned();
    let moved = || program.request(Method::PATCH, &path).json(&json!({ "position": 3 }));
    for request in [moved(), moved().header("if-match", tag)] {
        assert_eq!(request.send().expect("an answer").status(), 409);
    }
}

#[test]
fn a_refund_fee_is_an_amount_in_the_concerts_currency() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let mut path = String::new();
    for (currency, cents) in [("USD", 250), ("KWD", 1_500), ("JPY", 500)] {
        let mut body = night("Night");
        body["currency"] = json!(currency);
        body["refundFee"] = json!({ "cents": cents });
        let (status, created) = program.send(Method::POST, "", &body);
        let fee = json!({ "cents": cents, "currency": currency });
        assert_eq!((status.as_u16(), &created["refundFee"]), (201, &fee), "{created}");
        path = format!("/{}", created["slug"].as_str().expect("a slug"));
        let (status, same) = program.send(Method::PATCH, &path, &json!({ "refundFee": fee }));
        assert_eq!((status.as_u16(), &same["refundFee"]), (200, &fee), "{same}");
    }
    let fee = json!({ "cents": 300, "currency": "EUR" });
    let (status, problem) = program.send(Method::PATCH, &path, &json!({ "refundFee": fee }));
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/refundFee"]));
    let body = json!({ "currency": "EUR", "refundFee": fee });
    let (status, changed) = program.send(Method::PATCH, &path, &body);
    assert_eq!((status.as_u16(), &changed["refundFee"]), (200, &fee), "{changed}");
}

#[test]
fn a_concert_is_copied_archived_and_restored() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    app.book_well("VIP", 2);
    let (status, problem) = program.send(Method::POST, "", &json!({ "from": "midnight-parade" }));
    assert_eq!((status.as_u16(), pointers(&problem)), (422, vec!["#/startsAt"]));
    let body = json!({ "from": "midnight-parade", "startsAt": "2028-06-20T20:00" });
    let (status, copy) = program.send(Method::POST, "", &body);
    assert_eq!((status.as_u16(), &copy["state"]), (201, &json!("draft")));
    let types = copy["ticketTypes"].as_array().expect("a list");
    assert!(types.len() == 3 && types.iter().all(|it| it["capacity"] == it["available"]), "{copy}");
    assert_eq!(program.send(Method::POST, "", &json!({ "from": "nowhere" })).0, 404);
    let path = format!("/{}", copy["slug"].as_str().expect("a slug"));

    assert_eq!(program.act(Method::POST, "/midnight-parade/archive").0, 409, "it is still to come");
    assert_eq!(program.act(Method::POST, &format!("{path}/archive")).1["state"], "archived");
    assert_eq!(program.act(Method::POST, &format!("{path}/pause")).0, 409);
    let (status, problem) = program.send(Method::PATCH, &path, &json!({ "name": "X" }));
    assert_eq!((status.as_u16(), kind(&problem)), (409, "change-refused"));
    assert_eq!(program.act(Method::DELETE, &format!("{path}/archive")).1["state"], "draft");
}

#[test]
fn holders_are_told_or_not_and_the_program_says_which() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    app.book_well("VIP", 1);
    app.database.wait_until_mails_are_written();
    let later = |notify: Option<bool>| {
        let mut body = json!({ "doorsAt": null, "venue": "The Barn", "message": "See you there." });
        if let Some(notify) = notify {
            body["notifyHolders"] = json!(notify);
        }
        program.send(Method::PATCH, "/midnight-parade", &body)
    };
    let (status, problem) = later(None);
    assert_eq!((status.as_u16(), kind(&problem)), (409, "holders-affected"));
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains("1 person holds tickets, and this changes where it takes place"), "{detail}");
    assert_ne!(program.get("/midnight-parade")["venue"], "The Barn");
    let (status, changed) = later(Some(true));
    assert_eq!((status.as_u16(), &changed["venue"]), (200, &json!("The Barn")));
    assert_eq!(app.count("event_jobs WHERE kind = 'notice' AND message = 'See you there.'"), 1);
}

#[test]
fn pages_of_concerts_with_drafts_continue_where_the_last_one_ended() {
    let app = TestApp::spawn();
    let program = Program::new(&app, &["events:write"]);
    let mut slugs: Vec<String> = (0..5).map(|_| program.draft("Night")).collect();
    slugs.push("midnight-parade".into());
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = program.get(&query);
        for event in page["events"].as_array().expect("a list") {
            seen.push(event["slug"].as_str().expect("a slug").to_owned());
        }
        match page["nextCursor"].as_str() {
            Some(next) => query = format!("?limit=2&cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    slugs.sort();
    assert_eq!(seen, slugs);
}
