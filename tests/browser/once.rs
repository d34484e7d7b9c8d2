//! One form books once, even after double clicks, lost answers, reloads and Back.

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

#[tokio::test]
async fn a_double_click_books_once() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.ask_to_be_remembered().await;
    visitor.double_click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    visitor.close_dialog().await;
    assert_eq!((site.booking_count(), site.available(&vip)), (1, 99));

    // The same with the one-click button.
    visitor.double_click(&vip.book_now_button()).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!((site.booking_count(), site.available(&vip)), (2, 98));
}

#[tokio::test]
async fn a_form_that_is_sent_again_ends_at_the_same_booking() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    // Bypasses the page's own protection: four requests at once, as from an impatient proxy.
    let addresses: Vec<String> = visitor
        .run(
            "const form = new URLSearchParams(new FormData(document.querySelector('#checkout .checkout__form')));
             const send = () => fetch('/bookings', { method: 'POST', body: form }).then((it) => it.url);
             return Promise.all([send(), send(), send(), send()]);",
        )
        .await;
    assert!(addresses[0].contains("/bookings/"), "{addresses:?}");
    assert!(addresses.iter().all(|address| address == &addresses[0]), "{addresses:?}");

    let _: () = visitor
        .run("const form = document.querySelector('#checkout .checkout__form'); form.requestSubmit(); form.requestSubmit();")
        .await;
    visitor.see(CONFIRMATION).await;
    let address: String =
        visitor.ask("new URL(document.querySelector('[data-booked]').dataset.booked, location).href").await;
    assert_eq!(address, addresses[0]);
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn the_checkout_as_a_page_ends_at_the_bookings_address() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::new(&site).await;
    visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=2", vip.id)).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
    visitor.until("location.pathname === document.querySelector('[data-booked]')?.dataset.booked").await;

    visitor.driver().refresh().await.expect("a reload");
    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn back_and_confirm_again_ends_at_the_same_booking() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::without_javascript(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    let address = visitor.path().await;

    visitor.driver().back().await.expect("a step back");
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(visitor.path().await, address);
    visitor.driver().refresh().await.expect("a reload");
    assert_eq!(visitor.path().await, address);
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn a_booking_that_got_no_answer_can_be_sent_again() {
    let mut site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&site.tier("VIP")).await;
    visitor.fill_in(NAME, EMAIL).await;
    site.stop();
    visitor.click(CONFIRM).await;
    let toast = visitor.text("#checkout [data-toast]").await;
    assert!(toast.contains("you won’t be booked twice"), "{toast}");

    site.start_again();
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}
