//! What each role opens: the table in docs/security.md, the URL map and the answers agree.

use std::collections::BTreeMap;

use reqwest::blocking::{Client, Response};
use techkraft::resource::urls;
use techkraft::role::AccountRole;

use crate::support::acts::NO_FIELDS;
use crate::support::{TestApp, browser, header};

const SECURITY: &str = include_str!("../../../docs/security.md");

/// A row of the table. `least` is `None` where everybody is allowed.
struct Row {
    methods: Vec<&'static str>,
    least: Option<AccountRole>,
}

fn table() -> BTreeMap<&'static str, Row> {
    let rows = SECURITY.lines().filter(|line| line.starts_with("| `/admin"));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [route, methods, least] = cells[..] else { panic!("three cells: {line}") };
        let least = match least {
            "everybody" => None,
            name => Some(AccountRole::parse(&name.replace(' ', "_")).unwrap_or_else(|| panic!("{line}"))),
        };
        (route.trim_matches('`'), Row { methods: methods.split(", ").collect(), least })
    };
    rows.map(row).collect()
}

/// The methods of a URL without HEAD, which is answered like GET.
fn methods(allowed: &'static str) -> Vec<&'static str> {
    allowed.split(", ").filter(|method| *method != "HEAD").collect()
}

#[test]
fn the_table_has_each_route_and_nothing_else() {
    let table = table();
    let routes: BTreeMap<&str, Vec<&str>> = urls::ALL
        .iter()
        .filter(|endpoint| endpoint.pattern == "/admin" || endpoint.pattern.starts_with("/admin/"))
        .map(|endpoint| (endpoint.pattern, methods(endpoint.methods)))
        .collect();
    assert!(routes.len() > 30);
    for (route, methods) in &routes {
        let row = table.get(route).unwrap_or_else(|| panic!("{route} is not in docs/security.md, \"Roles\""));
        assert_eq!(row.methods, *methods, "{route}");
    }
    let gone: Vec<_> = table.keys().filter(|route| !routes.contains_key(**route)).collect();
    assert!(gone.is_empty(), "in docs/security.md, but no route: {gone:?}");
}

fn ask(app: &TestApp, client: &Client, method: &str, path: &str) -> Response {
    let request = match method {
        "GET" => client.get(app.url(path)),
        _ => client.post(app.url(path)).form(&NO_FIELDS),
    };
    request.send().expect("an answer")
}

#[test]
fn each_route_opens_for_the_roles_of_the_table() {
    let app = TestApp::spawn();
    let token = app.book_well("VIP", 1);
    let booked = app.get(&token).text().expect("a page");
    let reference = &booked[booked.find("TK-").expect("a reference")..][.."TK-7F3K-9QXM".len()];
    let ticket_type = app.tier_id("VIP");
    let fill = |route: &str| {
        let id = if route.contains("ticket-types") { ticket_type.as_str() } else { "1" };
        route
            .replace("{slug}", "midnight-parade")
            .replace("{reference}", reference)
            .replace("{id}", id)
            .replace("{step}", "box-office")
    };
    let clients: Vec<(Option<AccountRole>, Client)> = std::iter::once((None, browser()))
        .chain(AccountRole::ALL.iter().map(|role| (Some(*role), app.member(role.as_str()))))
        .collect();
    // The route that ends sessions comes last.
    let mut rows: Vec<_> = table().into_iter().collect();
    rows.sort_by_key(|(route, _)| *route == "/admin/sign-out");
    for (route, row) in rows {
        let path = fill(route);
        assert!(!path.contains('{'), "{path}");
        for method in &row.methods {
            for (role, client) in &clients {
                check(&ask(&app, client, method, &path), method, route, row.least, *role);
            }
        }
    }
}

fn check(
    response: &Response,
    method: &str,
    route: &str,
    least: Option<AccountRole>,
    role: Option<AccountRole>,
) {
    let (status, location) = (response.status().as_u16(), header(response, "location"));
    let of_whom = format!("{method} {route} as {role:?}: {status} {location}");
    match (least, role) {
        // Empty passwords count as failed sign-ins, so 429 is possible.
        (None, _) => assert!([200, 303, 422, 429].contains(&status), "{of_whom}"),
        (Some(_), None) => {
            assert!(status == 303 && location.starts_with("/admin/sign-in"), "{of_whom}");
        }
        (Some(least), Some(role)) if !role.may(least) => assert_eq!(status, 403, "{of_whom}"),
        (_, Some(role)) if route == "/admin" && !role.may(AccountRole::Organizer) => {
            assert_eq!((status, location), (303, role.home()), "{of_whom}");
        }
        // One file is sent at a time, and the previous export may end a moment later.
        _ if route.contains("/bookings.") || route.contains("/payments.") => {
            assert!([200, 503].contains(&status), "{of_whom}")
        }
        _ if method == "GET" => {
            // No gate is chosen yet, so there is no turnout.
            let expected = if route == "/admin/check-in/turnout" { 404 } else { 200 };
            assert_eq!(status, expected, "{of_whom}");
        }
        // An empty form is refused because fields are missing, or it is accepted.
        _ => {
            assert!([200, 303, 404, 409, 422, 429].contains(&status), "{of_whom}");
            assert!(!location.starts_with("/admin/sign-in") || route == "/admin/sign-out", "{of_whom}");
        }
    }
}

#[test]
fn who_may_not_open_a_page_reads_why_and_sees_the_way_to_what_they_may() {
    let app = TestApp::spawn();
    let gate = app.member("gate");
    let refused = ask(&app, &gate, "GET", "/admin/events/new");
    assert_eq!((refused.status().as_u16(), header(&refused, "cache-control")), (403, "no-store"));
    let html = refused.text().expect("a page");
    for words in
        ["<strong>Organizer</strong>", "<strong>Gate</strong>", "href=\"/admin/check-in\"", "Sign out"]
    {
        assert!(html.contains(words), "{words} in {html}");
    }
    for elsewhere in ["\"/admin\"", "\"/admin/events\"", "\"/admin/mails\"", "\"/admin/audit-log\""] {
        assert!(!html.contains(elsewhere), "{elsewhere} in {html}");
    }
    let of = |client: &Client, path: &str| ask(&app, client, "GET", path).text().expect("a page");
    let navigation = |html: &str| -> Vec<String> {
        let nav = crate::support::between(html, "aria-label=\"Organizer\">", "</nav>");
        nav.split("href=\"").skip(1).map(|it| it.split('"').next().expect("a quote").to_owned()).collect()
    };
    let gates_page = of(&gate, "/admin/check-in");
    assert_eq!(navigation(&gates_page), ["/admin/check-in"]);
    assert!(gates_page.contains("href=\"/admin/account\""), "everybody has an account: {gates_page}");
    let box_office = app.member("box_office");
    let list = of(&box_office, "/admin/bookings");
    assert_eq!(navigation(&list), ["/admin/bookings", "/admin/check-in", "/admin/mails"], "{list}");
    let organizer = app.member("organizer");
    assert!(!navigation(&of(&organizer, "/admin")).contains(&"/admin/audit-log".to_owned()));
    assert!(navigation(&of(&app.organizer(), "/admin")).contains(&"/admin/audit-log".to_owned()));
    // A part of a page that refreshes itself is refused as well.
    let poll = box_office.get(app.url("/admin/sales")).header("HX-Request", "true").send();
    assert_eq!(poll.expect("an answer").status(), 403);
}

#[test]
fn a_server_of_the_release_before_lets_no_restricted_account_in() {
    let app = TestApp::spawn();
    let gate = app.member("gate");
    // The previous release compares the stored hash as it is, and looks up the session by the hash of its token.
    assert_eq!(app.count("admins WHERE username = 'gate' AND password_hash LIKE '$argon2%'"), 0);
    assert_eq!(app.count("admin_sessions WHERE token_hash LIKE 'restricted:%'"), 1);
    assert_eq!(app.count("admin_sessions"), 1);
    assert_eq!(ask(&app, &gate, "GET", "/admin/account").status(), 200);
    // Signing out and the list of sessions still find the session.
    assert!(ask(&app, &gate, "GET", "/admin/account").text().expect("a page").contains("This browser"));
    assert_eq!(ask(&app, &gate, "POST", "/admin/sign-out").status(), 303);
    assert_eq!(app.count("admin_sessions"), 0);
    // The operator's account is still an owner's.
    drop(app.organizer());
    assert_eq!(
        app.count("admins WHERE username = 'admin' AND role = 'owner' AND password_hash LIKE '$argon2%'"),
        1
    );
    assert_eq!(app.count("admin_sessions WHERE token_hash LIKE 'restricted:%'"), 0);
}
