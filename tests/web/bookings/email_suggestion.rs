//! A mistyped domain in an address: the checkout asks about it, and still accepts the address.

use diesel::QueryableByName;
use diesel::sql_types::Text;

use crate::support::TestApp;

#[derive(Debug, QueryableByName)]
struct Email {
    #[diesel(sql_type = Text)]
    buyer_email: String,
}

#[test]
fn the_checkout_asks_whether_a_mistyped_domain_was_meant_and_bars_nothing() {
    let app = TestApp::spawn();
    let hint = "Did you mean <strong>ada@gmail.com</strong>?";
    let fragment = app.post("/buyer/email", &[("email", "ada@gmial.con")]).text().expect("a fragment");
    assert!(fragment.contains(hint) && fragment.contains("name=\"use_suggestion\""), "{fragment}");
    for (typed, meant) in [
        ("ymail.con", "ymail.com"),
        ("example.con", "example.com"),
        ("qq.con", "qq.com"),
        ("university.ed", "university.edu"),
        ("pm.em", "pm.me"),
        ("gmail.com.com", "gmail.com"),
        ("gmail.c0m", "gmail.com"),
        ("rnail.com", "mail.com"),
    ] {
        let fragment =
            app.post("/buyer/email", &[("email", &format!("ada@{typed}"))]).text().expect("a fragment");
        assert!(fragment.contains(&format!("<strong>ada@{meant}</strong>")), "{typed}: {fragment}");
    }
    for email in ["ada@example.org", "ada@gmail.com", "ada", ""] {
        let fragment = app.post("/buyer/email", &[("email", email)]).text().expect("a fragment");
        assert_eq!(fragment.trim(), "", "{email}");
    }
    // Without scripts, the hint is in the form when the form is shown again.
    let checkout = app.open_checkout("VIP", 1);
    let form = |name: &str, use_suggestion: &str| {
        let fields = [
            ("ticket_type", checkout.ticket_type.as_str()),
            ("quantity", "1"),
            ("name", name),
            ("email", "ada@gmial.con"),
            ("use_suggestion", use_suggestion),
            ("request_key", &checkout.request_key),
        ];
        app.post("/bookings", &fields)
    };
    let again = form("", "");
    assert_eq!(again.status(), 422);
    let again = again.text().expect("a page");
    assert!(again.contains(hint) && again.contains("value=\"ada@gmial.con\""), "{again}");
    assert_eq!(form("Ada", "1").status(), 303);
    let emails: Vec<Email> = app.database.rows("SELECT buyer_email FROM bookings");
    let emails: Vec<&str> = emails.iter().map(|it| it.buyer_email.as_str()).collect();
    assert_eq!(emails, ["ada@gmail.com"], "the box was checked");
}
