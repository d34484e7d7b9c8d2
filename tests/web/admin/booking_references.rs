//! A whole or partial reference leads to its booking, also in older SQLite files, which have random references.

use testkit::wait::eventually;

use super::book_as;
use crate::support::{TestApp, header};

#[test]
fn a_reference_leads_to_its_booking() {
    let app = TestApp::spawn();
    check(&app);
    if !app.database.is_postgres() {
        // A reference is computed from the booking's id, so it needs no index.
        assert_eq!(app.database.count("sqlite_schema WHERE sql LIKE '%reference TEXT NOT NULL UNIQUE%'"), 0);
        assert_eq!(app.database.count("secrets WHERE name = 'booking references'"), 1);
    }
}

/// Older files have an index, and no key for references.
#[test]
fn older_files_go_on_with_random_references() {
    let app = TestApp::spawn();
    app.database.execute(
        "DELETE FROM secrets WHERE name = 'booking references';
         CREATE UNIQUE INDEX as_of_old ON bookings (reference)",
    );
    check(&app);
}

fn check(app: &TestApp) {
    let organizer = app.organizer();
    let page_of = |path: &str| organizer.get(app.url(path)).send().expect("an answer");
    let buyers = ["Ada Lovelace", "Grace Hopper", "Hedy Lamarr"];
    for name in buyers {
        book_as(app, "somebody@example.org", "VIP", 1, name);
    }
    let reference = |name: &str| {
        app.database.text(&format!("SELECT reference AS text FROM bookings WHERE buyer_name = '{name}'"))
    };
    for is_indexed in [false, true] {
        if is_indexed {
            app.database.execute("UPDATE bookings SET created_at = '2026-01-01 00:00:00'");
            let progress = "search_progress WHERE last_booking_id = (SELECT MAX(id) FROM bookings)";
            eventually("the search's index is written", || app.database.count(progress) == 1);
        }
        for name in buyers {
            let reference = reference(name);
            let page = page_of(&format!("/admin/bookings/{reference}"));
            assert_eq!(page.status(), 200, "{reference}");
            assert!(page.text().expect("a page").contains(name), "{reference}");
            let found = page_of(&format!("/admin/bookings?q={}", reference.to_ascii_lowercase()));
            assert_eq!(header(&found, "location"), format!("/admin/bookings/{reference}"));
            // "7F3K-9QX", without its TK-.
            let part = page_of(&format!("/admin/bookings?q={}", &reference[3..11])).text().expect("a page");
            let others = buyers.iter().filter(|other| part.contains(**other)).count();
            assert!(part.contains(name) && others == 1, "{part}");
        }
    }
    assert_eq!(page_of("/admin/bookings/TK-2222-2222").status(), 404);
    assert_eq!(page_of("/admin/bookings/TK-0000").status(), 404);
}
