//! The organizer's concerts: created as drafts, previewed, published, changed, copied, archived.

mod dashboard;
mod list;

use reqwest::blocking::{Client, Response};

use super::audited;
use crate::support::{TestApp, header};

/// The fields of a concert that can be published once it has a ticket type.
const NIGHT: [(&str, &str); 8] = [
    ("name", "Zoë & the Café"),
    ("tagline", "One night only."),
    ("venue", "The Cellar"),
    ("city", "Chicago"),
    ("starts_at", "2027-09-04T20:00"),
    ("time_zone", "America/Chicago"),
    ("currency", "USD"),
    ("description", "# Line-up\n\n**Ada** <script>alert(1)</script>"),
];

pub(crate) fn post(app: &TestApp, organizer: &Client, path: &str, form: &[(&str, &str)]) -> Response {
    organizer.post(app.url(path)).form(form).send().expect("an answer")
}

pub(crate) fn page(app: &TestApp, organizer: &Client, path: &str) -> String {
    organizer.get(app.url(path)).send().expect("an answer").text().expect("a page")
}

/// The fields of `form`, with `changes` in place of those with the same names.
fn with<'a>(form: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = form.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes).copied().collect()
}

/// Creates a draft, and returns its path on the organizer's pages.
pub(crate) fn create(app: &TestApp, organizer: &Client, changes: &[(&str, &str)]) -> String {
    let created = post(app, organizer, "/admin/events/new", &with(&NIGHT, changes));
    assert_eq!(created.status(), 303, "{}", created.text().expect("a page"));
    header(&created, "location").to_owned()
}

pub(crate) fn add_type(
    app: &TestApp,
    organizer: &Client,
    event: &str,
    name: &str,
    price: &str,
    capacity: &str,
) {
    let form = [("name", name), ("price", price), ("capacity", capacity)];
    let added = post(app, organizer, &format!("{event}/ticket-types/new"), &form);
    assert_eq!((added.status().as_u16(), header(&added, "location")), (303, event));
}

/// The path of a ticket type's form.
pub(crate) fn type_path(app: &TestApp, organizer: &Client, event: &str, name: &str) -> String {
    let shown = page(app, organizer, event);
    let row = shown
        .split("<li class=\"type-row")
        .find(|row| row.contains(&format!("</span>{name}</h3>")))
        .expect(name);
    crate::support::between(row, "href=\"", "\"").to_owned()
}

#[test]
fn a_draft_is_previewed_completed_and_published() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("Front Row", 1);
    let event = create(&app, &organizer, &[("venue", "")]);
    assert_eq!(event, "/admin/events/zoe-the-cafe");
    let public = "/events/zoe-the-cafe";

    // Nobody else sees the draft, at any address.
    for path in [
        public,
        "/events/zoe-the-cafe/availability",
        "/events/zoe-the-cafe/calendar.ics",
        "/events/zoe-the-cafe/preview.png",
        "/api/v1/events/zoe-the-cafe",
    ] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
    assert!(!app.get("/sitemap.xml").text().expect("a map").contains("zoe"));
    let stranger = app.get(&format!("{event}/preview"));
    assert_eq!(header(&stranger, "location").split('?').next(), Some("/admin/sign-in"));

    // Publishing is refused, and the page lists what is missing.
    let refused = post(&app, &organizer, &format!("{event}/publication"), &[]);
    assert_eq!(refused.status(), 422);
    let listed = refused.text().expect("a page");
    for text in ["The venue.", "At least one ticket type.", "href=\"/admin/events/zoe-the-cafe/edit#venue\""]
    {
        assert!(listed.contains(text), "{text}\n{listed}");
    }
    assert_eq!(app.get(public).status(), 404);

    let saved = post(&app, &organizer, &format!("{event}/edit"), &[("venue", "The Cellar")]);
    assert_eq!((saved.status().as_u16(), header(&saved, "location")), (303, event.as_str()));
    for (name, price, capacity) in
        [("Seat", "1,000.00", "5"), ("Standing", "10.5", "1,000"), ("Guest", "0", "2")]
    {
        add_type(&app, &organizer, &event, name, price, capacity);
    }
    let preview = page(&app, &organizer, &format!("{event}/preview"));
    for text in [
        "Only organizers see it now",
        "<h3>Line-up</h3>",
        "<strong>Ada</strong> &lt;script&gt;alert(1)&lt;/script&gt;",
        "$1,000.00",
        "$10.50",
        "Free",
    ] {
        assert!(preview.contains(text), "{text}\n{preview}");
    }
    assert!(!preview.contains("data-polls"));
    assert_eq!(app.get(public).status(), 404);

    let published = post(&app, &organizer, &format!("{event}/publication"), &[]);
    assert_eq!((published.status().as_u16(), header(&published, "location")), (303, event.as_str()));
    let shown = app.get(public).text().expect("a page");
    assert!(shown.contains("Saturday, September 4, 2027") && !shown.contains("Only organizers"), "{shown}");
    assert!(app.get("/").text().expect("a page").contains("Zoë"));
    assert!(app.get("/sitemap.xml").text().expect("a map").contains("/events/zoe-the-cafe<"));
    let actions = ["event created", "event changed", "event published"].map(|it| audited(&app, it).len());
    assert_eq!(actions, [1, 1, 1]);

    // Nothing is sold yet, so the concert can be withdrawn.
    assert_eq!(post(&app, &organizer, &format!("{event}/withdrawal"), &[]).status(), 303);
    assert_eq!(app.get(public).status(), 404);
    assert_eq!(post(&app, &organizer, &format!("{event}/publication"), &[]).status(), 303);
    assert_eq!(post(&app, &organizer, "/admin/events/midnight-parade/withdrawal", &[]).status(), 409);
    assert_eq!(app.get("/events/midnight-parade").status(), 200);
}

