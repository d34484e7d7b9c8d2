//! The same shop with JavaScript switched off.

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

#[tokio::test]
async fn plain_forms_book_and_the_booking_has_an_address() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::without_javascript(&site).await;
    visitor.fill(&vip.quantity(), "2").await;
    visitor.open_checkout(&vip).await;
    assert!(visitor.path().await.starts_with("/bookings/new?"));
    assert_eq!(visitor.text("#checkout-content [data-total]").await, "$200.00");
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;

    let confirmation = visitor.text(CONFIRMATION).await;
    for part in ["You’re going!", "2 × VIP", "$200.00", NAME] {
        assert!(confirmation.contains(part), "{part} is missing from {confirmation}");
    }
    let address = visitor.path().await;
    assert!(address.starts_with("/bookings/") && address.len() > 25, "{address}");
    visitor.see(&format!("a[href='{address}/calendar.ics']")).await;

    visitor.driver().refresh().await.expect("a reload");
    visitor.see(CONFIRMATION).await;
    assert_eq!((visitor.path().await, site.booking_count()), (address, 1));
    assert_eq!(site.available(&vip), 98);
}

#[tokio::test]
async fn a_returning_buyer_types_nothing_without_javascript_too() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::without_javascript(&site).await;
    visitor.book_and_be_remembered(&vip).await;

    visitor.visit("/").await;
    // The checkout knows the buyer already: nothing is left to type.
    visitor.open_checkout(&vip).await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains(EMAIL));
    assert_eq!(site.booking_count(), 2);
}

#[tokio::test]
async fn wrong_input_comes_back_with_everything_typed() {
    let site = open_site();
    let vip = site.tier("VIP");
    let quantity = vip.checkout_quantity();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill(&quantity, "11").await;
    visitor.fill_in(NAME, "nowhere").await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(&format!("{quantity}-error")).await.contains("10 tickets"));
    assert!(visitor.text("#checkout-email-error").await.contains("valid email address"));
    for (field, typed) in
        [(quantity.as_str(), "11"), ("#checkout-name", NAME), ("#checkout-email", "nowhere")]
    {
        assert_eq!(visitor.see(field).await.value().await.expect("a value").as_deref(), Some(typed));
    }
    let status = status_of_last_page(&visitor).await;
    assert_eq!((status, site.booking_count()), (422, 0));

    visitor.fill(&quantity, "1").await;
    visitor.fill("#checkout-email", EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn a_tier_that_sold_out_meanwhile_says_so() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    site.set_available(&vip, 0);
    visitor.click(CONFIRM).await;
    let told = visitor.text("#main [role=alert]").await;
    assert!(told.contains("Nothing was booked"), "{told}");
    assert_eq!((status_of_last_page(&visitor).await, site.booking_count()), (409, 0));

    visitor.click("#main .others button").await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains("Front Row"));
}

/// No script updates the total, so the server does; it books only for the total that the page has shown.
#[tokio::test]
async fn the_total_is_never_wrong() {
    let site = open_site();
    let vip = site.tier("VIP");
    let quantity = vip.checkout_quantity();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.fill(&vip.quantity(), "2").await;
    visitor.open_checkout(&vip).await;
    assert_eq!(visitor.text(".summary__total").await, "Total for 2 tickets $200.00");
    assert_eq!(visitor.text(CONFIRM).await, "Book", "it cannot follow the quantity");
    assert!(visitor.text(".summary__tier").await.contains("$100.00 per ticket"));
    visitor.fill_in(NAME, EMAIL).await;
    visitor.fill(&quantity, "5").await;
    visitor.click(".checkout__update button").await;
    assert_eq!(visitor.text(".summary__total").await, "Total for 5 tickets $500.00");
    assert_eq!(status_of_last_page(&visitor).await, 200);

    // Changes the quantity and confirms at once: the page comes back with the right total, and nothing typed is lost.
    visitor.fill(&quantity, "4").await;
    visitor.click(CONFIRM).await;
    let told = visitor.text("#main [role=alert]").await;
    assert!(told.contains("The total is now $400.00. Nothing was booked yet."), "{told}");
    assert_eq!((status_of_last_page(&visitor).await, site.booking_count()), (409, 0));
    assert_eq!(visitor.text(".summary__total").await, "Total for 4 tickets $400.00");
    visitor.click(CONFIRM).await;
    assert!(visitor.text(".stub__facts").await.contains("Due at the venue $400.00"));
    assert_eq!(site.available(&vip), 96);
}

async fn status_of_last_page(visitor: &Visitor) -> u16 {
    visitor.ask("performance.getEntriesByType('navigation')[0].responseStatus").await
}
