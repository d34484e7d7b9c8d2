//! Cookies that this site has sealed, and cookies that it has not.

use reqwest::blocking::Response;

use crate::support::{TestApp, browser, header};

fn behind_tls() -> TestApp {
    TestApp::spawn_with(|config| config.public_url = Some("https://tickets.example.org".into()))
}

fn cookies(response: &Response) -> Vec<String> {
    let all = response.headers().get_all("set-cookie").iter();
    all.map(|value| value.to_str().expect("text").to_owned()).collect()
}

/// `name=value` of the cookie of that name, as a browser sends it back.
fn pair(response: &Response, name: &str) -> String {
    let start = format!("{name}=");
    let cookie = cookies(response).into_iter().find(|cookie| cookie.starts_with(&start)).expect("a cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[test]
fn over_tls_every_cookie_is_bound_to_the_host_and_closed_to_scripts() {
    let app = behind_tls();
    let booked = app.book_and_be_remembered("VIP");
    let told = app.give_one_back(&app.book_well("VIP", 2));
    let signed_in = app.sign_in(&browser(), &app.admin_password);
    let forgotten = app.post("/buyer/forget", &[]);
    for (response, name, same_site) in [
        (&booked, "__Host-buyer", Some("Lax")),
        (&told, "__Host-toast", Some("Lax")),
        (&signed_in, "__Host-session", Some("Strict")),
        (&signed_in, "__Host-browser", Some("Strict")),
        (&forgotten, "__Host-buyer", None),
    ] {
        let all = cookies(response);
        let cookie = all.iter().find(|cookie| cookie.starts_with(&format!("{name}="))).expect(name);
        let parts: Vec<&str> = cookie.split("; ").collect();
        assert!(["HttpOnly", "Secure", "Path=/"].iter().all(|part| parts.contains(part)), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
        assert!(same_site.is_none_or(|it| cookie.contains(&format!("SameSite={it}"))), "{cookie}");
        assert!(!cookie.contains("Lovelace") && !cookie.contains("ada@"), "sealed: {cookie}");
    }
    assert_eq!((cookies(&booked).len(), cookies(&told).len(), cookies(&signed_in).len()), (1, 1, 2));
}

#[test]
fn over_tls_the_cookies_come_back_and_are_read() {
    let app = behind_tls();
    let booked = app.book_and_be_remembered("VIP");
    let told = app.give_one_back(&app.book_well("VIP", 2));
    let both = format!("{}; {}", pair(&booked, "__Host-buyer"), pair(&told, "__Host-toast"));
    let get = |path: &str, cookies: &str| {
        app.client.get(app.url(path)).header("cookie", cookies).send().expect("an answer")
    };
    let response = get("/", &both);
    let removals = cookies(&response);
    let html = response.text().expect("a page");
    assert!(html.contains("Welcome back, Ada") && html.contains("Canceled: ticket 1"), "{html}");
    assert!(
        removals.len() == 1 && removals[0].starts_with("__Host-toast=;") && removals[0].contains("Secure")
    );
    // Cookies without the prefix are ignored: a sibling domain could have planted them.
    let html = get("/", &both.replace("__Host-", "")).text().expect("a page");
    assert!(!html.contains("Welcome back") && !html.contains("Canceled:"));
    let session = pair(&app.sign_in(&browser(), &app.admin_password), "__Host-session");
    assert_eq!(get("/admin", &session).status(), 200);
    assert_eq!(get("/admin", &session.replace("__Host-", "")).status(), 303);
}

#[test]
fn without_tls_the_same_names_stand_without_the_prefix() {
    let app = TestApp::spawn();
    let booked = app.book_and_be_remembered("VIP");
    let told = app.give_one_back(&app.book_well("VIP", 2));
    for (name, response) in [("buyer", &booked), ("toast", &told)] {
        let all = cookies(response);
        let cookie = all.iter().find(|cookie| cookie.starts_with(&format!("{name}="))).expect(name);
        assert!(cookie.contains("HttpOnly") && !cookie.contains("Secure"), "{cookie}");
    }
    let cookie = header(&app.sign_in(&browser(), &app.admin_password), "set-cookie").to_owned();
    assert!(cookie.starts_with("session=") && cookie.contains("SameSite=Strict"), "{cookie}");
}

#[test]
fn odd_cookies_break_nothing_and_mean_nothing() {
    let app = TestApp::spawn();
    let ours = pair(&app.book_and_be_remembered("VIP"), "buyer");
    for cookie in [
        "buyer={\"name\":\"Mallory Intruder\"}; toast=+Hello; session=x".to_owned(),
        "buyer=; toast=; session=".to_owned(),
        "buyer; =; ;;; toast=%00%ff; session=\"".to_owned(),
        format!("session={}", "A".repeat(15_000)),
        format!("toast={}", "AAAA".repeat(1000)),
        "x=1; ".repeat(3_000),
        // A value that was sealed for another name.
        ours.replace("buyer=", "session="),
        ours.replace("buyer=", "toast="),
    ] {
        for (path, status) in [("/", 200), ("/admin", 303), ("/nowhere", 404)] {
            let browser = browser();
            let request = browser.get(app.url(path)).header("cookie", &cookie);
            let response = request.send().expect("an answer");
            assert_eq!(response.status(), status, "{path} with {} bytes", cookie.len());
            let html = response.text().expect("a page");
            assert!(!html.contains("Mallory") && !html.contains("Hello") && !html.contains("Welcome back"));
        }
    }
    // Our cookie is still found beside cookies that are not valid text.
    let mut bytes = b"junk=\xff\xfe; ".to_vec();
    bytes.extend_from_slice(ours.as_bytes());
    let request = browser().get(app.url("/")).header("cookie", bytes);
    assert!(request.send().expect("an answer").text().expect("a page").contains("Welcome back, Ada"));
}
