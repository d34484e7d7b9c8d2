//! The waiting room: a visitor comes before the sale, gets a place in the draw, waits, and books when it is their
//! turn.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::accessibility::Inspection;
use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Site, Visitor};

/// The server notices a direct change of the database later than a booking.
const NOTICED: Duration = Duration::from_secs(60);
const ROOM: &str = "/events/midnight-parade/queue";
const SETTINGS: &str = "/admin/events/midnight-parade/waiting-room";
const TAKE_PLACE: &str = ".queue form button[type=submit]";

/// Starts the sale in this many seconds. Use no start in the past: the column has whole seconds, and visitors who
/// come after the start are placed behind the lobby, so the test's visitors would not be in it.
fn start_sale_in(site: &Site, seconds: i64) {
    let starts = Utc::now() + TimeDelta::seconds(seconds);
    site.change_concert(&format!("sales_start_at = '{}'", starts.format("%Y-%m-%d %H:%M:%S")));
}

/// The organizer switches the waiting room on.
async fn switch_on(organizer: &Visitor, site: &Site) {
    organizer.sign_in(site).await;
    organizer.visit(SETTINGS).await;
    organizer.click("input[value=always]").await;
    organizer.fill("#room-message", "Doors are at seven.").await;
    organizer.click(".concert-form button[type=submit]").await;
    organizer.see("#room-figures h2").await;
}

async fn set_flow(organizer: &Visitor, flow: &str, says: &str) {
    organizer.visit(SETTINGS).await;
    organizer.click(&format!("button[value={flow}]")).await;
    organizer.until(&format!("document.querySelector('#room-now').innerText === '{says}'")).await;
}

/// Waits until the page has this heading, without a reload: the page updates by itself.
async fn reads(visitor: &Visitor, heading: &str) {
    let found = format!("document.querySelector('#queue-heading')?.innerText.includes('{heading}')");
    visitor.until_within(NOTICED, &found).await;
}

