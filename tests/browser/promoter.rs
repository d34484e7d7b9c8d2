//! A promoter who has never used the site puts a concert on sale, changes it while it sells, postpones it, cancels a
//! booking, writes to ticket holders, and cancels the concert; with JavaScript and without.

use std::time::Duration;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

const EVENT: &str = "/admin/events/zoe-and-the-cellar";
const SECOND_NAME: &str = "Lise Meitner";
const SECOND_EMAIL: &str = "lise@example.org";
/// Background jobs look for work twice a second, and the page polls once a second.
const AT_WORK: Duration = Duration::from_secs(60);

/// Sets a time as a date picker does.
async fn pick(promoter: &Visitor, field: &str, time: &str) {
    promoter.see(&format!("#{field}")).await;
    let script = format!("document.querySelector('#{field}').value = '{time}'; return true;");
    assert!(promoter.run::<bool>(&script).await);
}

async fn save(promoter: &Visitor) {
    promoter.click("#main form[data-submit-once] button[type=submit]").await;
}

async fn says(promoter: &Visitor, words: &str) {
    promoter.until(&format!("document.querySelector('#main')?.innerText.includes({words:?})")).await;
}

async fn add_type(promoter: &Visitor, name: &str, price: &str, capacity: &str) {
    promoter.click("a[href$='/ticket-types/new']").await;
    promoter.fill("#name", name).await;
    promoter.fill("#price", price).await;
    promoter.fill("#capacity", capacity).await;
    save(promoter).await;
    says(promoter, &format!("0 of {capacity} sold or held")).await;
}

async fn put_on_sale(site: &Site, promoter: &Visitor, buyer: &Visitor) {
    promoter.sign_in(site).await;
    promoter.click("header a[href='/admin/events']").await;
    promoter.click("a[href='/admin/events/new']").await;
    promoter.fill("#name", "Zoë and the Cellar").await;
    promoter.fill("#description", "# Line-up\n\n- **Zoë**").await;
    promoter.fill("#city", "Chicago").await;
    promoter.fill("#time_zone", "chicago").await;
    // This time does not exist: clocks go forward then.
    pick(promoter, "starts_at", "2027-03-14T02:30").await;
    save(promoter).await;
    says(promoter, "Did you mean 3:30\u{a0}AM?").await;
    assert_eq!(promoter.ask::<String>("document.querySelector('#name').value").await, "Zoë and the Cellar");
    pick(promoter, "starts_at", "2027-09-04T20:00").await;
    save(promoter).await;
    says(promoter, "Before you can publish it, it needs:").await;
    assert_eq!(promoter.path().await, EVENT);
    for (name, price, capacity) in [("Seat", "45.5", "20"), ("Floor", "20", "100"), ("Guest", "0", "5")] {
        add_type(promoter, name, price, capacity).await;
    }
    says(promoter, "The venue.").await;
    buyer.visit("/events/zoe-and-the-cellar").await;
    assert!(buyer.text("#main").await.contains("find this page"), "a draft is nobody's business");
    promoter.click(".missing a[href$='#venue']").await;
    promoter.fill("#venue", "The Cellar").await;
    save(promoter).await;
    promoter.click("a[href$='/preview']").await;
    let preview = promoter.text("#main").await;
    for words in ["Only organizers see it now", "Line-up", "$45.50", "Free"] {
        assert!(preview.contains(words), "{words}: {preview}");
    }
    promoter.click(".preview-banner a").await;
    promoter.click("form[action$='/publication'] button").await;
    promoter.until("document.querySelector('.badge').innerText === 'PUBLISHED'").await;
}

/// Books one ticket.
async fn book(buyer: &Visitor, name: &str, email: &str) {
    buyer.visit("/events/zoe-and-the-cellar").await;
    buyer.click(".tier .button--checkout").await;
    buyer.fill_in(name, email).await;
    buyer.click(CONFIRM).await;
    buyer.see(CONFIRMATION).await;
}

async fn change_while_it_sells(promoter: &Visitor) {
    promoter.visit(EVENT).await;
    promoter.click(".type-row a.button").await;
    promoter.fill("#capacity", "0").await;
    save(promoter).await;
    says(promoter, "Enter a whole number").await;
    promoter.fill("#capacity", "40").await;
    save(promoter).await;
    says(promoter, "2 of 40 sold or held").await;
    promoter.click("form[action$='/pause'] button").await;
    says(promoter, "Paused by the organizer").await;
}

