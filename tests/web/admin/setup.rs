//! `/admin/setup`: whether everything is set that selling to the public needs.

use techkraft::page::SiteLinks;

use crate::support::{TestApp, between};

/// A check's part of the page.
fn part<'a>(page: &'a str, title: &str) -> &'a str {
    let list = between(page, "<ul class=\"setup\"", "</ul>");
    let part = list.split("<li class=").find(|part| part.contains(&format!(">{title}: ")));
    part.unwrap_or_else(|| panic!("no {title} in {list}"))
}

#[test]
fn what_is_not_set_is_named_with_the_way_to_set_it() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    let page = app.get("/admin/setup").text().expect("a page");
    for (title, state, says) in [
        ("Public address", "Not set", "Set <code>PUBLIC_URL</code>"),
        ("Mail", "Not set", "Set <code>SMTP_URL</code>"),
        ("Reset of the sale", "Not set", "ALLOW_RESEED=false"),
        ("Terms, privacy and legal notice", "Have a look", "TERMS_URL, PRIVACY_URL, IMPRINT_URL"),
        ("Contact", "Have a look", "Midnight Parade"),
        ("Sample concert", "Have a look", "archive it"),
        ("Backups", "Have a look", "<code>techkraft backup"),
        ("Box office", "Have a look", "/admin/setup/box-office"),
        ("Clock", "Set", "same time"),
    ] {
        let part = part(&page, title);
        assert!(part.contains(&format!(">{title}: {state}<")) && part.contains(says), "{title}: {part}");
    }
    // What keeps people from selling comes first.
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("Public address: Not set") < at("Box office: Have a look"));
    assert!(at("Box office: Have a look") < at("Clock: Set"));
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
    for title in ["Reset of the sale", "Terms, privacy and legal notice"] {
        assert!(part(&page, title).contains(&format!(">{title}: Set<")), "{title}: {page}");
    }
}

/// A proxy that nobody has named: every visitor would be limited as one.
#[test]
fn a_proxy_that_is_not_trusted_is_noticed() {
    let app = TestApp::spawn();
    app.sign_in(&app.client, &app.admin_password);
    let asked = app.client.get(app.url("/admin/setup")).header("X-Forwarded-For", "203.0.113.9");
    let page = asked.send().expect("an answer").text().expect("a page");
    let part = part(&page, "Proxy");
    assert!(part.contains(">Proxy: Not set<") && part.contains("TRUSTED_PROXIES"), "{part}");
}
