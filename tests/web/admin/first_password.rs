//! The first password: where it is shown, what it opens, and when it ends. These tests run the real binary.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use reqwest::blocking::{Client, Response};

use super::minutes_ago;
use crate::command_line::{Running, serve_logging, techkraft};
use crate::support::{browser, header};
use testkit::database::TestDatabase;
use testkit::wait::eventually;

const OWN: &str = "seven ladders under water";

struct Site {
    database: TestDatabase,
    running: Running,
    log: PathBuf,
    /// Where the first password was written.
    file: PathBuf,
    password: String,
}

impl Site {
    fn first_start() -> Self {
        let database = TestDatabase::create();
        let log = database.folder.path().join("server.log");
        let file = fs::File::create(&log).expect("a file");
        let running = serve_logging(techkraft(&database).env("RATE_LIMITS", "off"), file);
        let beside =
            if database.is_postgres() { "techkraft.first-password" } else { "techkraft.db.first-password" };
        let folder = database.folder.path();
        let found = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        let file = found.into_iter().find(|path| path.to_string_lossy().ends_with(".first-password"));
        let file = file.unwrap_or_else(|| panic!("no {beside}"));
        let password = fs::read_to_string(&file).expect("it can be read").trim().to_owned();
        Self { database, running, log, file, password }
    }

    fn sign_in(&self, client: &Client, password: &str) -> Response {
        let form = [("username", "admin"), ("password", password)];
        client.post(self.url("/admin/sign-in")).form(&form).send().expect("an answer")
    }

    fn change(&self, client: &Client, current: &str, new: &str) -> Response {
        let form = [("current_password", current), ("new_password", new), ("repeated_password", new)];
        client.post(self.url("/admin/password")).form(&form).send().expect("an answer")
    }

    fn get(&self, client: &Client, path: &str) -> Response {
        client.get(self.url(path)).send().expect("an answer")
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url)
    }

    /// Lets the first password expire, as it does after a day.
    fn let_it_end(&self) {
        self.database.execute("UPDATE admins SET first_password_ends_at = '2026-01-01 00:00:00'");
    }

    /// Runs a command, and returns what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let output =
            techkraft(&self.database).args(arguments).stdin(Stdio::null()).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.running.child.kill();
        let _ = self.running.child.wait();
    }
}

#[test]
fn what_a_server_prints_into_a_log_names_a_file_and_no_password() {
    let site = Site::first_start();
    let place = format!("Password           in {}", site.file.display());
    eventually("it says where", || site.running.printed().contains(&place));
    let shown = site.running.printed();
    let log = fs::read_to_string(&site.log).expect("a log");
    assert!(!shown.contains(&site.password) && !log.contains(&site.password), "{shown}{log}");
    assert_eq!(site.password.len(), 23, "{}", site.password);
    let audited = "techkraft::audit] entry 1: account made by server (1)";
    assert!(log.contains(audited), "what is audited is in the log too: {log}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&site.file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_first_password_opens_nothing_but_the_page_that_changes_it() {
    let site = Site::first_start();
    let organizer = browser();
    let signed_in = site.sign_in(&organizer, &site.password);
    assert_eq!(signed_in.status(), 303);
    for path in [
        "/admin",
        "/admin/account",
        "/admin/audit-log",
        "/admin/mails",
        "/admin/bookings",
        "/admin/check-in",
        "/admin/gates",
        "/admin/reseed",
        "/admin/events/midnight-parade/bookings.csv",
        "/admin/events/midnight-parade/terms",
    ] {
        let led = site.get(&organizer, path);
        assert_eq!((led.status().as_u16(), header(&led, "location")), (303, "/admin/password"), "{path}");
    }
    let poll =
        organizer.get(site.url("/admin/sales")).header("HX-Request", "true").send().expect("an answer");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (403, "/admin/password"));
    for (path, form) in [
        ("/admin/reseed", [("event_name", "Midnight Parade"), ("password", site.password.as_str())]),
        ("/admin/account", [("session", "all"), ("password", site.password.as_str())]),
        ("/admin/gates", [("event", "midnight-parade"), ("gate", "North")]),
    ] {
        let led = organizer.post(site.url(path)).form(&form).send().expect("an answer");
        assert_eq!((led.status().as_u16(), header(&led, "location")), (303, "/admin/password"), "{path}");
    }
    assert_eq!((site.database.count("gates"), site.database.count("admin_sessions")), (0, 1));

    let page = site.get(&organizer, "/admin/password").text().expect("a page");
    assert!(page.contains("Choose your own password") && !page.contains("href=\"/admin/mails\""), "{page}");
    assert_eq!(site.change(&organizer, &site.password, &site.password).status(), 422, "another one");
    let changed = site.change(&organizer, &site.password, OWN);
    assert_eq!((changed.status().as_u16(), header(&changed, "location")), (303, "/admin"));
    assert_eq!(site.get(&organizer, "/admin").status(), 200);
    assert!(!site.file.exists(), "it has been used");
    assert_eq!(site.sign_in(&browser(), &site.password).status(), 422);
    let other = browser();
    assert_eq!(header(&site.sign_in(&other, OWN), "location"), "/admin");
    assert_eq!(site.get(&other, "/admin").status(), 200);
}

