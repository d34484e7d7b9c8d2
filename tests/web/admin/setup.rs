//! `/admin/setup`: whether everything that selling to the public needs is set.

use techkraft::page::SiteLinks;

use crate::command_line::techkraft;
use crate::support::{TestApp, between};

/// A check's part of the page.
fn part<'a>(page: &'a str, title: &str) -> &'a str {
    let list = between(page, "<ul class=\"setup\"", "</ul>");
    let part = list.split("<li class=").find(|part| part.contains(&format!(">{title}<")));
    part.unwrap_or_else(|| panic!("no {title} in {list}"))
}

#[test]
fn what_is_not_set_is_named_with_the_way_to_set_it() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    let page = app.get("/admin/setup").text().expect("a page");
    for (title, state, says) in [
        ("Public address", "To fix", "Set <code>PUBLIC_URL</code>"),
        ("Mail", "To fix", "Set <code>SMTP_URL</code>"),
        ("Sale reset", "To fix", "ALLOW_RESEED=false"),
        ("Terms, privacy and legal notice", "To review", "TERMS_URL, PRIVACY_URL, IMPRINT_URL"),
        ("Contact", "To review", "Midnight Parade"),
        ("Sample concert", "To review", "archive it"),
        ("Backups", "To review", "<code>techkraft backup"),
        ("Box office", "To review", "/admin/setup/box-office"),
        ("Clock", "OK", "same time"),
    ] {
        let part = part(&page, title);
        assert!(part.contains(&format!(">{state}</span></h2>")) && part.contains(says), "{title}: {part}");
    }
    // Problems that prevent selling come first.
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at(">Public address<") < at(">Box office<") && at(">Box office<") < at(">Clock<"));
}

#[test]
fn what_is_set_says_so() {
    let app = TestApp::spawn_with(|config| {
        config.allow_reseed = false;
        let link = || Some("https://example.org/terms".to_owned());
        config.site_links = SiteLinks { terms: link(), privacy: link(), imprint: link() };
    });
    app.sign_in(&app.client, &app.admin_password);
    let page = app.get("/admin/setup").text().expect("a page");
    for title in ["Sale reset", "Terms, privacy and legal notice"] {
        assert!(part(&page, title).contains(">OK</span></h2>"), "{title}: {page}");
    }
}

#[test]
fn one_concert_that_nobody_can_pay_for_is_counted_as_one() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    app.database.execute("UPDATE events SET payment = 'online'");
    let page = app.get("/admin/setup").text().expect("a page");
    let part = part(&page, "Online payment");
    assert!(part.contains(">To fix</span></h2>"), "{part}");
    assert!(part.contains("1 published concert is paid for online, and nobody can pay."), "{part}");
}

/// The proxy is not in the settings, so all visitors would share one rate limit.
#[test]
fn a_proxy_that_is_not_trusted_is_noticed() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    let asked = app.client.get(app.url("/admin/setup")).header("X-Forwarded-For", "203.0.113.9");
    let page = asked.send().expect("an answer").text().expect("a page");
    let part = part(&page, "Proxy");
    assert!(part.contains(">To fix</span></h2>") && part.contains("TRUSTED_PROXIES"), "{part}");
}

/// On PostgreSQL the backup is proved by restoring it into a separate database, which this test's account may create.
#[test]
fn a_backup_is_seen_and_an_old_one_is_not_enough() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    let shown = || part(&app.get("/admin/setup").text().expect("a page"), "Backups").to_owned();
    assert!(shown().contains("No backup on record yet."), "{}", shown());
    let folder = tempfile::tempdir().expect("a folder");
    let made = techkraft(&app.database).arg("backup").arg(folder.path()).args(["--keep", "2"]).output();
    let made = made.expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let fresh = shown();
    assert!(fresh.contains(">OK</span></h2>") && fresh.contains("made and proved on"), "{fresh}");

    let days = if app.database.is_postgres() {
        "noted_at - interval '2 days'"
    } else {
        "strftime('%Y-%m-%d %H:%M:%f', noted_at, '-2 days')"
    };
    app.database.execute(&format!("UPDATE setup_notes SET noted_at = {days} WHERE name = 'backup'"));
    let old = shown();
    assert!(old.contains(">To fix</span></h2>") && old.contains("BackupMissing"), "{old}");
}
