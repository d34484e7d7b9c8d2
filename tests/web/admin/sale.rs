//! The organizer's sales page.

use reqwest::blocking::{Client, Response};

use super::add_concert;
use crate::support::{TestApp, between, header};

const PAGES: [&str; 7] = [
    "/admin",
    "/admin/account",
    "/admin/audit-log",
    "/admin/events/midnight-parade/terms",
    "/admin/password",
    "/admin/reseed",
    "/admin/events/midnight-parade/bookings.csv",
];

/// The redirect's path, without the return path in its query.
fn door(response: &Response) -> &str {
    header(response, "location").split('?').next().unwrap_or_default()
}

#[test]
fn the_desk_is_closed_to_everybody_else() {
    let app = TestApp::spawn();
    for path in PAGES {
        let response = app.get(path);
        assert_eq!((response.status().as_u16(), door(&response)), (303, "/admin/sign-in"), "{path}");
    }
    let poll = app.get_fragment("/admin/sales");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, "/admin/sign-in"));
    for (path, form) in [
        ("/admin/reseed", [("event_name", "Midnight Parade"), ("", "")]),
        ("/admin/account", [("session", "all"), ("password", &app.admin_password)]),
        ("/admin/password", [("current_password", &app.admin_password), ("new_password", "x")]),
    ] {
        let post = app.post(path, &form);
        assert_eq!((post.status().as_u16(), door(&post)), (303, "/admin/sign-in"), "{path}");
    }
    app.book_well("VIP", 1);
    assert_eq!(app.database.tier("VIP").sold, 1);
}

#[test]
fn nothing_of_it_is_kept_by_any_cache() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for path in PAGES.into_iter().chain(["/admin/sales", "/admin/sign-in"]) {
        for client in [&organizer, &app.client] {
            let response = client.get(app.url(path)).send().expect("an answer");
            let cached = header(&response, "cache-control");
            assert!(cached.contains("no-store"), "{path}: {} {cached:?}", response.status());
        }
    }
    for (path, form) in [
        ("/admin/sign-in", [("username", "admin"), ("password", "wrong")]),
        ("/admin/account", [("session", "all"), ("password", "wrong")]),
        ("/admin/password", [("current_password", "wrong"), ("new_password", "short")]),
        ("/admin/reseed", [("event_name", "wrong"), ("", "")]),
        ("/admin/sign-out", [("", ""), ("", "")]),
    ] {
        let response = organizer.post(app.url(path)).form(&form).send().expect("an answer");
        assert!(header(&response, "cache-control").contains("no-store"), "{path}: {}", response.status());
    }
}

#[test]
fn the_navigation_says_where_one_is() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for (path, current) in [
        ("/admin", "<a href=\"/admin\" aria-current=\"page\">Sales</a>"),
        ("/admin/audit-log", "<a href=\"/admin/audit-log\" aria-current=\"page\">Log</a>"),
        ("/admin/account", "href=\"/admin/account\" aria-current=\"page\">Account</a>"),
        ("/admin/password", "href=\"/admin/account\" aria-current=\"true\">Account</a>"),
        ("/admin/reseed", "<a href=\"/admin\" aria-current=\"true\">Sales</a>"),
    ] {
        let html = organizer.get(app.url(path)).send().expect("an answer").text().expect("a page");
        assert!(html.contains(current), "{path}: {html}");
        assert_eq!(html.matches("aria-current").count(), 1, "{path}: {html}");
        assert!(html.contains("action=\"/admin/sign-out\""), "{path}: {html}");
    }
}

#[test]
fn each_concerts_links_stand_in_its_own_panel() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    add_concert(&app, "encore", "Encore", "Bob Noyce");
    let page = organizer.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
    let panel = |name: &str| {
        let panel =
            page.split("<section class=\"panel\"").find(|it| it.contains(&format!(">{name}</a></h2>")));
        panel.unwrap_or_else(|| panic!("{name} has no panel: {page}"))
    };
    for (name, slug, other) in
        [("Midnight Parade", "midnight-parade", "encore"), ("Encore", "encore", "midnight-parade")]
    {
        let panel = panel(name);
        for path in ["bookings?event={}", "events/{}/export", "events/{}/terms"] {
            assert!(
                panel.contains(&format!("href=\"/admin/{}\"", path.replace("{}", slug))),
                "{path}: {panel}"
            );
        }
        assert_eq!(panel.matches(&format!("<span class=\"sr-only\"> for {name}</span>")).count(), 3);
        assert!(!panel.contains(other), "{panel}");
    }
    // Only the seed's concert can be reset, through a link that is not among the other buttons.
    let reset = "<a href=\"/admin/reseed\">Reset sale…</a>";
    assert_eq!(page.matches("/admin/reseed").count(), 1);
    assert!(panel("Midnight Parade").contains(reset), "{page}");
    assert!(page.contains("data-label=\"Concert\">Encore"), "{page}");
}

#[test]
fn organizers_have_a_footer_of_their_own() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let footer = |client: &Client, path: &str| {
        let page = client.get(app.url(path)).send().expect("an answer").text().expect("a page");
        assert_eq!(page.matches("<footer").count(), 1, "{path}");
        between(&page, "<footer", "</footer>").to_owned()
    };
    for path in ["/admin", "/admin/mails", "/admin/bookings", "/admin/account"] {
        let footer = footer(&organizer, path);
        assert!(footer.contains("href=\"/\"") && footer.contains("View site"), "{footer}");
        assert!(!footer.contains("Find my tickets") && !footer.contains("Organizer sign-in"), "{footer}");
    }
    assert!(footer(&app.client, "/").contains("Organizer sign-in"));
}

/// Seen to fail without the limit: the second request counted again.
#[test]
fn everything_is_counted_again_twice_a_minute_at_most_for_all() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let verdict = |client: &reqwest::blocking::Client| {
        let page = client.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
        page.contains("General Admission:") && page.contains("≠")
    };
    assert!(!verdict(&organizer));
    app.database
        .execute("UPDATE ticket_types SET available = available - 1 WHERE name = 'General Admission'");
    assert!(!verdict(&organizer) && !verdict(&app.organizer()), "the last count stands, also for others");
    // Another server, which has not counted yet, counts now.
    let other = app.another_server();
    let page = organizer.get(format!("http://{}/admin", other.address)).send().expect("an answer");
    assert!(page.text().expect("a page").contains("≠"));
}
