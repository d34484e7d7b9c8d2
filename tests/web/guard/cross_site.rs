//! Requests that come from another site.

use reqwest::Method;

use super::addresses;
use crate::support::TestApp;

#[test]
fn other_sites_change_nothing() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let form = checkout.fields("Ada", "ada@example.org");
    let own = format!("http://{}", app.address);
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", own.as_str(), 303),
        ("sec-fetch-site", "same-origin", 303),
    ] {
        let post = app.client.post(app.url("/bookings")).header(name, value).form(&form);
        assert_eq!(post.send().expect("an answer").status(), status, "{name}: {value}");
    }
    for path in ["/admin/sign-in", "/admin/sign-out", "/admin/reseed", "/buyer/forget"] {
        let post = app.client.post(app.url(path)).header("sec-fetch-site", "cross-site").form(&[("a", "b")]);
        assert_eq!(post.send().expect("an answer").status(), 403, "{path}");
    }
    assert_eq!(app.database.tier("VIP").sold, 1, "the two posts of our own are one form");
}

#[test]
fn behind_a_public_address_no_other_name_of_ours_counts() {
    let app = TestApp::spawn_with(|config| config.public_url = Some("https://tickets.example.org".into()));
    let own = format!("http://{}", app.address);
    for (origin, status) in
        [(own.as_str(), 403), ("http://tickets.example.org", 403), ("https://tickets.example.org", 303)]
    {
        let checkout = app.open_checkout("VIP", 1);
        let form = checkout.fields("Ada", "ada@example.org");
        let post = app.client.post(app.url("/bookings")).header("sec-fetch-site", "same-origin");
        let response = post.header("origin", origin).form(&form).send().expect("an answer");
        assert_eq!(response.status(), status, "{origin}");
    }
    assert_eq!(app.database.tier("VIP").sold, 1);
}

#[derive(Debug, PartialEq, Eq, diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::Text)]
    what: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The counts that a change of state would alter.
fn state(app: &TestApp) -> Vec<Count> {
    app.database.rows(
        "SELECT 'bookings' AS what, COUNT(*) AS count FROM bookings
         UNION ALL SELECT 'tickets left', CAST(SUM(available) AS BIGINT) FROM ticket_types
         UNION ALL SELECT 'versions', CAST(SUM(version) AS BIGINT) FROM ticket_types
         UNION ALL SELECT 'sessions', COUNT(*) FROM admin_sessions
         UNION ALL SELECT 'concerts', COUNT(*) FROM events
         ORDER BY 1",
    )
}

#[test]
fn what_is_only_looked_at_changes_nothing() {
    let app = TestApp::spawn();
    let booking = app.book_well("VIP", 2);
    let organizer = app.organizer();
    let checkout = app.open_checkout("VIP", 1);
    let before = state(&app);
    let id = &checkout.ticket_type;
    let key = &checkout.request_key;
    // Everything that any form would send.
    let query = format!(
        "ticket_type={id}&quantity=1&name=Ada&email=ada@example.org&request_key={key}&event_name=Midnight+Parade\
         &username=admin&password=x"
    );
    for path in addresses::of_every_route(&booking) {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            let request = organizer
                .request(method.clone(), app.url(&format!("{path}?{query}")))
                .header("x-http-method-override", "POST")
                .header("x-method-override", "DELETE");
            let status = request.send().expect("an answer").status().as_u16();
            assert!([200, 301, 303, 401, 404, 405, 410].contains(&status), "{method} {path}: {status}");
        }
    }
    assert_eq!(state(&app), before);
    assert_eq!(organizer.get(app.url("/admin")).send().expect("an answer").status(), 200, "still signed in");
}
