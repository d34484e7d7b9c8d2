//! The list of all bookings.

use reqwest::blocking::Client;

use super::{add_concert, book_as, book_many};
use crate::support::{TestApp, between, header};

fn shown(app: &TestApp, organizer: &Client, query: &str) -> String {
    let response = organizer.get(app.url(&format!("/admin/bookings{query}"))).send().expect("an answer");
    assert_eq!(response.status(), 200, "{query}: {}", header(&response, "location"));
    response.text().expect("a page")
}

/// The buyers on a page, in its order.
fn buyers(page: &str) -> Vec<String> {
    let rows = page.split("data-label=\"Buyer\">").skip(1);
    rows.map(|row| row.split(['<', '\n']).next().unwrap_or_default().trim().to_owned()).collect()
}

fn found(app: &TestApp, organizer: &Client, query: &str) -> Vec<String> {
    buyers(&shown(app, organizer, query))
}

#[test]
fn bookings_are_found_by_name_address_and_reference() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    assert!(shown(&app, &organizer, "").contains("No bookings yet."));
    let location = book_as(&app, "zoe@example.org", "VIP", 1, "Zoë Ångström");
    book_as(&app, "grace@example.com", "VIP", 1, "Grace Hopper");
    book_as(&app, "hedy+tickets@example.com", "General Admission", 2, "Hedy <b>Lamarr");
    for (query, names) in [
        ("", &["Hedy &#60;b&#62;Lamarr", "Grace Hopper", "Zoë Ångström"][..]),
        ("?q=zoe", &["Zoë Ångström"]),
        ("?q=ANGSTR%C3%96M", &["Zoë Ångström"]),
        ("?q=hopper+grace", &["Grace Hopper"]),
        ("?q=Grace%40Example.COM", &["Grace Hopper"]),
        ("?q=example.com", &["Hedy &#60;b&#62;Lamarr", "Grace Hopper"]),
        ("?q=%2Btickets%40", &["Hedy &#60;b&#62;Lamarr"]),
        ("?q=%25", &[]),
        ("?q=o_per", &[]),
        ("?q=nobody", &[]),
        ("?q=nobody%40example.org", &[]),
        ("?q=TK-2222-2222", &[]),
        ("?q=%00", &[]),
        ("?q=%27+OR+1%3D1", &[]),
    ] {
        assert_eq!(found(&app, &organizer, query), names, "{query}");
    }
    assert!(shown(&app, &organizer, "?q=nobody").contains("No bookings found."));
    assert!(
        shown(&app, &organizer, "?q=%22%3E%3Cscript%3E").contains("value=\"&#34;&#62;&#60;script&#62;\"")
    );

    let reference =
        between(&app.get(&location).text().expect("a page"), "<span>Reference</span><strong>", "</strong>")
            .to_owned();
    assert_eq!(found(&app, &organizer, &format!("?q={}", &reference[3..7])).len(), 1, "a part of it");
    let whole = organizer.get(app.url(&format!("/admin/bookings?q={}", reference.to_lowercase())));
    let whole = whole.send().expect("an answer");
    let path = format!("/admin/bookings/{reference}");
    assert_eq!((whole.status().as_u16(), header(&whole, "location")), (303, path.as_str()));
}

#[test]
fn the_list_is_filtered_by_concert_and_status() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    assert!(!shown(&app, &organizer, "").contains("name=\"event\""), "there is only one concert");
    let canceled = book_as(&app, "grace@example.com", "VIP", 1, "Grace Hopper");
    assert_eq!(app.post(&format!("{canceled}/cancellation"), &[]).status(), 303);
    book_as(&app, "zoe@example.org", "VIP", 1, "Zoë Ångström");
    add_concert(&app, "encore", "Encore", "Bob Noyce");
    app.database.execute("INSERT INTO bookings (event_id, reference, token, request_key, order_hash, status, currency,
        total_minor, buyer_name, buyer_email, created_at) SELECT id, 'TK-HELD', 'held', 'held', 0, 'held', 'USD', 0,
        'A hold', 'hold@example.org', CURRENT_TIMESTAMP FROM events WHERE slug = 'encore'");
    for (query, names) in [
        ("", &["Bob Noyce", "Zoë Ångström", "Grace Hopper"][..]),
        ("?event=encore", &["Bob Noyce"]),
        ("?event=midnight-parade", &["Zoë Ångström", "Grace Hopper"]),
        ("?status=canceled", &["Grace Hopper"]),
        ("?event=midnight-parade&status=confirmed", &["Zoë Ångström"]),
        ("?event=encore&status=canceled", &[]),
        ("?event=encore&q=grace", &[]),
        ("?q=hold", &[]),
    ] {
        assert_eq!(found(&app, &organizer, query), names, "{query}");
    }
    let page = shown(&app, &organizer, "?event=encore&status=confirmed");
    for part in [
        "Bookings for Encore",
        "<option value=\"encore\" selected>",
        "<option value=\"confirmed\" selected>",
        "href=\"/admin/events/encore/export\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(shown(&app, &organizer, "").contains("data-label=\"Concert\">Encore"));
    for query in ["?event=elsewhere", "?status=held", "?status=x", "?before=x"] {
        let refused = organizer.get(app.url(&format!("/admin/bookings{query}"))).send().expect("an answer");
        assert_eq!(refused.status(), 404, "{query}");
    }
}

#[test]
fn the_list_has_pages_that_miss_and_repeat_nothing() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_many(&app, 2_120);
    let older = |page: &str| {
        let link = page.split("rel=\"next\" href=\"/admin/bookings").nth(1)?;
        Some(link.split('"').next()?.replace("&#38;", "&"))
    };
    let of = |fits: fn(&u32) -> bool| {
        (0..2_120).rev().filter(fits).map(|n| format!("Buyer {n}")).collect::<Vec<_>>()
    };
    // A search reads bookings that do not fit, and its next page goes on behind them.
    for (query, expected) in [
        ("", of(|_| true)),
        ("?q=buyer1&status=confirmed", of(|n| n.to_string().starts_with('1'))),
        ("?q=buyer+tk-7", of(|n| n.to_string().starts_with('7'))),
    ] {
        let mut listed = Vec::new();
        let mut next = Some(query.to_owned());
        while let Some(query) = next {
            let page = shown(&app, &organizer, &query);
            let names = buyers(&page);
            assert!(names.len() <= 50, "{}", names.len());
            assert_eq!(page.contains("rel=\"prev\""), query.contains("before="), "{query}");
            listed.extend(names);
            next = older(&page);
        }
        assert_eq!(listed, expected, "{query}");
    }
}

#[test]
fn it_is_the_organizers_alone() {
    let app = TestApp::spawn();
    for path in ["/admin/bookings?q=ada", "/admin/events/midnight-parade/export"] {
        assert_eq!(app.get(path).status(), 303, "{path}");
    }
}
