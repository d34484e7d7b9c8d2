//! The list of the organizer's concerts, and text that is typed when a session ends.

use super::*;

#[test]
fn the_list_has_views_a_search_and_pages() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    for number in 1..=26 {
        create(&app, &organizer, &[("name", &format!("Élan {number:02}"))]);
    }
    let list = |query: &str| page(&app, &organizer, &format!("/admin/events{query}"));
    let upcoming = list("");
    assert!(upcoming.contains("Midnight Parade") && !upcoming.contains("Élan"), "{upcoming}");
    let drafts = list("?view=drafts");
    assert_eq!(drafts.matches("concert-row__name").count(), 25);
    assert!(drafts.contains("Page 1 of 2"), "{drafts}");
    assert_eq!(list("?view=drafts&page=2").matches("concert-row__name").count(), 1);
    let found = list("?view=drafts&q=elan+07");
    assert!(found.contains("Élan 07") && found.matches("concert-row__name").count() == 1, "{found}");
    for missing in ["?view=drafts&page=3", "?view=nowhere", "?page=0", "?page=x"] {
        let answer = organizer.get(app.url(&format!("/admin/events{missing}"))).send().expect("an answer");
        assert_eq!(answer.status(), 404, "{missing}");
    }
    // An archived draft stays invisible to visitors; an upcoming concert cannot be archived.
    let archived = [("archived", "true")];
    assert_eq!(post(&app, &organizer, "/admin/events/elan-01/archive", &archived).status(), 303);
    assert!(list("?view=archived").contains("Élan 01"));
    assert_eq!(app.get("/events/elan-01").status(), 404);
    assert_eq!(post(&app, &organizer, "/admin/events/midnight-parade/archive", &archived).status(), 409);
    assert_eq!(
        post(&app, &organizer, "/admin/events/elan-01/archive", &[("archived", "false")]).status(),
        303
    );
    assert!(!list("?view=archived").contains("Élan 01"));
    let over = "starts_at = '2026-01-01 00:00:00', ends_at = '2026-01-01 03:00:00'";
    app.database.execute(&format!("UPDATE events SET {over} WHERE slug = 'midnight-parade'"));
    assert!(list("?view=past").contains("Midnight Parade"));
    assert_eq!(post(&app, &organizer, "/admin/events/midnight-parade/archive", &archived).status(), 303);
    assert!(list("?view=archived").contains("Midnight Parade"));
}

#[test]
fn a_long_description_is_kept_even_over_the_end_of_a_session() {
    let app = TestApp::spawn();
    let organizer = app.organizer();
    // Each letter takes nine bytes of the form.
    let long = "夜".repeat(10_000);
    let event = create(&app, &organizer, &[("description", &long)]);
    assert!(page(&app, &organizer, &format!("{event}/edit")).contains(&long));
    let longer = format!("{long}夜");
    let refused = post(&app, &organizer, &format!("{event}/edit"), &[("description", &longer)]);
    assert_eq!(refused.status(), 422);
    assert!(refused.text().expect("a page").contains("Use 10,000 characters or fewer."));
    app.database.execute("UPDATE admin_sessions SET expires_at = '2026-01-01 00:00:00'");
    let ended = post(&app, &organizer, &format!("{event}/edit"), &[("description", &long)]);
    assert_eq!(ended.status(), 401);
    assert!(ended.text().expect("a page").contains(&long), "the sign-in carries it");
    // Other forms keep the smaller limit.
    let other = app.post("/bookings", &[("name", &"x".repeat(17_000))]);
    assert_eq!(other.status(), 413);
}
