use crate::support::{TestApp, browser, header};

#[test]
fn the_desk_is_closed_to_everybody_else() {
    let app = TestApp::spawn();
    for path in ["/admin", "/admin/reseed", "/admin/events/midnight-parade/bookings.csv"] {
        let response = app.get(path);
        assert_eq!(
            (response.status().as_u16(), header(&response, "location")),
            (303, "/admin/sign-in"),
            "{path}"
        );
    }
    let poll = app.get_fragment("/admin/sales");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, "/admin/sign-in"));
    let post = app.post("/admin/reseed", &[("event_name", "Midnight Parade")]);
    assert_eq!(post.status(), 303);
    app.book_well("VIP", 1);
    assert_eq!(app.database.tier("VIP").sold, 1);
}

#[test]
fn signing_in_opens_it_and_signing_out_closes_it_everywhere() {
    let app = TestApp::spawn();
    let organiser = app.organiser();
    app.book_well("Front Row", 3);
    let page = organiser.get(app.url("/admin")).send().expect("an answer");
    assert_eq!(header(&page, "cache-control"), "private, no-store");
    let html = page.text().expect("a page");
    for text in ["Front Row", "$150.00", "ada@example.org", "<td>197</td>"] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    let fragment =
        organiser.get(app.url("/admin/sales")).header("HX-Request", "true").send().expect("an answer");
    let fragment = fragment.text().expect("a fragment");
    assert!(fragment.contains("id=\"sales\"") && !fragment.contains("<html"));

    let response = organiser.post(app.url("/admin/sign-out")).send().expect("an answer");
    assert_eq!(header(&response, "location"), "/admin/sign-in");
    assert_eq!(organiser.get(app.url("/admin")).send().expect("an answer").status(), 303);
}

#[test]
fn the_session_cookie_is_closed() {
    let app = TestApp::spawn();
    let response = app.sign_in(&browser(), &app.admin_password);
    let cookie = header(&response, "set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"));
}

#[test]
fn strange_names_are_wrong_names() {
    let app = TestApp::spawn();
    for name in ["", "nobody", "a\0b", "' OR 1=1 --", &"x".repeat(5_000)] {
        let response = app.post("/admin/sign-in", &[("username", name), ("password", &app.admin_password)]);
        assert_eq!(response.status(), 422, "{name:?}");
    }
}

#[test]
fn guessing_passwords_gets_slow() {
    let app = TestApp::spawn();
    let guesser = browser();
    for _ in 0..4 {
        let response = app.sign_in(&guesser, "guess");
        assert_eq!(response.status(), 422);
        assert!(response.text().expect("a page").contains("do not belong together"));
    }
    let response = app.sign_in(&guesser, &app.admin_password);
    assert_eq!(response.status(), 429, "even the right one waits now");
    assert!(header(&response, "retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
}

#[test]
fn reseeding_asks_for_the_name_and_starts_the_sale_again() {
    let app = TestApp::spawn();
    let organiser = app.organiser();
    let confirmation = app.book_well("VIP", 4);
    app.book_well("General Admission", 10);
    let tag = header(&app.get("/events/midnight-parade/availability"), "etag").to_owned();

    let asked = organiser.get(app.url("/admin/reseed")).send().expect("an answer").text().expect("a page");
    for text in ["<dd>2</dd>", "<dd>14</dd>", "$500.00", "bookings.csv"] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    let reseed = |name: &str| {
        let post = organiser.post(app.url("/admin/reseed")).form(&[("event_name", name)]);
        post.send().expect("an answer").status().as_u16()
    };
    assert_eq!(reseed("midnight"), 422);
    assert_eq!(app.database.tier("VIP").sold, 4, "nothing happened");
    assert_eq!(reseed("Midnight Parade"), 303);

    app.database.assert_books_balance();
    assert!(app.database.tiers().iter().all(|tier| tier.sold == 0 && tier.available == tier.capacity));
    assert_eq!(app.get(&confirmation).status(), 404);
    let poll = app.client.get(app.url("/events/midnight-parade/availability")).header("if-none-match", tag);
    let poll = poll.send().expect("an answer");
    assert_eq!(poll.status(), 200, "open browsers see the new counts");
    assert!(poll.text().expect("a fragment").contains("<strong>100</strong> of 100 left"));
    let desk = organiser.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
    assert!(desk.contains("Bookings deleted: 2"));
    assert_eq!(audit(&app), [("admin".into(), "reseeded".into(), "Midnight Parade".into(), 2)]);
}

fn audit(app: &TestApp) -> Vec<(String, String, String, i64)> {
    #[derive(diesel::QueryableByName)]
    struct Entry {
        #[diesel(sql_type = diesel::sql_types::Text)]
        actor: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        action: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        subject: String,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        affected: i64,
    }
    let entries: Vec<Entry> =
        app.database.rows("SELECT actor, action, subject, affected FROM audit_log ORDER BY id");
    entries.into_iter().map(|e| (e.actor, e.action, e.subject, e.affected)).collect()
}

#[test]
fn reseeding_can_be_switched_off() {
    let app = TestApp::spawn_with(|config| config.allow_reseed = false);
    let organiser = app.organiser();
    app.book_well("VIP", 1);
    let page = organiser.get(app.url("/admin/reseed")).send().expect("an answer");
    assert_eq!(page.status(), 403);
    assert!(page.text().expect("a page").contains("switched off"));
    let post = organiser.post(app.url("/admin/reseed")).form(&[("event_name", "Midnight Parade")]);
    assert_eq!(post.send().expect("an answer").status(), 403);
    assert_eq!(app.database.tier("VIP").sold, 1);
}

#[test]
fn the_bookings_come_as_csv() {
    let app = TestApp::spawn();
    let organiser = app.organiser();
    let checkout = app.open_checkout("VIP", 2);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "2"),
        ("name", "=1+1, \"Ada\""),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
    assert_eq!(app.post("/bookings", &form).status(), 303);
    let response =
        organiser.get(app.url("/admin/events/midnight-parade/bookings.csv")).send().expect("an answer");
    assert_eq!(header(&response, "content-type"), "text/csv; charset=utf-8");
    let file = response.text().expect("a file");
    let mut lines = file.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("reference,created_at,ticket_type,quantity")));
    let line = lines.next().expect("a booking");
    assert!(
        line.contains("VIP,2,100.00,200.00,USD,\"'=1+1, \"\"Ada\"\"\",ada@example.org,confirmed"),
        "{line}"
    );
}
