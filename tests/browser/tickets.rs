//! From a booking to its ticket, on the screen and on paper, and through the gate. zbar plays the scanner: it is
//! independent of the code that draws the QR codes.

use std::path::Path;
use std::process::Command;

use crate::open_site;
use crate::support::{Site, Visitor};

const QR: &str = ".ticket__qr";
const CODE: &str = "[data-ticket-code]";
/// The code of the Enter key in WebDriver.
const ENTER: char = '\u{e007}';
const ANSWER: &str = "#answer .answer__word";

/// The texts of the QR codes in a picture.
pub fn decode(picture: &Path) -> Vec<String> {
    let zbar = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(picture)
        .output()
        .expect("zbarimg is installed: `apt-get install zbar-tools`");
    String::from_utf8_lossy(&zbar.stdout).lines().map(str::to_owned).collect()
}

/// Books, and then reloads, which opens the booking's own page instead of the dialog.
pub async fn open_tickets(visitor: &Visitor, site: &Site, tier: &str, quantity: u32) -> Vec<String> {
    visitor.book(&site.tier(tier), quantity).await;
    visitor.until("location.pathname.startsWith('/bookings/')").await;
    visitor.driver().refresh().await.expect("a page");
    visitor.see(&format!("#main {QR}")).await;
    visitor.ask(&format!("[...document.querySelectorAll('{CODE}')].map((it) => it.textContent)")).await
}

/// Signs in and opens a gate with this name.
pub async fn open_gate(visitor: &Visitor, site: &Site, gate: &str) {
    site.open_doors();
    visitor.sign_in(site).await;
    visitor.visit("/admin/check-in").await;
    visitor.fill("#gate-name", gate).await;
    visitor.click("#main button[type=submit]").await;
    visitor.see("#code").await;
}

/// Types a code and Enter, as a handheld scanner does, regardless of the focus.
async fn scan(visitor: &Visitor, code: &str) -> String {
    let _: () = visitor.run("document.querySelector('#answer').replaceChildren();").await;
    visitor.press(format!("{code}{ENTER}")).await;
    visitor.until("document.querySelector('#answer .answer')").await;
    visitor.text("#answer").await
}

#[tokio::test]
async fn a_ticket_on_a_phone_opens_the_gate_once() {
    let site = open_site();
    let phone = Visitor::new(&site).await;
    phone.resize(390, 844).await;
    phone.visit("/").await;
    let codes = open_tickets(&phone, &site, "VIP", 3).await;
    assert_eq!(codes.len(), 3);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut scanned = Vec::new();
    for seat in 1..=3 {
        if seat > 1 {
            phone.click(&format!("#ticket-{} [rel=next]", seat - 1)).await;
        }
        let picture = folder.path().join(format!("{seat}.png"));
        let left = format!("document.querySelector('#ticket-{seat}').getBoundingClientRect().left");
        phone
            .until(&format!(
                "Math.abs(2 * {left} + document.querySelector('.ticket').offsetWidth - innerWidth) < 3"
            ))
            .await;
        // The whole screen, as a scanner in front of it sees it.
        phone.driver().screenshot(&picture).await.expect("a picture of the screen");
        scanned.extend(decode(&picture));
    }
    assert_eq!(scanned, codes, "one code on the screen at a time, and the one that is written under it");

    let (north, south) = tokio::join!(Visitor::new(&site), Visitor::new(&site));
    tokio::join!(open_gate(&north, &site, "North gate"), open_gate(&south, &site, "South gate"));
    let _: () = north.run("window.isTheSamePage = true;").await;
    let answer = scan(&north, &scanned[0]).await;
    assert!(
        answer.contains("Admitted") && answer.contains("VIP") && answer.contains("ticket 1 of 3"),
        "{answer}"
    );
    let ready: bool =
        north.ask("document.activeElement.id === 'code' && document.activeElement.value === ''").await;
    assert!(ready, "the next code can be scanned at once");
    let answer = scan(&south, &scanned[0]).await;
    assert!(answer.contains("Already used") && answer.contains("North gate"), "{answer}");
    let answer = scan(&north, &scanned[1].to_lowercase()).await;
    assert!(answer.contains("2 of 3 admitted"), "{answer}");
    let answer = scan(&north, "QRFC-BEF5").await;
    assert!(answer.contains("Try again"), "{answer}");
    assert!(
        north.ask::<bool>("document.querySelector('#code').value === 'QRFC-BEF5'").await,
        "to be corrected"
    );
    assert!(north.ask::<bool>("window.isTheSamePage").await, "nothing was loaded again");
    // The other gate's next poll shows it.
    south.until("document.querySelector('#turnout-heading').innerText === '2 of 3 admitted'").await;

    north.click("#turnout .passage form button").await;
    north.until(&format!("document.querySelector('{ANSWER}').innerText === 'Undone'")).await;
    assert!(scan(&south, &scanned[1]).await.contains("Admitted"), "the ticket is good again");
}

#[tokio::test]
async fn codes_that_come_faster_than_answers_wait_their_turn() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let codes = open_tickets(&buyer, &site, "VIP", 4).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    let typed: String = codes.iter().map(|code| format!("{code}{ENTER}")).collect();
    gate.press(typed).await;
    gate.until("document.querySelector('#turnout-heading').innerText === '4 of 4 admitted'").await;
    assert_eq!(gate.text(ANSWER).await, "Admitted");
}

#[tokio::test]
async fn the_gate_works_without_javascript() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let codes = open_tickets(&buyer, &site, "Front Row", 1).await;
    let gate = Visitor::without_javascript(&site).await;
    open_gate(&gate, &site, "North gate").await;
    for (typed, word) in
        [(&*codes[0], "Admitted"), ("nobody of that name", "Try again"), ("lovelace", "1 ticket found")]
    {
        gate.fill("#code", typed).await;
        gate.click(".gate__form button[type=submit]").await;
        gate.until(&format!("document.querySelector('{ANSWER}').innerText === '{word}'")).await;
        assert!(!gate.is_seen("[data-camera-toggle]").await);
    }
    gate.click("#turnout .passage form button").await;
    gate.until(&format!("document.querySelector('{ANSWER}').innerText === 'Undone'")).await;
}
