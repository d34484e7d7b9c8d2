use crate::support::{TestApp, header};

#[test]
fn every_response_carries_the_headers_that_protect() {
    let app = TestApp::spawn();
    for path in ["/", "/nowhere", "/robots.txt", "/admin/sign-in", "/admin", "/bookings/new"] {
        let response = app.get(path);
        let policy = header(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&response, "referrer-policy"), "same-origin", "{path}");
        assert_eq!(header(&response, "server"), "", "{path}");
    }
}

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

#[test]
fn cookies_are_closed_and_forged_ones_ignored() {
    let app = TestApp::spawn_with(|config| config.public_url = Some("https://tickets.example.org".into()));
    let checkout = app.open_checkout("VIP", 1);
    let response = app.confirm(&checkout, 1);
    let cookies: Vec<&str> =
        response.headers().get_all("set-cookie").iter().map(|value| value.to_str().expect("text")).collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in cookies {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"));
        assert!(!cookie.contains("ada") && !cookie.contains("Ada"), "sealed: {cookie}");
    }
    let forged =
        app.client.get(app.url("/")).header("cookie", "buyer={\"name\":\"Eve\"}; toast=+Hello; session=x");
    let html = forged.send().expect("an answer").text().expect("a page");
    assert!(!html.contains("Eve") && !html.contains("Hello"));
}
