//! The organizer's sales page.

use crate::support::{TestApp, header};

const PAGES: [&str; 7] = [
    "/admin",
    "/admin/account",
    "/admin/audit-log",
    "/admin/events/midnight-parade/terms",
    "/admin/password",
    "/admin/reseed",
    "/admin/events/midnight-parade/bookings.csv",
];

#[test]
fn the_desk_is_closed_to_everybody_else() {
    let app = TestApp::spawn();
    for path in PAGES {
        let response = app.get(path);
        assert_eq!(
            (response.status().as_u16(), header(&response, "location")),
            (303, "/admin/sign-in"),
            "{path}"
        );
    }
    let poll = app.get_fragment("/admin/sales");
    assert_eq!((poll.status().as_u16(), header(&poll, "hx-redirect")), (401, "/admin/sign-in"));
    for (path, form) in [
        ("/admin/reseed", [("event_name", "Midnight Parade"), ("", "")]),
        ("/admin/account", [("session", "all"), ("password", &app.admin_password)]),
        ("/admin/password", [("current_password", &app.admin_password), ("new_password", "x")]),
    ] {
        let post = app.post(path, &form);
        assert_eq!((post.status().as_u16(), header(&post, "location")), (303, "/admin/sign-in"), "{path}");
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
        ("/admin/audit-log", "<a href=\"/admin/audit-log\" aria-current=\"page\">Audit log</a>"),
        ("/admin/account", "<a href=\"/admin/account\" aria-current=\"page\">Account</a>"),
        ("/admin/password", "<a href=\"/admin/account\" aria-current=\"true\">Account</a>"),
        ("/admin/reseed", "<a href=\"/admin\" aria-current=\"true\">Sales</a>"),
    ] {
        let html = organizer.get(app.url(path)).send().expect("an answer").text().expect("a page");
        assert!(html.contains(current), "{path}: {html}");
        assert_eq!(html.matches("aria-current").count(), 1, "{path}: {html}");
        assert!(html.contains("action=\"/admin/sign-out\""), "{path}: {html}");
    }
}
