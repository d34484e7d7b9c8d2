//! From the concert to a confirmed booking, with the mouse.

use std::time::Duration;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Visitor};

const SHOWN: Duration = Duration::from_secs(60);

/// Records when each toast appeared and how long it stayed, in milliseconds.
const WATCH_TOASTS: &str = "
    window.toasts = [];
    new MutationObserver((records) => {
      const toasts = (nodes) => [...nodes].filter((node) => node.matches?.('[data-toast]'));
      for (const record of records) {
        for (const toast of toasts(record.addedNodes)) {
          window.toasts.push({ text: toast.innerText.trim(), toast, since: performance.now() });
        }
        for (const toast of toasts(record.removedNodes)) {
          const seen = window.toasts.find((it) => it.toast === toast);
          if (seen) seen.stayed = performance.now() - seen.since;
        }
      }
    }).observe(document.body, { subtree: true, childList: true });";

#[tokio::test]
async fn two_clicks_and_two_typed_fields_book_a_ticket() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let _: () = visitor
        .run("window.clicks = 0; addEventListener('click', (e) => window.clicks += e.isTrusted, true);")
        .await;

    visitor.open_checkout(&vip).await;
    // The first field has the focus, so no click is necessary before typing.
    visitor.press(NAME).await;
    visitor.press("\t").await;
    visitor.press(EMAIL).await;
    visitor.click(CONFIRM).await;

    let confirmation = visitor.text(CONFIRMATION).await;
    for part in ["You’re going!", "1 × VIP", "$100.00", NAME, EMAIL] {
        assert!(confirmation.contains(part), "{part} is missing from {confirmation}");
    }
    let reference: String = visitor.ask("document.querySelector('[data-booked]').innerText").await;
    assert!(has_reference(&reference), "no reference in {reference}");
    assert_eq!(visitor.ask::<u32>("window.clicks").await, 2);
    assert_eq!(site.booking_count(), 1);
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_total_follows_the_quantity_up_to_the_confirmation() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    assert_eq!(visitor.text(&vip.book_button()).await, "Book VIP · $100.00");

    visitor.click(&vip.form("[data-step='1']")).await;
    assert_eq!(visitor.text(&vip.book_button()).await, "Book VIP · $200.00");
    visitor.click(&vip.form("[data-step='1']")).await;
    assert_eq!(visitor.text(&vip.book_button()).await, "Book VIP · $300.00");
    visitor.click(&vip.form("[data-step='-1']")).await;
    assert_eq!(visitor.text(&vip.book_button()).await, "Book VIP · $200.00");

    visitor.open_checkout(&vip).await;
    assert_eq!(visitor.text("#checkout [data-total]").await, "$200.00");
    visitor.click("#checkout [data-step='1']").await;
    assert_eq!(visitor.text("#checkout [data-total]").await, "$300.00");
    assert_eq!(
        visitor.text("#checkout [data-due]").await,
        "Nothing to pay now. Pay $300.00 at the venue. No booking fees."
    );
    assert_eq!(visitor.text(CONFIRM).await, "Book · $300.00");
    let note = visitor.text(".checkout__note").await;
    assert!(note.contains("You can cancel online until Friday, June 18, 2027"), "{note}");
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(".stub__facts").await.contains("Due at the venue $300.00 ($100.00 each)"));
    let ticket: String = visitor.ask("document.querySelector('.ticket__price').textContent").await;
    assert_eq!(ticket, "Due at the venue$100.00", "of one ticket, on paper");
    assert_eq!(site.available(&vip), 97);
}

#[tokio::test]
async fn a_confirmation_has_the_tickets_an_address_and_counts_down_behind_it() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let _: () = visitor.run(WATCH_TOASTS).await;
    visitor.book(&vip, 2).await;

    visitor.until_left(&vip, 98, SHOWN).await;
    let address: String = visitor.ask("document.querySelector('[data-booked]').dataset.booked").await;
    assert!(address.starts_with("/bookings/"), "{address}");
    visitor.until(&format!("location.pathname === '{address}'")).await;
    let codes: u32 = visitor.ask("document.querySelectorAll('dialog [data-ticket-code]').length").await;
    assert_eq!(codes, 2, "the tickets themselves, not the way to them");
    assert!(visitor.is_seen("dialog .ticket__qr").await);
    assert_eq!(visitor.ask::<u32>("window.toasts.length").await, 0, "the confirmation is the news");

    visitor.driver().refresh().await.expect("a reload");
    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
    assert_eq!(visitor.path().await, address);
    visitor.see("footer").await;
    assert!(!visitor.is_seen("dialog").await, "a reload shows the page, not the dialog");
    assert_eq!(site.booking_count(), 1);
}

