//! The log of the real binary at its most verbose: it contains no personal data and no secrets.

use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::blocking::Client;

use crate::command_line::{serve_logging, techkraft};
use crate::support::{between, browser, header};
use testkit::database::TestDatabase;

const SECRET: &str = "q3Jt0Zr9pXw1mVbK7yUeA5sLdHf2GcN8";
const OLD_SECRET: &str = "6f1ed002ab5595859014ebf0951522d9";
const PASSWORD: &str = "opensesame-4711-opensesame";
const NAME: &str = "Wilhelmina Quartermaine";
const EMAIL: &str = "wilhelmina@quartermaine.example";

fn loud(database: &TestDatabase) -> Command {
    let mut command = techkraft(database);
    command
        .env("SECRET_KEY", SECRET)
        .env("SECRET_KEY_PREVIOUS", OLD_SECRET)
        // These visitors are quicker than people.
        .env("RATE_LIMITS", "off")
        .env("RUST_LOG", "trace,actix_http=trace,actix_http::h1=trace,actix_web=trace,techkraft=trace");
    command
}

fn set_password(database: &TestDatabase, log: &File) {
    assert!(loud(database).arg("migrate").output().expect("the binary runs").status.success());
    let mut command = loud(database);
    command.arg("set-admin-password").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.stderr(log.try_clone().expect("a file")).spawn().expect("the binary runs");
    writeln!(child.stdin.take().expect("a pipe"), "{PASSWORD}").expect("it reads");
    assert!(child.wait().expect("it ends").success());
}

/// Sends raw bytes, because HTTP clients do not send malformed requests.
fn raw(address: &str, request: &str) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let _ = stream.read(&mut [0; 100]);
}

/// A visitor whose requests go wrong in every way, and the secrets that must not be in the log afterward.
struct Visit {
    client: Client,
    url: String,
    secrets: Vec<String>,
}

impl Visit {
    fn post(&mut self, path: &str, form: &[(&str, &str)]) -> reqwest::blocking::Response {
        let response = self.client.post(format!("{}{path}", self.url)).form(form).send().expect("an answer");
        for cookie in response.headers().get_all("set-cookie") {
            let value = between(cookie.to_str().expect("text"), "=", ";");
            self.secrets.extend((!value.is_empty()).then(|| value.to_owned()));
        }
        response
    }

    fn get(&self, path: &str) -> String {
        let response = self.client.get(format!("{}{path}", self.url)).send().expect("an answer");
        response.text().expect("a page")
    }

    /// Books, and sends every kind of wrong request before and after.
    fn book(&mut self) {
        let page = self.get("/");
        let id = between(&page, "name=\"ticket_type\" value=\"", "\"").to_owned();
        let page = self.get(&format!("/bookings/new?ticket_type={id}&name={NAME}"));
        let key = between(&page, "name=\"request_key\" value=\"", "\"").to_owned();
        let form = [
            ("ticket_type", id.as_str()),
            ("quantity", "1"),
            ("name", NAME),
            ("email", EMAIL),
            ("request_key", &key),
        ];
        for wrong in 1..5 {
            let mut form = form;
            form[wrong].1 = "";
            assert_eq!(self.post("/bookings", &form).status(), 422);
        }
        assert_eq!(self.post("/bookings", &[form[2], form[2]]).status(), 422, "one field twice");
        let booked = self.post("/bookings", &form);
        assert_eq!(booked.status(), 303);
        let booking = header(&booked, "location").to_owned();
        let token = booking.rsplit('/').next().expect("a token").to_owned();
        for path in
            [&booking, &format!("/{booking}/"), &format!("/elsewhere/{token}"), &format!("{booking}x")]
        {
            self.get(path);
        }
        assert!(self.get(&format!("{booking}/calendar.ics")).contains("BEGIN:VCALENDAR"));
        self.secrets.extend([key, token]);
    }

    fn sign_in(&mut self) {
        let wrong = [("username", "admin"), ("password", "opensesame-wrong")];
        assert_eq!(self.post("/admin/sign-in", &wrong).status(), 422);
        let right = [("username", "admin"), ("password", PASSWORD)];
        assert_eq!(self.post("/admin/sign-in", &right).status(), 303);
        assert!(self.get("/admin").contains(NAME), "the organizer reads it");
        assert!(self.get("/admin/events/midnight-parade/bookings.csv").contains(EMAIL));
    }
}