#[test]
fn what_is_wrong_is_said_beside_its_field_and_nothing_is_lost() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let wrong = with(
        &NIGHT,
        &[
            ("name", ""),
            ("slug", "A B"),
            ("starts_at", "2027-03-14T02:30"),
            ("doors_at", "2027-11-07T01:30"),
            ("age_limit", "abc"),
            ("venue", "<b>Hall</b>"),
        ],
    );
    let refused = post(&app, &organizer, "/admin/events/new", &wrong);
    assert_eq!(refused.status(), 422);
    let html = refused.text().expect("a page");
    for text in [
        "Enter the concert’s name.",
        "Use up to 80 letters from a to z, digits and hyphens.",
        "Did you mean 3:30\u{a0}AM?",
        "happens twice. Choose which one.",
        "name=\"doors_at_offset\" value=\"-05:00\"",
        "name=\"doors_at_offset\" value=\"-06:00\"",
        "value=\"&#60;b&#62;Hall&#60;/b&#62;\"",
        "value=\"2027-03-14T02:30\"",
        "**Ada** &#60;script&#62;",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 5);
    assert_eq!(audited(&app, "event created"), []);

    let event =
        create(&app, &organizer, &[("starts_at", "2027-11-07T01:30"), ("starts_at_offset", "-06:00")]);
    let shown = page(&app, &organizer, &format!("{event}/edit"));
    assert!(shown.contains("name=\"starts_at\" value=\"2027-11-07T01:30\""), "{shown}");
    assert!(shown.contains("value=\"-06:00\" checked"), "{shown}");
    let types = format!("{event}/ticket-types/new");
    for (form, text) in [
        (&[("name", "Seat"), ("price", "1.500"), ("capacity", "5")][..], "USD has 2 decimals."),
        (
            &[("name", "Seat"), ("price", "10"), ("capacity", "0")],
            "Enter a whole number from 1 to 1,000,000.",
        ),
        (&[("name", ""), ("price", "10"), ("capacity", "5")], "Enter a name, like Front Row."),
        (&[("name", "Seat"), ("price", "free"), ("capacity", "5")], "Enter an amount like 10 or 10.55."),
    ] {
        let refused = post(&app, &organizer, &types, form);
        assert_eq!(refused.status(), 422, "{form:?}");
        let html = refused.text().expect("a page");
        assert!(html.contains(text) && html.matches("aria-invalid").count() == 1, "{text}\n{html}");
    }
    add_type(&app, &organizer, &event, "Seat", "10", "5");
    let twice = post(&app, &organizer, &types, &[("name", "Seat"), ("price", "10"), ("capacity", "5")]);
    assert_eq!(twice.status(), 422);
    assert!(twice.text().expect("a page").contains("Another ticket type has this name."));
}