#[tokio::test]
async fn a_toast_goes_by_itself_and_stays_while_the_mouse_is_on_it() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    visitor.allow_motion().await;
    visitor.book(&site.tier("VIP"), 3).await;
    let booking = visitor.path().await;
    for is_read in [false, true] {
        visitor.visit(&format!("{booking}/cancellation")).await;
        for seat in if is_read { vec![2] } else { vec![2, 3] } {
            visitor.click(&format!("[name=seat_{seat}]")).await;
        }
        visitor.click("main form button[type=submit]").await;
        assert!(visitor.text("[data-toast]").await.starts_with("Canceled: ticket"));
        let _: () = visitor.run(WATCH_TOASTS).await;
        if is_read {
            visitor.hover("[data-toast]").await;
            tokio::time::sleep(Duration::from_secs(6)).await;
            assert!(visitor.is_seen("[data-toast]").await, "it left although somebody was still reading");
            visitor.click("[data-toast-dismiss]").await;
        } else {
            visitor.move_mouse_away().await;
        }
        visitor.until("!document.querySelector('[data-toast]')").await;
    }
}

#[tokio::test]
async fn wrong_input_is_named_at_its_field_and_nothing_typed_is_lost() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill(&vip.checkout_quantity(), "11").await;
    visitor.fill_in(NAME, "ada at example").await;
    visitor.click(CONFIRM).await;

    assert!(visitor.text("#checkout-email-error").await.contains("valid email address"));
    assert!(visitor.text(&format!("{}-error", vip.checkout_quantity())).await.contains("10 tickets"));
    assert!(!visitor.is_seen("#checkout-name-error").await);
    visitor.until(&format!("document.activeElement.id === 'checkout-quantity-{}'", vip.id)).await;
    let typed: Vec<String> = visitor
        .ask("['quantity', 'name', 'email'].map((it) => document.querySelector(`#checkout [name=${it}]`).value)")
        .await;
    assert_eq!(typed, ["11", NAME, "ada at example"]);

    visitor.fill(&vip.checkout_quantity(), "2").await;
    visitor.click(CONFIRM).await;
    visitor.until("document.activeElement.id === 'checkout-email'").await;
    assert_eq!(site.booking_count(), 0);

    visitor.fill("#checkout-email", EMAIL).await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains("2 × VIP"));
}

#[tokio::test]
async fn a_mistyped_domain_is_noticed_beside_the_field_and_corrected_with_one_click() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, "ada@gmial.con").await;
    // Leaving the field is enough.
    visitor.tab_back().await;
    assert!(visitor.text(".suggestion").await.contains("Did you mean ada@gmail.com?"));
    visitor.click(".suggestion input").await;
    visitor.click(CONFIRM).await;
    assert!(visitor.text(CONFIRMATION).await.contains("ada@gmail.com"));

    // The suggestion does not block the booking; the booking's page asks again.
    visitor.visit("/").await;
    visitor.open_checkout(&vip).await;
    visitor.fill_in(NAME, "ada@yahooo.com").await;
    visitor.click(CONFIRM).await;
    let confirmation = visitor.text(CONFIRMATION).await;
    assert!(confirmation.contains("We’ve emailed your ticket to ada@yahooo.com."), "{confirmation}");
    visitor.click(".confirmation__mailed a[href$='suggested=1']").await;
    visitor.see("#buyer-email").await;
    assert_eq!(visitor.ask::<String>("document.querySelector('#buyer-email').value").await, "ada@yahoo.com");
    visitor.click("form[action$='/buyer'] button[type=submit]").await;
    let confirmation = visitor.text(CONFIRMATION).await;
    assert!(confirmation.contains("ada@yahoo.com") && !confirmation.contains("yahooo"), "{confirmation}");
    assert!(visitor.text("#toasts").await.contains("We’re emailing the tickets to ada@yahoo.com."));
    assert_eq!(site.booking_count(), 2);
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}

fn has_reference(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let groups: Vec<&str> = word.split('-').collect();
        groups.len() == 3 && groups[0] == "TK" && groups[1..].iter().all(|group| group.len() == 4)
    })
}