#[test]
fn the_log_names_nobody_and_opens_nothing_however_loud_it_is() {
    let database = TestDatabase::create();
    let path = database.folder.path().join("loud.log");
    let log = File::create(&path).expect("a file");
    set_password(&database, &log);
    let mut running = serve_logging(&mut loud(&database), log);
    let address = running.url.strip_prefix("http://").expect("an address").to_owned();
    let mut visit = Visit { client: browser(), url: running.url.clone(), secrets: Vec::new() };
    visit.book();
    visit.sign_in();
    raw(&address, &format!("GET /?email={EMAIL} HTTP/1.1\r\nHost: x\r\nX: {NAME}\r\n bad folding\r\n\r\n"));
    // The HTTP server's own trace messages would repeat this value.
    raw(&address, &format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {EMAIL}\r\n\r\n"));
    raw(&address, &format!("POST /bookings HTTP/9.9\r\nname={NAME}\r\n\r\n"));
    // A statement that contains the buyer's data fails in the database.
    database.execute("ALTER TABLE bookings RENAME TO elsewhere");
    let page = visit.get("/bookings/new?ticket_type=1");
    let key = between(&page, "name=\"request_key\" value=\"", "\"").to_owned();
    let id = between(&page, "name=\"ticket_type\" value=\"", "\"").to_owned();
    let form = [
        ("ticket_type", id.as_str()),
        ("quantity", "1"),
        ("name", NAME),
        ("email", EMAIL),
        ("request_key", &key),
    ];
    assert!(visit.post("/bookings", &form).status().is_server_error());
    visit.secrets.push(key);
    running.child.kill().expect("it runs");
    running.child.wait().expect("it ends");

    let log = fs::read_to_string(path).expect("a log");
    assert!(log.contains("POST /bookings 303") && log.contains("ERROR"), "it is the log: {log}");
    for audited in ["sign-in failed by admin (1)", "signed in by admin (1)", "bookings exported by admin (1)"]
    {
        let line = log.lines().find(|line| line.contains("techkraft::audit") && line.contains(audited));
        assert!(line.is_some(), "{audited}: {log}");
    }
    for named in [SECRET, OLD_SECRET, PASSWORD, "opensesame", NAME, "Wilhelmina", EMAIL, "quartermaine"] {
        visit.secrets.push(named.to_owned());
    }
    for secret in &visit.secrets {
        let told = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(told, None, "{secret} is in the log");
    }
    assert!(visit.secrets.len() > 12, "{:?}", visit.secrets);
}

/// Set in the child process whose panic is tested.
const PANICS: &str = "TECHKRAFT_TEST_PANICS";

#[test]
fn the_log_of_a_panic_contains_only_its_location() {
    if env::var_os(PANICS).is_some() {
        techkraft::logging::start();
        assert!(std::thread::spawn(|| panic!("{NAME} has typed {SECRET}")).join().is_err());
        return;
    }
    // Run this same test in a child process, because the panic hook applies to a whole process.
    let output = Command::new(env::current_exe().expect("a test"))
        .args(["--exact", "guard::logs::the_log_of_a_panic_contains_only_its_location", "--nocapture"])
        .env(PANICS, "1")
        .env("RUST_LOG", "trace")
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&output.stderr);
    let told: Vec<&str> = log.lines().filter(|line| line.contains("panicked at")).collect();
    assert!(output.status.success() && told.len() == 1, "{log}");
    assert!(told[0].contains("ERROR") && told[0].contains("tests/web/guard/logs.rs:"), "{log}");
    assert!(!log.contains(NAME) && !log.contains(SECRET), "{log}");
}

#[test]
fn help_shows_no_secret_that_is_set() {
    let database = TestDatabase::create();
    let settings = [
        ("SECRET_KEY", SECRET),
        ("SECRET_KEY_PREVIOUS", OLD_SECRET),
        ("DATABASE_URL", "postgres://ada:s3same@db.example.org/x"),
        ("REDIS_URL", "redis://:s3same@cache.example.org"),
        ("DATABASE_READ_URLS", "postgres://ada:s3same@db2.example.org/x"),
        ("API_TOKENS", "ada:s3same-s3same-s3same-s3same-s3same"),
    ];
    for arguments in [&["--help"][..], &["-h"], &["serve", "--help"], &["--nonsense"]] {
        let output = techkraft(&database).args(arguments).envs(settings).output().expect("the binary runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        for secret in [SECRET, OLD_SECRET, "s3same"] {
            assert!(!text.contains(secret), "{arguments:?}: {text}");
        }
    }
}
