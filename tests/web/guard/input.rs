//! Hostile text in every field.

use crate::support::acts::Checkout;
use crate::support::{TestApp, browser, header};

fn book(app: &TestApp, checkout: &Checkout, name: &str, email: &str) -> String {
    let form = checkout.fields(name, email);
    let response = browser().post(app.url("/bookings")).form(&form).send().expect("an answer");
    assert_eq!(response.status(), 303, "{name} {email}");
    header(&response, "location").to_owned()
}

#[test]
fn one_buyer_is_one_buyer_however_the_name_is_typed() {
    let app = TestApp::spawn();
    let checkout = app.open_checkout("VIP", 1);
    let composed = book(&app, &checkout, "Zo\u{eb} 李", "zoe@b\u{fc}cher.example");
    let decomposed = book(&app, &checkout, "  Zoe\u{308}\t李 ", " zoe@BU\u{308}CHER.example ");
    assert_eq!(composed, decomposed, "the same form, sent twice");
    let page = app.get(&composed).text().expect("a page");
    assert!(page.contains("Zo\u{eb} 李") && page.contains("zoe@bücher.example"), "{page}");
    assert_eq!(app.database.tier("VIP").bookings, 1);
}
