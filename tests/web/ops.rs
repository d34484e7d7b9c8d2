//! Health, readiness and metrics, as machines ask for them.

use std::thread;
use std::time::Duration;
use testkit::wait::eventually;

use reqwest::blocking::{Client, Response};
use serde_json::Value;

use crate::support::{TestApp, header};
use testkit::blockade::Transaction;

fn readiness(app: &TestApp) -> (u16, Value) {
    let response = app.client.get(app.url("/readyz")).header("Accept", "application/json").send();
    let response = response.expect("an answer");
    assert_eq!(header(&response, "cache-control"), "no-store");
    (response.status().as_u16(), response.json().expect("JSON"))
}

fn is_well(report: &Value, name: &str) -> bool {
    let parts = report["parts"].as_array().expect("parts");
    let part = parts.iter().find(|part| part["name"] == name).expect(name);
    assert!(part["ms"].as_f64().expect("milliseconds") >= 0.0);
    part["ok"].as_bool().expect("a verdict")
}

/// The value of a series, `None` when there is no such line.
fn metric(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.strip_prefix(series).is_some_and(|it| it.starts_with(' ')));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
}

#[test]
fn a_server_that_is_well_says_so_to_machines_and_people() {
    let app = TestApp::spawn();
    let health = app.get("/healthz");
    assert_eq!((health.status().as_u16(), header(&health, "cache-control")), (200, "no-store"));
    assert_eq!(header(&health, "x-served-by"), "eu-test/web-1");
    assert_eq!(health.text().expect("text"), "ALIVE\n");

    let (status, report) = readiness(&app);
    assert_eq!(status, 200, "{report}");
    assert_eq!((&report["status"], &report["region"]), (&"READY".into(), &"eu-test".into()));
    for part in ["database", "migrations", "desk", "queue", "board", "threads"] {
        assert!(is_well(&report, part), "{report}");
    }
    let table = app.get("/readyz").text().expect("text");
    assert!(table.starts_with("READY\ndatabase    ok ") && table.contains(" ms  responds"), "{table}");
    assert_eq!(app.post("/readyz", &[]).status(), 405);
}

/// The server is open to the whole internet.
#[test]
fn a_public_site_says_no_more_than_whether_it_is_ready() {
    let app = TestApp::spawn_with(|config| config.operations.is_private = false);
    let ready = app.client.get(app.url("/readyz")).header("Accept", "application/json").send();
    let ready = ready.expect("an answer");
    assert_eq!((ready.status().as_u16(), header(&ready, "cache-control")), (200, "no-store"));
    assert_eq!(ready.text().expect("text"), "READY\n");
    app.database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261128000001'");
    eventually("the schema is behind", || app.get("/readyz").status() == 503);
    assert_eq!(app.get("/readyz").text().expect("text"), "NOT READY\n");
}

#[test]
fn every_answer_says_which_server_it_comes_from() {
    let app = TestApp::spawn();
    let by = |response: &Response| header(response, "x-served-by").to_owned();
    for path in ["/", "/events/midnight-parade/availability", "/no/such/page", "/admin"] {
        assert_eq!(by(&app.get(path)), "eu-test/web-1", "{path}");
    }
    let cross_site = app.client.post(app.url("/bookings")).header("Sec-Fetch-Site", "cross-site").send();
    let cross_site = cross_site.expect("an answer");
    assert_eq!((cross_site.status().as_u16(), by(&cross_site).as_str()), (403, "eu-test/web-1"));
}

/// Seen to fail when every newer schema was accepted: the floor was ignored.
#[test]
fn a_schema_of_another_release_is_served_as_long_as_it_can_be() {
    let app = TestApp::spawn();
    let database = &app.database;
    let migrations = || {
        let (status, report) = readiness(&app);
        assert!(is_well(&report, "database"), "{report}");
        (status, is_well(&report, "migrations"))
    };
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000001')");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(migrations(), (200, true), "the next release has begun");
    database.execute("INSERT INTO secrets (name, value) VALUES ('schema_floor', '99990101000001')");
    eventually("the next release needs no other", || migrations() == (503, false));
    database.execute("DELETE FROM secrets WHERE name = 'schema_floor'");
    eventually("it was gone back", || migrations() == (200, true));
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261128000001'");
    eventually("one has not been run", || migrations() == (503, false));
}

