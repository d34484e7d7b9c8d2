//! The organizer writes to all ticket holders, after looking at a test mail; with JavaScript and without.

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

const EVENT: &str = "/admin/events/midnight-parade";
const OWN: &str = "promoter@example.org";

async fn says(organizer: &Visitor, words: &str) {
    organizer.until(&format!("document.querySelector('#main')?.innerText.includes({words:?})")).await;
}

/// Starts from the concert's page: the form names what is missing, the test mail goes only to the organizer, and then
/// the message goes to the buyer.
async fn write_to_holders(site: &Site, organizer: &Visitor) {
    organizer.sign_in(site).await;
    organizer.visit(EVENT).await;
    organizer.click("#main a[href$='/messages']").await;
    organizer.fill("#subject", "Doors at 6").await;
    organizer.click("button[value=review]").await;
    says(organizer, "Nothing was sent yet.").await;
    assert_eq!(organizer.ask::<String>("document.querySelector('#subject').value").await, "Doors at 6");
    organizer.fill("#text", "The doors open an hour earlier.").await;
    organizer.fill("#test_email", OWN).await;
    organizer.click("button[value=test]").await;
    organizer.until(&format!("document.body.innerText.includes('A test is on its way to {OWN}.')")).await;
    let test = site.mail("Test: Doors at 6 (Midnight Parade)").await;
    assert_eq!(test.to, OWN);
    assert!(test.text.contains("The doors open an hour earlier."), "{}", test.text);

    organizer.click("button[value=review]").await;
    says(organizer, "It goes to 1 person:").await;
    organizer.click("button[value=edit]").await;
    organizer.see("#subject").await;
    assert_eq!(organizer.ask::<String>("document.querySelector('#test_email').value").await, OWN);
    organizer.click("button[value=review]").await;
    says(organizer, "Send to 1 person").await;
    assert!(site.mails("Doors at 6 (Midnight Parade)").is_empty(), "nobody has said to send it");
    organizer.click("button[value=send]").await;
    organizer.until(&format!("location.pathname === '{EVENT}'")).await;
    let sent = site.mail("Doors at 6 (Midnight Parade)").await;
    assert_eq!(sent.to, EMAIL);
    assert!(sent.text.contains("The doors open an hour earlier."), "{}", sent.text);
}

async fn see_what_was_sent(organizer: &Visitor) {
    organizer.visit(&format!("{EVENT}/messages")).await;
    organizer.click("details.sent summary").await;
    says(organizer, "The doors open an hour earlier.").await;
}

#[tokio::test]
async fn holders_get_a_message_that_was_looked_at_first() {
    let site = open_site();
    let (buyer, organizer) = tokio::join!(Visitor::arrive(&site), Visitor::new(&site));
    buyer.book(&site.tier("VIP"), 2).await;
    write_to_holders(&site, &organizer).await;
    // The page updates by itself when all mails are sent.
    organizer.until("document.querySelector('#progress').innerText.includes('was sent to 1 person')").await;
    see_what_was_sent(&organizer).await;
    let unexpected: Vec<_> =
        organizer.complaints().await.into_iter().filter(|it| !it.contains("422")).collect();
    assert_eq!(unexpected, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_without_javascript() {
    let site = open_site();
    let buyer = Visitor::without_javascript(&site).await;
    buyer.click(&site.tier("VIP").book_button()).await;
    buyer.fill_in(NAME, EMAIL).await;
    buyer.click(CONFIRM).await;
    buyer.see(CONFIRMATION).await;
    let organizer = Visitor::without_javascript(&site).await;
    write_to_holders(&site, &organizer).await;
    see_what_was_sent(&organizer).await;
}