/// The same for a page that does not update by itself: loads it again and again.
async fn comes_to_read(visitor: &Visitor, path: &str, heading: &str) {
    for _ in 0..120 {
        visitor.visit(path).await;
        if visitor.text("h1").await.contains(heading) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{path} never says {heading}: {}", visitor.text("h1").await);
}

#[tokio::test]
async fn who_waits_is_drawn_served_and_books() {
    let site = open_site();
    let vip = site.tier("VIP");
    start_sale_in(&site, 1200);
    let organizer = Visitor::new(&site).await;
    switch_on(&organizer, &site).await;
    set_flow(&organizer, "stopped", "The lobby").await;

    let visitor = Visitor::new(&site).await;
    let mut inspection = Inspection::by(&visitor);
    comes_to_read(&visitor, ROOM, "Take your place").await;
    visitor.visit("/events/midnight-parade").await;
    visitor.click(".notice--room a").await;
    reads(&visitor, "Take your place").await;
    inspection.look_at("the offer of a place").await;
    visitor.click(TAKE_PLACE).await;
    reads(&visitor, "You’re in").await;
    inspection.look_at("the lobby").await;
    let number = visitor.text(".queue__code").await;
    visitor.visit("/").await;
    visitor.visit(ROOM).await;
    assert_eq!(visitor.text(".queue__code").await, number, "the place is kept");
    visitor.until_within(NOTICED, "document.body.innerText.includes('1 person is in the lobby')").await;
    assert!(visitor.text("#queue-line").await.contains("Doors are at seven."));
    visitor.click("a[href$='/draw']").await;
    visitor.see("#draw-heading").await;
    inspection.look_at("the draw, before it").await;
    visitor.visit(ROOM).await;

    // From here on the page updates by itself. Seen to fail without queue.js: it stayed in the lobby.
    start_sale_in(&site, 1);
    reads(&visitor, "You’re in line").await;
    visitor.until_within(NOTICED, "document.body.innerText.includes('stopped the line')").await;
    assert_eq!(visitor.text("[data-ahead]").await, "0");
    inspection.look_at("the line, stopped").await;
    set_flow(&organizer, "open", "The line moves").await;
    reads(&visitor, "It’s your turn").await;
    assert!(visitor.text(".queue__types").await.contains("VIP"));
    inspection.look_at("the turn").await;
    visitor.click(&format!(".queue__type[href*='ticket_type={}&']", vip.id)).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!((site.booking_count(), site.available(&vip)), (1, 99));
    visitor.visit(ROOM).await;
    reads(&visitor, "You have your tickets").await;
    inspection.look_at("the room after the booking").await;
    visitor.visit(&format!("{ROOM}/draw")).await;
    inspection.look_at("the draw, after it").await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
    inspection.end();
}

#[tokio::test]
async fn the_ends_of_a_room_and_the_organizers_page_have_no_barriers() {
    let site = open_site();
    let organizer = Visitor::new(&site).await;
    let mut desk = Inspection::by(&organizer);
    switch_on(&organizer, &site).await;
    desk.look_at("the organizer's room").await;
    organizer.fill("#most-per-second", "many").await;
    organizer.click(".concert-form button[type=submit]").await;
    organizer.see("#most-per-second-error").await;
    desk.look_at("the organizer's room, with a wrong field").await;
    desk.end();

    let visitor = Visitor::new(&site).await;
    let mut inspection = Inspection::by(&visitor);
    comes_to_read(&visitor, ROOM, "Take your place").await;
    visitor.click(TAKE_PLACE).await;
    reads(&visitor, "It’s your turn").await;
    site.run_sql(
        "UPDATE queue_passes SET issued_at = '2026-01-01 00:00:00', expires_at = '2026-01-01 00:00:00'",
    );
    visitor.visit(ROOM).await;
    reads(&visitor, "Your ten minutes are over").await;
    inspection.look_at("a pass that is over").await;
    site.change_concert("paused = true");
    let is_paused = "document.querySelector('#queue-line').innerText.includes('paused')";
    visitor.until_within(NOTICED, is_paused).await;
    inspection.look_at("the room of a paused sale").await;
    site.change_concert("paused = false");
    for tier in ["VIP", "Front Row", "General Admission"] {
        site.set_available(&site.tier(tier), 0);
    }
    let late = Visitor::new(&site).await;
    comes_to_read(&late, ROOM, "Sold out").await;
    let mut end = Inspection::by(&late);
    end.look_at("the room, sold out").await;
    end.end();
    inspection.end();
    // Somebody returns tickets: a page that is still open updates by itself.
    site.set_available(&site.tier("VIP"), 5);
    reads(&late, "Take your place").await;
    organizer.visit(SETTINGS).await;
    organizer.click("input[value=off]").await;
    organizer.click(".concert-form button[type=submit]").await;
    // When the waiting room is switched off, the page leads to the concert.
    late.until_within(NOTICED, "location.pathname === '/events/midnight-parade'").await;
}

/// Long enough for a lobby and its sale, even on a machine that is busy with other journeys.
const REHEARSED: Duration = Duration::from_secs(240);

#[tokio::test]
async fn an_owner_rehearses_a_sale_and_reads_what_was_measured() {
    let site = open_site();
    let owner = Visitor::new(&site).await;
    owner.sign_in(&site).await;
    let mut inspection = Inspection::by(&owner);
    owner.visit("/admin/events/midnight-parade").await;
    owner.click("a[href$='/rehearsal']").await;
    owner.fill("#buyers", "none").await;
    owner.click(".concert-form button[type=submit]").await;
    owner.see("#buyers-error").await;
    inspection.look_at("the rehearsal, with a wrong field").await;
    owner.fill("#buyers", "30").await;
    owner.fill("#minutes", "1").await;
    owner.click(".concert-form button[type=submit]").await;
    owner.see("#rehearsal-now").await;
    inspection.look_at("the rehearsal, running").await;
    // The page updates by itself.
    owner.until_within(REHEARSED, "document.querySelector('#rehearsal-report')").await;
    assert!(owner.text("#rehearsal-state").await.contains("30 of 30 buyers came"));
    inspection.look_at("the rehearsal's report").await;
    assert_eq!(site.booking_count(), 0);
    inspection.end();
}

#[tokio::test]
async fn the_room_works_without_javascript() {
    let site = open_site();
    let vip = site.tier("VIP");
    start_sale_in(&site, 1200);
    let organizer = Visitor::new(&site).await;
    switch_on(&organizer, &site).await;
    set_flow(&organizer, "stopped", "The lobby").await;
    let visitor = Visitor::without_javascript(&site).await;
    comes_to_read(&visitor, ROOM, "Take your place").await;
    visitor.click(TAKE_PLACE).await;
    assert_eq!(visitor.text("h1").await, "You’re in");
    start_sale_in(&site, 1);
    comes_to_read(&visitor, ROOM, "You’re in line").await;
    visitor.click(".queue .unscripted a").await;
    assert_eq!(visitor.text("h1").await, "You’re in line");
    set_flow(&organizer, "open", "The line moves").await;
    comes_to_read(&visitor, ROOM, "It’s your turn").await;
    visitor.click(&format!(".queue__type[href*='ticket_type={}&']", vip.id)).await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    assert_eq!(site.booking_count(), 1);
}

/// Places by email: the page takes an address, and the mail's link leads to the place. Without JavaScript.
#[tokio::test]
async fn who_registers_gets_a_place_by_email() {
    let site = open_site();
    start_sale_in(&site, 1200);
    let organizer = Visitor::new(&site).await;
    organizer.sign_in(&site).await;
    organizer.visit(SETTINGS).await;
    organizer.click("input[value=always]").await;
    organizer.click("input[name=registration]").await;
    organizer.click(".concert-form button[type=submit]").await;
    organizer.see("#room-figures h2").await;
    let visitor = Visitor::new(&site).await;
    comes_to_read(&visitor, ROOM, "Register for the sale").await;
    let mut inspection = Inspection::by(&visitor);
    inspection.look_at("the registration").await;
    inspection.end();
    let visitor = Visitor::without_javascript(&site).await;
    visitor.visit(ROOM).await;
    visitor.fill("#queue-email", "ada@example").await;
    visitor.click(TAKE_PLACE).await;
    visitor.see("#queue-email-error").await;
    visitor.fill("#queue-email", EMAIL).await;
    visitor.click(TAKE_PLACE).await;
    assert_eq!(visitor.text("h1").await, "Check your email");
    let mail = site.mail("Your place in the waiting room").await;
    assert_eq!(mail.to, EMAIL);
    visitor.visit(&mail.link(&site.url(ROOM)).replace(&site.url(""), "")).await;
    visitor.click(TAKE_PLACE).await;
    assert_eq!(visitor.text("h1").await, "You’re in");
    start_sale_in(&site, 1);
    comes_to_read(&visitor, ROOM, "It’s your turn").await;
}
