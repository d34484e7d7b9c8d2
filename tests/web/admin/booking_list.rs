//! The list of all bookings.

use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use super::{add_concert, book_as, book_many};
use crate::support::{TestApp, between, header};

fn shown(app: &TestApp, organizer: &Client, query: &str) -> String {
    let response = organizer.get(app.url(&format!("/admin/bookings{query}"))).send().expect("an answer");
    assert_eq!(response.status(), 200, "{query}: {}", header(&response, "location"));
    response.text().expect("a page")
}

/// The buyers on a page, in the page's order.
fn buyers(page: &str) -> Vec<String> {
    let rows = page.split("data-label=\"Buyer\">").skip(1);
    rows.map(|row| row.split(['<', '\n']).next().unwrap_or_default().trim().to_owned()).collect()
}

pub(super) fn found(app: &TestApp, organizer: &Client, query: &str) -> Vec<String> {
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
        "href=\"/admin/events/encore/export?",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(shown(&app, &organizer, "").contains("data-label=\"Concert\">Encore"));
    for query in ["?event=elsewhere", "?status=held", "?status=x", "?before=x", "?ticket_type=x"] {
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
    // A search also reads bookings that do not match, and its next page continues after them.
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

/// The path that a search redirects to; empty if the search shows a list.
fn leads_to(app: &TestApp, organizer: &Client, typed: &str) -> String {
    let url = reqwest::Url::parse_with_params(&app.url("/admin/bookings"), [("q", typed)]).expect("a URL");
    let response = organizer.get(url).send().expect("an answer");
    header(&response, "location").to_owned()
}

#[test]
fn a_ticket_is_found_by_its_code_or_link() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let location = book_as(&app, "zoe@example.org", "VIP", 2, "Zoe");
    let page = app.get(&location).text().expect("a page");
    let reference = between(&page, "<span>Reference</span><strong>", "</strong>");
    let code = crate::check_in::codes(&app, &location).swap_remove(1);
    let link = format!(
        "/tickets/{}",
        page.split("/tickets/").nth(2).expect("a second").split(['"', '<']).next().expect("a link")
    );
    let second = format!("/admin/bookings/{reference}#ticket-2");
    for typed in [
        code.clone(),
        code.to_lowercase().replace('-', " "),
        format!("]Q1{}", code.replace('-', "")),
        format!("Ticket 2: {code}."),
        app.url(&link),
    ] {
        assert_eq!(leads_to(&app, &organizer, &typed), second, "{typed}");
    }
    let whole = format!("/admin/bookings/{reference}");
    for typed in [
        app.url(&location),
        location.trim_start_matches("/bookings/").into(),
        format!("Re: {reference}, seats"),
    ] {
        assert_eq!(leads_to(&app, &organizer, &typed), whole, "{typed}");
    }
    // A code with a different last character is not one of ours.
    let last = if code.ends_with('2') { "3" } else { "2" };
    let forged = format!("{}{last}", &code[..code.len() - 1]);
    assert_eq!(leads_to(&app, &organizer, &forged), "");
    assert!(shown(&app, &organizer, &format!("?q={forged}")).contains("looks like a ticket code, but"));
}

#[test]
fn the_list_is_filtered_by_ticket_type() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_as(&app, "zoe@example.org", "VIP", 1, "Zoe");
    book_as(&app, "ada@example.org", "General Admission", 1, "Ada");
    let canceled = book_as(&app, "grace@example.org", "VIP", 1, "Grace");
    assert_eq!(app.post(&format!("{canceled}/cancellation"), &[]).status(), 303);
    add_concert(&app, "encore", "Encore", "Bob Noyce");
    let vip = app.database.ticket_type_id("VIP");
    let of_vip = format!("?event=midnight-parade&ticket_type={vip}");
    assert_eq!(found(&app, &organizer, &of_vip), ["Grace", "Zoe"]);
    assert_eq!(found(&app, &organizer, &format!("{of_vip}&status=confirmed")), ["Zoe"]);
    assert_eq!(found(&app, &organizer, &format!("{of_vip}&q=ada")), Vec::<String>::new());
    assert_eq!(found(&app, &organizer, &format!("{of_vip}&q=gra")), ["Grace"]);
    let page = shown(&app, &organizer, &of_vip);
    let export = format!("/admin/events/midnight-parade/export?q=&#38;status=&#38;ticket_type={vip}");
    assert!(
        page.contains(&format!("<option value=\"{vip}\" selected>VIP")) && page.contains(&export),
        "{page}"
    );
    // The ticket type belongs to the concert that was chosen before, so the filter ignores it.
    assert_eq!(found(&app, &organizer, &format!("?event=encore&ticket_type={vip}")), ["Bob Noyce"]);
}