async fn postpone(promoter: &Visitor, buyer: &Visitor, booking: &str) {
    promoter.click("a[href$='/postponement']").await;
    says(promoter, "2 people hold tickets.").await;
    pick(promoter, "starts_at", "2027-10-02T20:00").await;
    pick(promoter, "returns_until", "2027-08-01T12:00").await;
    promoter.fill("#message", "Zoë is ill.").await;
    save(promoter).await;
    says(promoter, "Postponed from Saturday, September 4, 2027").await;
    buyer.visit(booking).await;
    assert!(buyer.text(CONFIRMATION).await.contains("Postponed from Saturday, September 4, 2027"));
}

/// Finds the second buyer's booking by name, and cancels it with a reason.
async fn cancel_one_booking(site: &Site, promoter: &Visitor) {
    promoter.visit("/admin/bookings").await;
    promoter.fill("#q", "Lise Meitner").await;
    promoter.click(".filter button[type=submit]").await;
    promoter.until("document.querySelectorAll('tbody tr').length === 1").await;
    promoter.click("tbody th a").await;
    promoter.click("a[href$='/cancellation']").await;
    promoter.fill("#message", "The seat is broken.").await;
    save(promoter).await;
    says(promoter, "Its tickets are back on sale.").await;
    let mail = site.mail("Canceled: ").await;
    assert_eq!(mail.to, SECOND_EMAIL);
    assert!(mail.text.contains("The seat is broken."), "{}", mail.text);
}

async fn message_holders(site: &Site, promoter: &Visitor) {
    promoter.visit(EVENT).await;
    promoter.click("#main a[href$='/messages']").await;
    promoter.fill("#subject", "Bring a coat").await;
    promoter.fill("#text", "The cellar is cold.").await;
    promoter.click("button[value=review]").await;
    says(promoter, "It goes to 1 person:").await;
    promoter.click("button[value=send]").await;
    promoter.until(&format!("location.pathname === '{EVENT}'")).await;
    let mail = site.mail("Bring a coat (Zoë and the Cellar)").await;
    assert_eq!(mail.to, EMAIL);
    assert!(mail.text.contains("The cellar is cold."), "{}", mail.text);
}

async fn cancel(promoter: &Visitor) {
    promoter.visit(EVENT).await;
    promoter.click("a[href$='/cancellation']").await;
    promoter.fill("#event_name", "Zoe").await;
    save(promoter).await;
    says(promoter, "That’s not the concert’s name.").await;
    promoter.fill("#event_name", "Zoë and the Cellar").await;
    save(promoter).await;
    promoter.until("document.querySelector('.badge').innerText === 'CANCELED'").await;
}

#[tokio::test]
async fn a_promoter_puts_a_concert_on_sale_and_changes_it() {
    let site = open_site();
    let (promoter, buyer) = tokio::join!(Visitor::new(&site), Visitor::new(&site));
    put_on_sale(&site, &promoter, &buyer).await;
    book(&buyer, SECOND_NAME, SECOND_EMAIL).await;
    book(&buyer, NAME, EMAIL).await;
    let booking: String = buyer.ask("document.querySelector('[data-booked]').dataset.booked").await;
    change_while_it_sells(&promoter).await;
    postpone(&promoter, &buyer, &booking).await;
    cancel_one_booking(&site, &promoter).await;
    message_holders(&site, &promoter).await;
    cancel(&promoter).await;
    // The page updates by itself when all bookings are canceled.
    let is_done = "document.querySelector('#progress').innerText.includes('Done: 1 booking canceled')";
    promoter.until_within(AT_WORK, is_done).await;
    buyer.visit(&booking).await;
    assert!(buyer.text("#main").await.contains("this concert won’t take place"));
    let complaints = promoter.complaints().await;
    let unexpected: Vec<_> = complaints.into_iter().filter(|it| !it.contains("422")).collect();
    assert_eq!(unexpected, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_without_javascript() {
    let site = open_site();
    let promoter = Visitor::without_javascript(&site).await;
    let buyer = Visitor::without_javascript(&site).await;
    put_on_sale(&site, &promoter, &buyer).await;
    book(&buyer, SECOND_NAME, SECOND_EMAIL).await;
    book(&buyer, NAME, EMAIL).await;
    let booking = buyer.path().await;
    change_while_it_sells(&promoter).await;
    postpone(&promoter, &buyer, &booking).await;
    cancel_one_booking(&site, &promoter).await;
    message_holders(&site, &promoter).await;
    cancel(&promoter).await;
    for _ in 0..600 {
        promoter.visit(EVENT).await;
        if promoter.text("#progress").await.contains("Done: 1 booking canceled") {
            break;
        }
    }
    assert!(promoter.text("#progress").await.contains("Done: 1 booking canceled"));
}