#[test]
fn the_first_password_ends_after_a_day_and_a_command_makes_another() {
    let site = Site::first_start();
    let ends = "admins WHERE first_password_ends_at > ";
    let day = 24 * 60;
    assert_eq!(site.database.count(&format!("{ends}{}", minutes_ago(1 - day))), 1);
    assert_eq!(site.database.count(&format!("{ends}{}", minutes_ago(-1 - day))), 0);

    let organizer = browser();
    assert_eq!(site.sign_in(&organizer, &site.password).status(), 303);
    site.let_it_end();
    assert_eq!(
        header(&site.get(&organizer, "/admin/password"), "location"),
        "/admin/sign-in?next=/admin/password"
    );
    let over = site.sign_in(&organizer, &site.password);
    assert_eq!(over.status(), 422);
    assert!(over.text().expect("a page").contains("techkraft reset-admin-password"));
    assert_eq!(site.database.count("audit_log WHERE action = 'first password over'"), 1);
    assert_eq!(site.sign_in(&organizer, "a guess").status(), 422);

    let shown = site.run(&["reset-admin-password"]);
    assert!(shown.contains(&site.file.display().to_string()), "{shown}");
    let another = fs::read_to_string(&site.file).expect("a file").trim().to_owned();
    assert!(another != site.password && !shown.contains(&another), "{shown}");
    assert_eq!(site.sign_in(&browser(), &site.password).status(), 422, "the first one is gone");
    assert_eq!(site.sign_in(&organizer, &another).status(), 303);
    assert_eq!(header(&site.get(&organizer, "/admin"), "location"), "/admin/password");
    assert_eq!(site.change(&organizer, &another, OWN).status(), 303);
    assert_eq!(site.get(&organizer, "/admin").status(), 200);
    site.let_it_end();
    assert_eq!(site.get(&organizer, "/admin").status(), 200, "one's own does not end");
    assert_eq!(site.database.count("audit_log WHERE action = 'password changed'"), 2);
}

#[test]
fn a_sign_in_that_comes_too_soon_leaves_one_line_a_minute() {
    let site = Site::first_start();
    let guesser = browser();
    for _ in 0..4 {
        assert_eq!(site.sign_in(&guesser, "a guess").status(), 422);
    }
    for _ in 0..2 {
        assert_eq!(site.sign_in(&guesser, "a guess").status(), 429);
    }
    let refused = "sign-in from 127.0.0.1 refused for 2 s: too many wrong passwords";
    let lines = || fs::read_to_string(&site.log).expect("a log").matches(refused).count();
    eventually("the log says so", || lines() == 1);
}

/// At a terminal the password is shown: nobody else reads the output, and nothing is left on the disk.
#[test]
fn at_a_terminal_it_is_shown() {
    let database = TestDatabase::create();
    let migrated = techkraft(&database).arg("migrate").output().expect("it runs");
    assert!(migrated.status.success());
    let model = techkraft(&database);
    let mut terminal = Command::new("script");
    let line = format!("{} reset-admin-password", model.get_program().to_string_lossy());
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    terminal.current_dir(database.folder.path()).stdin(Stdio::null());
    testkit::server::set_as(&mut terminal, &model);
    let output = terminal.output().expect("script runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let password =
        shown.lines().find_map(|line| line.strip_prefix("Password           ")).expect("a password");
    let password = password.split_whitespace().next().expect("a word");
    assert!(password.len() == 23 && password.matches('-').count() == 3, "{shown}");
    let left = fs::read_dir(database.folder.path()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|name| !name.contains("first-password")), "{left:?}");
}
