//! What the log says about the limits.

use std::fs::{File, read_to_string};

use techkraft::guard::request_validation::FIELDS_MAX;

use crate::command_line::{serve_logging, techkraft};
use crate::support::browser;
use testkit::database::TestDatabase;

/// The log of a server with these settings, after it has answered these requests for its front page.
fn log(settings: &[(&str, &str)], requests: &[(&str, &str)]) -> String {
    let database = TestDatabase::seeded();
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.envs(settings.iter().copied()).env("RUST_LOG", "warn");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    for (header, value) in requests {
        browser().get(&running.url).header(*header, *value).send().expect("an answer");
    }
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    read_to_string(path).expect("a log")
}

#[test]
fn a_server_without_limits_says_so_at_its_start() {
    let said = log(&[("RATE_LIMITS", "off")], &[]);
    assert!(
        said.contains("WARN") && said.contains("RATE_LIMITS=off: requests are not rate limited"),
        "{said}"
    );
    assert!(!log(&[], &[]).contains("RATE_LIMITS"));
}

#[test]
fn a_client_that_is_refused_is_named_once() {
    let said = log(&[("RATE_LIMIT_PAGES", "1/hour")], &[("accept", "text/html"); 20]);
    assert_eq!(said.matches("rate limited 127.0.0.1 (pages): 429").count(), 1, "{said}");
    assert!(!said.contains("TRUSTED_PROXIES"), "{said}");
}

#[test]
fn a_proxy_that_is_not_trusted_is_pointed_out() {
    let asks = [("x-forwarded-for", "203.0.113.1"), ("x-forwarded-for", "203.0.113.2")];
    let said = log(&[("RATE_LIMIT_PAGES", "1/hour")], &asks);
    assert!(said.contains("rate limited 127.0.0.1 (pages): 429; it sends X-Forwarded-For"), "{said}");
    assert!(said.contains("TRUSTED_PROXIES") && !said.contains("203.0.113"), "{said}");
    let settings = [("RATE_LIMIT_PAGES", "1/hour"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let said = log(&settings, &[asks[0], asks[0]]);
    assert!(said.contains("rate limited 203.0.113.1 (pages)") && !said.contains("it sends"), "{said}");
}

/// Seen to fail without the limit: a line for each request.
#[test]
fn refused_requests_do_not_fill_the_log() {
    let database = TestDatabase::seeded();
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.env("RATE_LIMIT_API", "1/hour").env("RUST_LOG", "info");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    let client = browser();
    let forged = || {
        let post = client.post(format!("{}/bookings", running.url)).form(&[("a", "b")]);
        post.header("sec-fetch-site", "cross-site").send().expect("an answer").status().as_u16()
    };
    assert!((0..300).all(|_| forged() == 403));
    for _ in 0..50 {
        client.get(format!("{}/api/v1/events", running.url)).send().expect("an answer");
    }
    assert_eq!(client.get(&running.url).send().expect("an answer").status(), 200);
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    let said = read_to_string(path).expect("a log");
    let lines = |what: &str| said.lines().filter(|line| line.contains(what)).count();
    assert!((1..=70).contains(&lines("POST /bookings 403")), "{said}");
    assert_eq!(lines("GET /api/v1/events 429"), 0, "{said}");
    assert_eq!((lines("rate limited 127.0.0.1 (api)"), lines("GET / 200")), (1, 1), "{said}");
}

/// Requests that are answered before they are counted: a query with too many fields, and a page under another name. A
/// query that a handler refuses was counted, so it has its line.
#[test]
fn uncounted_requests_do_not_fill_the_log() {
    let database = TestDatabase::seeded();
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.env("RATE_LIMITS", "off").env("RUST_LOG", "info").env("PUBLIC_URL", "http://tickets.example.org");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    // It prints its public address, so the log has to say where it is.
    let started = read_to_string(&path).expect("a log");
    let line = started.lines().find(|line| line.contains("this is ")).expect("it says where it is");
    let address = line.rsplit(' ').next().expect("an address");
    let client = browser();
    let status = |path: &str, headers: &[(&str, &str)]| {
        let get = client.get(format!("http://{address}{path}"));
        let get = headers.iter().fold(get, |get, (name, value)| get.header(*name, *value));
        get.send().expect("an answer").status().as_u16()
    };
    let many = format!("/?{}", "x=1&".repeat(FIELDS_MAX + 1));
    assert!((0..70).all(|_| status("/bookings/new?ticket_type=1&ticket_type=1", &[]) == 422));
    assert!((0..150).all(|_| status(&many, &[]) == 422));
    assert!((0..150).all(|_| status("/bookings/find", &[("host", "www.tickets.example.org")]) == 308));
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    let said = read_to_string(path).expect("a log");
    let lines = |what: &str| said.lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines("GET /bookings/new 422"), 70, "{said}");
    let refused = lines("GET / 422") + lines("GET /bookings/find 308");
    assert!((1..=70).contains(&refused), "{said}");
}

/// Seen to fail without the limit: a line for each code.
#[test]
fn unknown_codes_at_a_gate_do_not_fill_the_log() {
    let database = TestDatabase::seeded();
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.env("RATE_LIMITS", "off").env("RUST_LOG", "warn");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    let hash = techkraft::auth::token::hash("a-gate");
    database.execute(&format!(
        "INSERT INTO gates (event_id, name, token_hash, created_at)
         SELECT id, 'North gate', '{hash}', starts_at FROM events WHERE slug = 'midnight-parade'"
    ));
    let client = browser();
    for _ in 0..30 {
        let post = client.post(format!("{}/gates/a-gate", running.url));
        let answer = post.form(&[("code", "KPNN-K6JC-223Q-YQVT-38PC")]).send().expect("an answer");
        assert_eq!(answer.status(), 404);
    }
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    let said = read_to_string(path).expect("a log");
    assert!((10..=12).contains(&said.matches("refused an unknown code").count()), "{said}");
    assert_eq!(database.count("refusals"), 30, "the gate's own list has them all");
}

/// Before the limit, three hundred forged webhooks left three hundred lines.
#[test]
fn forged_webhooks_do_not_fill_the_log() {
    let database = TestDatabase::seeded();
    let path = database.folder.path().join("log");
    let mut command = techkraft(&database);
    command.env("RATE_LIMITS", "off").env("RUST_LOG", "warn").env("STRIPE_API_URL", "http://127.0.0.1:9");
    command.env("STRIPE_SECRET_KEY", "sk_test_0123456789").env("STRIPE_WEBHOOK_SECRET", "whsec_0123456789");
    let mut running = serve_logging(&mut command, File::create(&path).expect("a file"));
    let client = browser();
    for _ in 0..30 {
        let forged = client.post(format!("{}/webhooks/stripe", running.url));
        let forged = forged.header("content-type", "application/json").body("{}").send();
        assert_eq!(forged.expect("an answer").status(), 400);
    }
    running.child.kill().expect("it runs");
    running.child.wait().expect("it has ended");
    let said = read_to_string(path).expect("a log");
    assert!((10..=12).contains(&said.matches("a webhook was refused").count()), "{said}");
}
