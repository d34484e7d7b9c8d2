//! Terms, privacy and imprint: linked at the foot of every page and in the checkout, when they are set.

use crate::support::TestApp;

#[test]
fn pages_link_to_what_is_set() {
    let app = TestApp::spawn_with(|config| {
        config.site_links.terms = Some("https://example.org/terms".into());
        config.site_links.imprint = Some("https://example.org/imprint".into());
    });
    let footer = |page: &str| page.split("<footer").nth(1).unwrap_or_default().to_owned();
    for path in ["/", "/bookings/find", "/admin/sign-in", "/api/docs", &app.book_well("VIP", 1)] {
        let footer = footer(&app.get(path).text().expect("a page"));
        for link in ["https://example.org/terms\" rel=\"noopener\">Terms<", ">Legal notice<"] {
            assert!(footer.contains(link), "{path}: {footer}");
        }
        assert!(!footer.contains("Privacy"), "{path}: {footer}");
    }
    let checkout = format!("/bookings/new?ticket_type={}&quantity=1", app.tier_id("VIP"));
    let checkout = app.get(&checkout).text().expect("a page");
    let agreement = "By booking you agree to the <a href=\"https://example.org/terms\" rel=\"noopener\">Terms</a>. We use your email only for this booking.";
    assert!(checkout.contains(agreement), "{checkout}");
}

#[test]
fn pages_say_nothing_of_what_is_not_set() {
    let app = TestApp::spawn();
    let checkout = format!("/bookings/new?ticket_type={}&quantity=1", app.tier_id("VIP"));
    for path in ["/", &checkout] {
        let page = app.get(path).text().expect("a page");
        for word in ["Terms", "Privacy", "Legal notice", "By booking you agree", "Organizer:"] {
            assert!(!page.contains(word), "{path}: {word}");
        }
    }
}
