//! A request names a host that is not the site's own: pages redirect to the site's own name, and forms say where the
//! site is.

use reqwest::Method;
use reqwest::blocking::Response;

use techkraft::guard::client_address::TrustedProxies;

use crate::support::{TestApp, header};

const OWN: &str = "https://tickets.example.org";

fn app() -> TestApp {
    TestApp::spawn_with(|config| config.public_url = Some(OWN.into()))
}

fn ask(app: &TestApp, method: Method, path: &str, host: &str) -> Response {
    app.client.request(method, app.url(path)).header("host", host).send().expect("an answer")
}

#[test]
fn a_page_under_another_name_leads_to_the_own_one() {
    let app = app();
    for (path, leads_to) in [
        ("/", "/"),
        ("/events/midnight-parade?from=poster&x=%2F", "/events/midnight-parade?from=poster&x=%2F"),
        ("/bookings/find", "/bookings/find"),
        ("/admin", "/admin"),
        ("/no/such/page", "/no/such/page"),
        ("//evil.example/x", "//evil.example/x"),
        ("/%0d%0aSet-Cookie:%20x=y", "/%0d%0aSet-Cookie:%20x=y"),
    ] {
        for host in
            ["www.tickets.example.org", "tickets.example.com", "evil.example:443", "tickets.example.org."]
        {
            for method in [Method::GET, Method::HEAD] {
                let response = ask(&app, method, path, host);
                assert_eq!(response.status(), 308, "{host}{path}");
                assert_eq!(header(&response, "location"), format!("{OWN}{leads_to}"), "{host}{path}");
                assert_eq!(header(&response, "cache-control"), "no-store", "a mistake must not stay");
                assert!(response.headers().get("set-cookie").is_none(), "{path}");
            }
        }
    }
}

#[test]
fn programs_proxies_and_health_checks_are_left_alone() {
    let app = app();
    for (path, host) in [
        ("/", "tickets.example.org"),
        ("/", "Tickets.Example.ORG:443"),
        ("/", "127.0.0.1:3000"),
        ("/", "[::1]:3000"),
        ("/", "techkraft:3000"),
        ("/", "localhost"),
        ("/healthz", "health.example.org"),
        ("/readyz", "health.example.org"),
        ("/api/v1/events", "inner.example.org"),
        ("/api/tickets", "inner.example.org"),
    ] {
        assert_eq!(ask(&app, Method::GET, path, host).status(), 200, "{host}{path}");
    }
    let trusting = TestApp::spawn_with(|config| {
        config.public_url = Some(OWN.into());
        config.trusted_proxies = TrustedProxies::new(["127.0.0.1/32".parse().expect("a network")]);
    });
    for (app, status) in [(&trusting, 200), (&app, 308)] {
        let behind_a_proxy = app.client.get(app.url("/")).header("host", "inner.example.org");
        let behind_a_proxy = behind_a_proxy.header("x-forwarded-host", "tickets.example.org");
        assert_eq!(behind_a_proxy.send().expect("an answer").status(), status, "only proxies are believed");
    }
    let reached_from_outside = TestApp::spawn_with(|config| config.operations.is_private = false);
    assert_eq!(ask(&reached_from_outside, Method::GET, "/", "www.example.org").status(), 200);
}

/// Otherwise another site could point its name at this machine, and read and book here.
#[test]
fn a_server_without_a_public_url_that_only_this_machine_reaches_has_no_public_name() {
    let app = TestApp::spawn();
    for path in
        ["/", "/events/midnight-parade/availability", "/metrics", "/healthz", "/api/tickets", "/static/x"]
    {
        for host in
            ["evil.example", "rebind.evil.example:3000", "127.0.0.1.evil.example", "localhost.evil.example"]
        {
            let response = ask(&app, Method::GET, path, host);
            let status = response.status().as_u16();
            assert!(status == 421 || path.starts_with("/api") && status == 400, "{host}{path}: {status}");
        }
    }
    let checkout = app.open_checkout("VIP", 1);
    let post = app
        .client
        .post(app.url("/bookings"))
        .header("host", "evil.example")
        .header("origin", "http://evil.example");
    assert_eq!(
        post.form(&checkout.fields("Ada", "ada@example.org")).send().expect("an answer").status(),
        421
    );
    assert_eq!(app.count("bookings"), 0);
    for host in ["127.0.0.1:3000", "[::1]", "10.0.0.5:80", "localhost", "tickets.localhost:3000", "techkraft"]
    {
        for path in ["/", "/healthz", "/readyz"] {
            assert_eq!(ask(&app, Method::GET, path, host).status(), 200, "{host}{path}");
        }
    }
}

#[test]
fn a_form_under_another_name_says_where_the_site_is() {
    let app = app();
    let checkout = app.open_checkout("VIP", 1);
    let form = checkout.fields("Ada", "ada@example.org");
    let post = |host: &str, origin: &str| {
        let post = app.client.post(app.url("/bookings")).header("host", host).header("origin", origin);
        let response = post.form(&form).send().expect("an answer");
        (response.status().as_u16(), response.text().expect("a page"))
    };
    let (status, page) = post("www.tickets.example.org", "https://www.tickets.example.org");
    assert_eq!(status, 403);
    assert!(page.contains("our usual address"), "{page}");
    assert!(page.contains("href=\"https://tickets.example.org/\""), "{page}");
    // Pages are shown at these addresses, because only a proxy or an operator uses them, or because the server cannot
    // tell.
    for (host, origin) in [
        ("tickets.example.org:8443", "https://tickets.example.org:8443"),
        ("tickets.example.org.", "https://tickets.example.org."),
        ("tickets.example.org", "http://tickets.example.org"),
        ("192.0.2.7", "http://192.0.2.7"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
        ("tickets", "http://tickets"),
        ("localhost.", "http://localhost."),
    ] {
        let (status, page) = post(host, origin);
        assert!(status == 403 && page.contains("href=\"https://tickets.example.org/\""), "{origin}: {page}");
    }
    let (status, page) = post("tickets.example.org", "https://evil.example");
    assert!(status == 403 && page.contains("Request blocked") && !page.contains("usual address"), "{page}");
    assert_eq!(post("tickets.example.org", OWN).0, 303);
    assert_eq!(app.database.tier("VIP").sold, 1);
}