#[test]
fn addresses_are_unique_and_old_ones_lead_to_the_new_one() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    let made: Vec<String> =
        (0..3).map(|_| create(&app, &organizer, &[("name", "Midnight Parade")])).collect();
    let paths = [
        "/admin/events/midnight-parade-2",
        "/admin/events/midnight-parade-3",
        "/admin/events/midnight-parade-4",
    ];
    assert_eq!(made, paths);
    let taken = post(&app, &organizer, &format!("{}/edit", made[0]), &[("slug", "midnight-parade")]);
    assert_eq!(taken.status(), 422);
    assert!(taken.text().expect("a page").contains("Another concert has or had this address"));

    let parade = "/admin/events/midnight-parade/edit";
    let renamed = post(&app, &organizer, parade, &[("slug", "parade")]);
    assert_eq!(header(&renamed, "location"), "/admin/events/parade");
    let old = app.get("/events/midnight-parade?x=1");
    assert_eq!((old.status().as_u16(), header(&old, "location")), (308, "/events/parade?x=1"));
    assert_eq!(app.get("/events/parade").status(), 200);
    for path in [
        "/events/midnight-parade/availability",
        "/events/midnight-parade/calendar.ics",
        "/api/v1/events/midnight-parade",
    ] {
        assert_eq!(app.get(path).status(), 200, "{path}");
    }
    assert_eq!(
        organizer.get(app.url("/admin/events/midnight-parade")).send().expect("an answer").status(),
        200
    );
    // Old links still lead to the old concert, so no other one gets the address.
    let taken = post(&app, &organizer, &format!("{}/edit", made[1]), &[("slug", "midnight-parade")]);
    assert_eq!(taken.status(), 422);
    // The concert can have its old address back.
    let back = post(&app, &organizer, "/admin/events/parade/edit", &[("slug", "midnight-parade")]);
    assert_eq!(header(&back, "location"), "/admin/events/midnight-parade");
    assert_eq!(app.get("/events/midnight-parade").status(), 200);
    assert_eq!(header(&app.get("/events/parade"), "location"), "/events/midnight-parade");
}

#[test]
fn a_copy_has_everything_but_dates_and_bookings() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    app.book_well("VIP", 3);
    let form = page(&app, &organizer, "/admin/events/new?from=midnight-parade");
    for text in [
        "value=\"The Foundry Hall\"",
        "name=\"starts_at\" value=\"\"",
        "name=\"from\" value=\"midnight-parade\"",
    ] {
        assert!(form.contains(text), "{text}\n{form}");
    }
    let without_date = [("from", "midnight-parade"), ("name", "Midnight Parade")];
    let refused = post(&app, &organizer, "/admin/events/new", &without_date);
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("Enter when the concert starts."));
    let dated = [("from", "midnight-parade"), ("starts_at", "2027-06-20T20:00")];
    let created = post(&app, &organizer, "/admin/events/new", &dated);
    assert_eq!(header(&created, "location"), "/admin/events/midnight-parade-2");
    assert_eq!(post(&app, &organizer, "/admin/events/midnight-parade-2/publication", &[]).status(), 303);
    // Seen to fail in 14 of 14 runs when the refresher's reads were slowed down by 150 ms and the board's lock was
    // removed.
    for _ in 0..100 {
        assert_eq!(app.get("/events/midnight-parade-2").status(), 200, "a late read hid it");
    }
    let copy = app.get("/events/midnight-parade-2").text().expect("a page");
    for text in [
        "<strong>100</strong> of 100 left",
        "<strong>200</strong> of 200 left",
        "June 20, 2027",
        "One city, one night",
    ] {
        assert!(copy.contains(text), "{text}\n{copy}");
    }
    app.database.assert_books_balance();
}

#[test]
fn all_of_it_is_the_organizers_alone() {
    let app = TestApp::spawn();
    let gets = [
        "",
        "/new",
        "/midnight-parade",
        "/midnight-parade/edit",
        "/midnight-parade/preview",
        "/midnight-parade/ticket-types/new",
        "/midnight-parade/ticket-types/1",
    ];
    for path in gets.map(|path| format!("/admin/events{path}")) {
        assert_eq!(header(&app.get(&path), "location").split('?').next(), Some("/admin/sign-in"), "{path}");
    }
    let posts = [
        "",
        "/new",
        "/midnight-parade/edit",
        "/midnight-parade/publication",
        "/midnight-parade/withdrawal",
        "/midnight-parade/pause",
        "/midnight-parade/archive",
        "/midnight-parade/ticket-types/new",
        "/midnight-parade/ticket-types/1",
        "/midnight-parade/ticket-types/1/state",
        "/midnight-parade/ticket-types/1/position",
    ];
    for path in posts.map(|path| format!("/admin/events{path}")) {
        let answer = app.post(&path, &[("paused", "true"), ("state", "paused"), ("archived", "true")]);
        assert_eq!(header(&answer, "location").split('?').next(), Some("/admin/sign-in"), "{path}");
    }
    let organizer = app.organizer();
    for path in [
        "/admin/events/elsewhere",
        "/admin/events/No%20Slug",
        "/admin/events/midnight-parade/ticket-types/999",
        "/admin/events/midnight-parade/ticket-types/x",
    ] {
        assert_eq!(organizer.get(app.url(path)).send().expect("an answer").status(), 404, "{path}");
    }
}
