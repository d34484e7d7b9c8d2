//! `techkraft demo`: a throwaway site with sample activity.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use tempfile::TempDir;

use crate::command_line::{Running, serve, signal, wait};
use crate::support::{between, browser};

/// Starts a demo in the folder of a site whose settings are unusable: a demo that used one of them could not start.
fn start(site: &Path, temporary: &Path) -> Running {
    fs::write(site.join(".env"), "SMTP_URL=smtps://mail.invalid\nMAIL_FROM=tickets@example.org\n")
        .expect("a file");
    let mut command = Command::new(testkit::binary());
    command
        .arg("demo")
        .current_dir(site)
        .env("TMPDIR", temporary)
        .env("BIND", "127.0.0.1:0")
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
        .env("DATABASE_READ_URLS", "postgres://nobody@127.0.0.1:9/none")
        .env("REDIS_URL", "redis://127.0.0.1:9")
        .env("PUBLIC_URL", "https://tickets.example.org")
        .env("SECRET_KEY", "short")
        .env("API_TOKENS", "nothing");
    serve(&mut command)
}

struct Demo {
    running: Running,
    client: Client,
    temporary: TempDir,
    site: TempDir,
}

impl Demo {
    fn start() -> Self {
        let [temporary, site] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
        let running = start(site.path(), temporary.path());
        Self { running, client: browser(), temporary, site }
    }

    fn page(&self, path: &str) -> String {
        let page = self.client.get(format!("{}{path}", self.running.url)).send().expect("an answer");
        page.text().expect("a page")
    }

    fn password(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let printed = self.running.printed();
            if let Some(line) = printed.lines().find(|line| line.starts_with("Password")) {
                return line.split_whitespace().last().expect("a password").to_owned();
            }
            assert!(Instant::now() < deadline, "{printed}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn sign_in(&self, password: &str) {
        let form = [("username", "admin"), ("password", password)];
        let post = self.client.post(format!("{}/admin/sign-in", self.running.url)).form(&form);
        assert_eq!(post.send().expect("an answer").status(), 303);
    }
}

impl Drop for Demo {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        drop(self.running.child.kill());
        drop(self.running.child.wait());
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_demo_shows_every_state_and_leaves_nothing_behind() {
    let mut demo = Demo::start();
    let front = demo.page("/");
    for (name, says) in [
        ("The Paper Comets", "Sold out"),
        ("Tin Roof Serenade", "From $"),
        ("Midnight Parade", "From $"),
        ("Glass Orchard", "Sales paused"),
        ("Rooftop Brass", "Canceled"),
        ("Velvet Lighthouse", "On sale <time"),
    ] {
        let mut rows = front.split("<li>").skip(1);
        let row = rows.find(|row| row.contains(name)).unwrap_or_else(|| panic!("{name}: {front}"));
        assert!(row.contains(says), "{name}: {row}");
    }
    let opening = front.split_once("On sale <time").and_then(|(_, after)| after.split("</time>").next());
    let opening = opening.expect("one opens soon");
    assert!(opening.ends_with("CST") || opening.ends_with("CDT"), "the list has several zones: {opening}");
    assert!(demo.page("/events/velvet-lighthouse").contains("data-countdown"), "a countdown");
    assert!(demo.page("/events/tin-roof-serenade").contains("fewer than 10 left"), "nearly sold out");
    assert!(
        demo.page("/events/northbound-choir").contains("This concert is over"),
        "what was keeps its page"
    );

    // Every page says that it is a demo, also a page that is rendered without the request.
    let password = demo.password();
    for path in ["/", "/events/midnight-parade", "/bookings/find", "/admin/sign-in", "/no-such-page"] {
        let page = demo.page(path);
        assert!(page.contains("class=\"demo-banner\"") && page.contains(&password), "{path}: {page}");
    }
    demo.sign_in(&password);
    for path in
        ["/admin", "/admin/bookings", "/admin/events", "/admin/mails", "/admin/gates", "/admin/audit-log"]
    {
        let page = demo.page(path);
        assert!(page.contains("class=\"demo-banner\"") && page.contains("/admin/sign-out"), "{path}: {page}");
    }
    assert!(demo.page("/admin/mails?state=failed").contains("No such mailbox"), "an email that was refused");

    // The demo has written only to its own folder, and the site's folder is unchanged.
    assert_eq!(entries(demo.site.path()), [".env"]);
    assert_eq!(entries(demo.temporary.path()).len(), 1);
    signal(&demo.running.child, "-TERM");
    assert!(wait(&mut demo.running.child).success());
    assert_eq!(entries(demo.temporary.path()), [""; 0]);
    assert_eq!(entries(demo.site.path()), [".env"]);
}

#[test]
fn visitors_of_a_demo_keep_booking_and_its_counts_add_up() {
    let mut demo = Demo::start();
    demo.sign_in(&demo.password());
    let before = latest(&demo);
    let deadline = Instant::now() + Duration::from_secs(60);
    while latest(&demo) == before {
        assert!(Instant::now() < deadline, "nobody books: {before}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let folder = demo.temporary.path().join(entries(demo.temporary.path()).remove(0));
    let mut verify = Command::new(testkit::binary());
    verify.arg("verify").current_dir(demo.site.path()).env_remove("PUBLIC_URL");
    fs::remove_file(demo.site.path().join(".env")).expect("the file");
    verify.env("DATABASE_URL", format!("sqlite:{}", folder.join("demo.db").display()));
    let output = verify.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    signal(&demo.running.child, "-INT");
    assert!(wait(&mut demo.running.child).success());
}

/// The newest booking's reference, which is first in the organizer's list.
fn latest(demo: &Demo) -> String {
    between(&demo.page("/admin/bookings"), "/admin/bookings/TK-", "\"").to_owned()
}
