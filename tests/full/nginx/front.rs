//! A server with an nginx in front of it, with ports and a folder of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use tempfile::TempDir;

use testkit::database::TestDatabase;
use testkit::server::{Server, free_port};
use testkit::{guard, packages};

/// The number of buyers so far.
static BUYERS: AtomicU32 = AtomicU32::new(0);

pub const FRAGMENT: &str = "/events/midnight-parade/availability";
const SHIPPED: &str = "deploy/nginx/techkraft.conf";

/// Fields are dropped in this order.
pub struct Front {
    nginx: Nginx,
    pub server: Server,
    pub database: TestDatabase,
}

struct Nginx {
    address: SocketAddr,
    guard: Child,
    folder: TempDir,
}

impl Front {
    pub fn open() -> Self {
        Self::open_with(&[])
    }

    /// The same with settings for the server.
    pub fn open_with(settings: &[(&str, &str)]) -> Self {
        packages::need("nginx:nginx");
        let database = TestDatabase::create();
        // The server logs one line for each request; the tests count the requests that reach it.
        let always = [("RUST_LOG", "warn,techkraft::request=info"), ("TRUSTED_PROXIES", "127.0.0.1")];
        let server = Server::start(&database, &[&always, settings].concat());
        Self { nginx: Nginx::start(server.address), server, database }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.nginx.address)
    }

    /// A visitor's browser: keeps cookies, follows no redirect, unpacks nothing.
    pub fn browser() -> Client {
        Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client")
    }

    pub fn get(&self, browser: &Client, path: &str) -> Response {
        browser.get(self.url(path)).send().expect("an answer")
    }

    /// Books one ticket with a plain form, and asks to be remembered; returns the booking's path.
    pub fn book(&self, browser: &Client, name: &str) -> String {
        self.book_tickets(browser, name, "1")
    }

    /// Cancels one of two tickets, which leaves a toast message for the next page.
    pub fn leave_a_toast(&self, browser: &Client, name: &str) {
        let booking = self.book_tickets(browser, name, "2");
        let form = [("choice", "1"), ("seat_1", "on")];
        let post = browser.post(self.url(&format!("{booking}/cancellation"))).form(&form);
        assert_eq!(post.send().expect("an answer").status(), 303);
    }

    fn book_tickets(&self, browser: &Client, name: &str, quantity: &str) -> String {
        let home = self.get(browser, "/").text().expect("a page");
        let ticket_type = between(&home, "name=\"ticket_type\" value=\"", "\"").to_owned();
        let checkout = format!("/bookings/new?ticket_type={ticket_type}&quantity=1");
        let checkout = self.get(browser, &checkout).text().expect("a page");
        let form = [
            ("ticket_type", ticket_type.as_str()),
            ("quantity", quantity),
            ("name", name),
            ("remember", "1"),
            // A different person each time: there is a limit of tickets per person.
            ("email", &format!("ada+{}@example.org", BUYERS.fetch_add(1, Ordering::Relaxed))),
            ("request_key", between(&checkout, "name=\"request_key\" value=\"", "\"")),
        ];
        let answer = browser.post(self.url("/bookings")).form(&form).send().expect("an answer");
        assert_eq!(answer.status(), 303, "{}", answer.text().unwrap_or_default());
        header(&answer, "location").to_owned()
    }

    /// Everything that nginx has logged, in all its log files.
    pub fn nginx_logged(&self) -> String {
        let files =
            fs::read_dir(self.nginx.folder.path()).expect("a folder").flatten().map(|entry| entry.path());
        let logs = files.filter(|path| path.extension() == Some("log".as_ref()));
        logs.map(|path| fs::read_to_string(path).expect("a log")).collect()
    }

    /// How many requests for each path reached the server, by the server's own log.
    pub fn origin_requests(&self) -> BTreeMap<String, usize> {
        let mut requests = BTreeMap::new();
        for line in self.server.logged().lines() {
            let Some((_, request)) = line.split_once("] GET ") else { continue };
            *requests.entry(request.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        requests
    }

    pub fn origin_requests_of(&self, path: &str) -> usize {
        self.origin_requests().get(path).copied().unwrap_or_default()
    }
}

impl Nginx {
    fn start(origin: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let paths = folder.path().display();
        let shipped = replaced(&[
            ("server 127.0.0.1:3000;", &format!("server {origin};")),
            ("listen 80;", &format!("listen {address};")),
            ("/var/cache/techkraft ", &format!("{paths}/cache ")),
            ("/var/log/nginx/techkraft.log", &format!("{paths}/techkraft.log")),
            ("/var/log/nginx/techkraft-error.log", &format!("{paths}/techkraft-error.log")),
        ]);
        // These are only nginx's own settings: where it may write, and that it stays in the foreground. `user root`:
        // otherwise nginx, when started as root, would run its workers as a user who cannot open the folder.
        let around = format!(
            "daemon off; user root; pid {paths}/pid; error_log {paths}/error.log warn; worker_processes 2;
             events {{ worker_connections 1024; }}
             http {{
                 access_log off; client_body_temp_path {paths}/body; proxy_temp_path {paths}/proxy;
                 fastcgi_temp_path {paths}/fastcgi; uwsgi_temp_path {paths}/uwsgi; scgi_temp_path {paths}/scgi;
                 {shipped}
             }}"
        );
        fs::write(folder.path().join("nginx.conf"), around).expect("a configuration");
        let nginx = Self { address, guard: guard(folder.path()), folder };
        nginx.wait_until_it_listens();
        nginx
    }

    fn wait_until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "nginx does not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A shell that runs nginx until this process has ended.
fn guard(folder: &Path) -> Child {
    let script =
        r#"nginx -p "$0" -e "$0/error.log" -c "$0/nginx.conf" <&- & cat; kill $!; wait; rm -rf "$0""#;
    let log = fs::File::create(folder.join("error.log")).expect("a log");
    guard::shell(script, folder).env("PATH", packages::path()).stderr(log).spawn().expect("a shell")
}

/// The shipped file with other ports and paths. Each original occurs exactly once.
fn replaced(places: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(SHIPPED).expect(SHIPPED);
    for (shipped, tested) in places {
        assert_eq!(text.matches(shipped).count(), 1, "{shipped} in {SHIPPED}");
        text = text.replace(shipped, tested);
    }
    text
}

/// The body, decompressed as a browser does.
pub fn unpacked(encoding: &str, body: &[u8]) -> String {
    let mut html = String::new();
    let read = match encoding {
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut html),
        "gzip" => flate2::read::GzDecoder::new(body).read_to_string(&mut html),
        "identity" | "" => (&mut &*body).read_to_string(&mut html),
        other => panic!("{other}?"),
    };
    read.expect("a body in its encoding");
    html
}

/// The text between two markers.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} after {before:?}")).0
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a readable header"))
}
