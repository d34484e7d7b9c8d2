use crate::support::TestApp;

#[test]
fn other_sites_change_nothing() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let form = [
        ("ticket_type", checkout.ticket_type.as_str()),
        ("quantity", "1"),
        ("name", "Ada"),
        ("email", "ada@example.org"),
        ("request_key", &checkout.request_key),
    ];
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