/// A search finds bookings that are in the index, which is written after the sale, and bookings that are not in it
/// yet.
#[test]
fn old_bookings_are_found_by_the_beginnings_of_words() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    book_many(&app, 1_000);
    app.database.execute(
        "UPDATE bookings SET buyer_name = 'Zoë Ångström-Lund', buyer_email = 'zoe.lund+vip@example.com'
             WHERE reference = 'TK-7';
         UPDATE bookings SET created_at = '2026-01-01 00:00:00'",
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    while app.database.count("search_progress WHERE last_booking_id = (SELECT MAX(id) FROM bookings)") == 0 {
        assert!(Instant::now() < deadline, "the index is never written");
        thread::sleep(Duration::from_millis(20));
    }
    let fresh = book_as(&app, "fresh@example.org", "VIP", 1, "Fresh Ångström");
    for (query, names) in [
        ("?q=angstr", &["Fresh Ångström", "Zoë Ångström-Lund"][..]),
        ("?q=%C3%85NGSTR%C3%96M+zo%C3%AB", &["Zoë Ångström-Lund"]),
        ("?q=angstromlund", &["Zoë Ångström-Lund"]),
        ("?q=lund%2Bvip%40", &["Zoë Ångström-Lund"]),
        ("?q=zoe.lund%2Bvip%40example.com", &["Zoë Ångström-Lund"]),
        ("?q=%40example.com", &["Zoë Ångström-Lund"]),
        ("?q=buyer999%40", &["Buyer 999"]),
        (
            "?q=buyer+77",
            &[
                "Buyer 779",
                "Buyer 778",
                "Buyer 777",
                "Buyer 776",
                "Buyer 775",
                "Buyer 774",
                "Buyer 773",
                "Buyer 772",
                "Buyer 771",
                "Buyer 770",
                "Buyer 77",
            ],
        ),
        ("?q=gstrom", &[]),
        ("?q=77&status=canceled", &[]),
    ] {
        assert_eq!(found(&app, &organizer, query), names, "{query}");
    }
    assert!(shown(&app, &organizer, "?q=gstrom").contains("Words are found by how they begin"));
    assert!(shown(&app, &organizer, "?q=zoe&status=canceled").contains("href=\"/admin/bookings?q=zoe\""));

    // A corrected name is found as it is now.
    let page = app.get(&fresh).text().expect("a page");
    let reference = between(&page, "<span>Reference</span><strong>", "</strong>");
    app.database.execute("UPDATE bookings SET created_at = '2026-01-01 00:00:00'");
    while app.database.count("booking_words WHERE word = 'fresh'") == 0 {
        assert!(Instant::now() < deadline, "the index is never written");
        thread::sleep(Duration::from_millis(20));
    }
    let form = [("name", "Quinn Ångström"), ("email", "quinn@example.org")];
    let path = app.url(&format!("/admin/bookings/{reference}/buyer"));
    assert_eq!(organizer.post(path).form(&form).send().expect("an answer").status(), 303);
    assert_eq!(found(&app, &organizer, "?q=quinn"), ["Quinn Ångström"]);
    assert_eq!(found(&app, &organizer, "?q=fresh"), Vec::<String>::new());
    assert_eq!(
        app.database.count("booking_words WHERE word LIKE 'fresh%'"),
        0,
        "a former address is forgotten"
    );
}
