use super::audited;
use crate::support::{TestApp, header};

#[test]
fn reseeding_asks_for_the_name_and_starts_the_sale_again() {
    let app = TestApp::spawn();
    let organiser = app.organiser();
    let confirmation = app.book_well("VIP", 4);
    app.book_well("General Admission", 10);
    let tag = header(&app.get("/events/midnight-parade/availability"), "etag").to_owned();

    let asked = organiser.get(app.url("/admin/reseed")).send().expect("an answer").text().expect("a page");
    for text in ["<dd>2</dd>", "<dd>14</dd>", "$500.00", "bookings.csv"] {
        assert!(asked.contains(text), "{text}\n{asked}");
    }
    let reseed = |name: &str| {
        let post = organiser.post(app.url("/admin/reseed")).form(&[("event_name", name)]);
        post.send().expect("an answer").status().as_u16()
    };
    assert_eq!(reseed("midnight"), 422);
    assert_eq!(app.database.tier("VIP").sold, 4, "nothing happened");
    assert_eq!(reseed("Midnight Parade"), 303);

    app.database.assert_books_balance();
    assert!(app.database.tiers().iter().all(|tier| tier.sold == 0 && tier.available == tier.capacity));
    assert_eq!(app.get(&confirmation).status(), 404);
    let poll = app.client.get(app.url("/events/midnight-parade/availability")).header("if-none-match", tag);
    let poll = poll.send().expect("an answer");
    assert_eq!(poll.status(), 200, "open browsers see the new counts");
    assert!(poll.text().expect("a fragment").contains("<strong>100</strong> of 100 left"));
    let desk = organiser.get(app.url("/admin")).send().expect("an answer").text().expect("a page");
    assert!(desk.contains("Bookings deleted: 2"));
    let deleted = ("admin".into(), "Midnight Parade".into(), 2, "127.0.0.1".into());
    assert_eq!(audited(&app, "reseeded"), [deleted]);
    assert_eq!(audited(&app, "signed in").len(), 1, "what was written before stays");
}

#[test]
fn reseeding_can_be_switched_off() {
    let app = TestApp::spawn_with(|config| config.allow_reseed = false);
    let organiser = app.organiser();
    app.book_well("VIP", 1);
    let page = organiser.get(app.url("/admin/reseed")).send().expect("an answer");
    assert_eq!(page.status(), 403);
    assert!(page.text().expect("a page").contains("switched off"));
    let post = organiser.post(app.url("/admin/reseed")).form(&[("event_name", "Midnight Parade")]);
    assert_eq!(post.send().expect("an answer").status(), 403);
    assert_eq!(app.database.tier("VIP").sold, 1);
}