#[test]
fn a_full_queue_sends_visitors_elsewhere_until_it_has_room() {
    let app = TestApp::spawn_with(|config| {
        config.desk.queue_length = 2;
        config.desk.batch_size = 1;
        config.desk.deadline = Duration::from_secs(20);
    });
    let checkouts: Vec<_> = (0..4).map(|_| app.open_checkout("VIP", 1)).collect();
    let blockade = Transaction::blocking_writes(&app.database);
    thread::scope(|scope| {
        for checkout in &checkouts {
            let app = &app;
            // Orders that arrive before the worker has taken any are refused, and are sent again.
            scope.spawn(move || while app.confirm(checkout, 1).status() == 503 {});
        }
        eventually("the queue is full", || {
            let (status, report) = readiness(&app);
            status == 503 && report["status"] == "NOT READY" && !is_well(&report, "queue")
        });
        blockade.end("ROLLBACK");
        eventually("it has room", || readiness(&app).0 == 200);
    });
}

#[test]
fn metrics_count_what_happens_and_name_nobody() {
    let app = TestApp::spawn();
    let path = app.book_well("VIP", 2);
    assert_eq!(app.get(&path).status(), 200);
    assert_eq!(app.get("/bookings/AAAAAAAAAAAAAAAAAAAAAAAA").status(), 404);
    app.get("/no/such/page");
    let response = app.get("/metrics");
    assert_eq!(header(&response, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let metrics = response.text().expect("text");
    let count = |kind: &str| {
        metric(&metrics, &format!("techkraft_http_request_duration_seconds_count{{{kind}}}")).unwrap_or(0.0)
    };
    assert_eq!(count(r#"method="POST",route="/bookings",status="3xx""#), 1.0, "{metrics}");
    assert_eq!(count(r#"method="GET",route="/bookings/{token}",status="2xx""#), 1.0);
    assert_eq!(count(r#"method="GET",route="/bookings/{token}",status="4xx""#), 1.0);
    assert_eq!(count(r#"method="GET",route="none",status="4xx""#), 1.0);
    assert!(!metrics.contains(path.trim_start_matches("/bookings/")), "a token opens a booking");
    for (series, value) in [
        (r#"techkraft_bookings_total{outcome="booked"}"#, 1.0),
        ("techkraft_desk_batch_orders_count", 1.0),
        ("techkraft_desk_commit_seconds_count", 1.0),
        ("techkraft_desk_queue_orders", 0.0),
        (r#"techkraft_mails{state="failed"}"#, 0.0),
        ("techkraft_ready", 1.0),
        ("techkraft_draining", 0.0),
        (r#"techkraft_ready_part{part="database"}"#, 1.0),
        ("techkraft_pool_limit_connections", 4.0),
        (r#"techkraft_build_info{version="0.1.0",region="eu-test",server="web-1"}"#, 1.0),
    ] {
        assert_eq!(metric(&metrics, series), Some(value), "{series}\n{metrics}");
    }
    assert!(metric(&metrics, "techkraft_board_age_seconds").is_some_and(|age| age < 5.0));
    assert!(metric(&metrics, "techkraft_waiting_room_silence_seconds").is_some_and(|age| age < 5.0));
    if cfg!(target_os = "linux") {
        for series in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
            assert!(metric(&metrics, series).is_some_and(|value| value > 0.0), "{series}\n{metrics}");
        }
    }
}

/// Prometheus can read every line, and no metric family is described twice.
#[test]
fn metrics_are_in_prometheus_text_format() {
    let app = TestApp::spawn();
    app.book_well("VIP", 1);
    let metrics = app.get("/metrics").text().expect("text");
    let mut described = std::collections::HashSet::new();
    for line in metrics.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(described.insert(kind.split(' ').next().expect("a name")), "twice: {line}");
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').expect(line);
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().expect("a name");
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(described.contains(name) || base.is_some_and(|it| described.contains(it)), "{line}");
        }
    }
    assert!(described.len() > 20, "{described:?}");
}

#[test]
fn with_a_port_of_their_own_they_are_nowhere_else() {
    let app =
        TestApp::spawn_with(|config| config.operations.bind = Some("127.0.0.1:0".parse().expect("valid")));
    let port = app.ops_address.expect("a port");
    let client = Client::new();
    let status = |url: String| client.get(url).send().expect("an answer").status().as_u16();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(status(format!("http://{port}{path}")), 200, "{path}");
        assert_eq!(status(app.url(path)), 404, "{path}");
    }
    assert_eq!(status(format!("http://{port}/")), 404, "the site is not there");
}

#[test]
fn strangers_may_ask_for_health_and_readiness_but_not_for_metrics() {
    let app = TestApp::spawn_with(|config| config.operations.is_private = false);
    let statuses = ["/healthz", "/readyz", "/metrics"].map(|path| app.get(path).status().as_u16());
    assert_eq!(statuses, [200, 200, 404]);
}
