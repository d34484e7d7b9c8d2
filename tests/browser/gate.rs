//! The gate as its staff use it: the network fails, the session ends, a phone has only a link.

use serde_json::json;

use crate::open_site;
use crate::support::{Site, Visitor};
use crate::tickets::{open_gate, open_tickets};

/// The code of the Enter key in WebDriver.
pub const ENTER: char = '\u{e007}';

pub const WORD: &str = "document.querySelector('#answer .answer__word').innerText";
const WAITING: &str = "document.querySelectorAll('[data-waiting-scans] li').length";

pub async fn tickets(site: &Site, quantity: u32) -> Vec<String> {
    let buyer = Visitor::arrive(site).await;
    open_tickets(&buyer, site, "VIP", quantity).await
}

pub async fn until_admitted(gate: &Visitor, counted: &str) {
    gate.until(&format!("document.querySelector('#turnout-heading').innerText === '{counted} admitted'"))
        .await;
}

pub async fn until_word(gate: &Visitor, word: &str) {
    gate.until(&format!("{WORD} === '{word}'")).await;
}

#[tokio::test]
async fn scans_survive_a_lost_network_and_two_gates_that_let_one_ticket_in_are_shown() {
    let site = open_site();
    let codes = tickets(&site, 3).await;
    let (north, south) = tokio::join!(Visitor::new(&site), Visitor::new(&site));
    tokio::join!(open_gate(&north, &site, "North gate"), open_gate(&south, &site, "South gate"));
    for gate in [&north, &south] {
        gate.set_offline(true).await;
    }
    for (count, code) in codes[..2].iter().enumerate() {
        north.press(format!("{code}{ENTER}")).await;
        north.until(&format!("{WAITING} === {}", count + 1)).await;
        assert_eq!(north.ask::<String>(WORD).await, "Not confirmed yet");
    }
    // Scanning a code again adds no second scan.
    north.press(format!("{}{ENTER}", codes[1])).await;
    south.press(format!("{}{ENTER}", codes[0])).await;
    south.until(&format!("{WAITING} === 1")).await;
    assert_eq!(north.ask::<u32>(WAITING).await, 2);
    let kept = "Object.keys(localStorage).filter((it) => it.startsWith('check-in /')).length";
    assert_eq!(north.ask::<u32>(kept).await, 2, "on the device");

    north.set_offline(false).await;
    until_admitted(&north, "2 of 3").await;
    north.until(&format!("{WAITING} === 0")).await;
    until_word(&north, "Admitted").await;
    assert_eq!(north.ask::<u32>(kept).await, 0);
    assert!(!north.is_seen("[data-waiting]").await);
    south.set_offline(false).await;
    until_word(&south, "Already used").await;
    for gate in [&south, &north] {
        let shown = "document.querySelector('#turnout').innerText";
        gate.until(&format!(
            "{shown}.includes('Let in twice: North gate') && {shown}.includes('South gate')"
        ))
        .await;
    }
    north.press(format!("{}{ENTER}", codes[2])).await;
    until_admitted(&north, "3 of 3").await;
}

#[tokio::test]
async fn a_gate_without_a_network_says_what_became_of_a_payment() {
    let site = open_site();
    let marked = tickets(&site, 1).await;
    let plain = tickets(&site, 1).await;
    site.run_sql(
        "INSERT INTO payments (id, booking_id, live, state, currency, amount_minor, refunded_minor, idempotency_key,
             session_id, session_ends_at, wanted_at, paid_at, due_at)
         SELECT 1, MIN(id), false, 'paid', 'USD', 10000, 10000, 'key', 'cs_1', MIN(created_at), MIN(created_at),
                MIN(created_at), MIN(created_at) FROM bookings",
    );
    site.run_sql(
        "INSERT INTO refunds (payment_id, source, state, amount_minor, idempotency_key, wanted_at, due_at)
         VALUES (1, 'dispute', 'pending', 10000, 'key', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
    );
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    gate.set_offline(true).await;
    const WORDS: &str = "document.querySelector('#answer .answer__explanation').innerText";
    for width in [1280, 390, 320] {
        gate.resize(width, 800).await;
        gate.press(format!("{}{ENTER}", marked[0])).await;
        gate.until(&format!(
            "{WORDS} === 'Payment disputed: the buyer’s bank has asked for the money back. The scan is saved.'"
        ))
        .await;
        let fits = "document.querySelector('#answer .answer__explanation').getBoundingClientRect().bottom <= \
                    document.querySelector('#answer').getBoundingClientRect().bottom + 1";
        assert!(gate.ask::<bool>(fits).await, "it is cut at {width}");
        gate.press(format!("{}{ENTER}", plain[0])).await;
        gate.until(&format!("{WORDS}.startsWith('No connection.')")).await;
    }
    gate.set_offline(false).await;
    until_admitted(&gate, "2 of 2").await;
}

#[tokio::test]
async fn a_scan_survives_the_end_of_the_session() {
    let site = open_site();
    let codes = tickets(&site, 1).await;
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    site.run_sql("DELETE FROM admin_sessions");
    gate.press(format!("{}{ENTER}", codes[0])).await;
    gate.see("#password").await;
    gate.fill("#username", "admin").await;
    gate.fill("#password", &site.password).await;
    gate.click("#main button[type=submit]").await;
    gate.until("!document.querySelector('#password')").await;
    gate.visit("/admin/check-in").await;
    until_admitted(&gate, "1 of 1").await;
}

#[tokio::test]
async fn a_phone_with_a_link_is_a_gate_until_the_link_is_revoked() {
    let site = open_site();
    let codes = tickets(&site, 2).await;
    site.open_doors();
    let organizer = Visitor::new(&site).await;
    organizer.sign_in(&site).await;
    organizer.visit("/admin/gates").await;
    organizer.fill("#gate-name", "North gate").await;
    organizer.fill("#password", &site.password).await;
    organizer.click(".gate-link__form button[type=submit]").await;
    let link = organizer.text(".gate-link__url").await;
    let phone = Visitor::new(&site).await;
    phone.resize(390, 844).await;
    phone.visit(&link[link.find("/gates/").expect("a link")..]).await;
    phone.see("#code").await;
    phone.press(format!("{}{ENTER}", codes[0])).await;
    until_admitted(&phone, "1 of 2").await;
    // Finds the other ticket by name, and admits it by hand; the list stays.
    phone.press(format!("lovelace{ENTER}")).await;
    until_word(&phone, "2 tickets found").await;
    phone.click("#found form button").await;
    until_word(&phone, "Admitted").await;
    until_admitted(&phone, "2 of 2").await;
    assert!(!phone.is_seen("#found form").await);
    // The list may show the first ticket for a moment longer.
    phone.until("document.querySelector('#turnout .passage:has(form)').innerText.includes('2 of 2')").await;
    phone.click("#turnout .passage form button").await;
    until_word(&phone, "Undone").await;
    until_admitted(&phone, "1 of 2").await;
    assert!(!phone.is_seen("#turnout .passage form").await, "only the last one");
    assert_eq!(phone.complaints().await, Vec::<String>::new());

    organizer.click(".passage form button").await;
    phone
        .until_within(
            std::time::Duration::from_secs(60),
            "document.body.innerText.includes('This gate is closed')",
        )
        .await;
}

#[tokio::test]
async fn nothing_below_the_answer_moves_whatever_it_says() {
    let site = open_site();
    let codes = tickets(&site, 1).await;
    site.run_sql("UPDATE bookings SET buyer_name = 'Wolfeschlegelsteinhausenbergerdorff Featherstonehaugh-Cholmondeley'");
    site.run_sql("UPDATE ticket_types SET name = 'A ticket type with a rather long name of its own' WHERE name = 'VIP'");
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "The gate with a name of forty characters").await;
    for width in [390, 320, 1280] {
        gate.resize(width, 800).await;
        site.run_sql("DELETE FROM used_tickets");
        site.run_sql("DELETE FROM scans");
        site.open_doors();
        gate.visit("/admin/check-in").await;
        gate.see("#code").await;
        let top = "document.querySelector('#answer').getBoundingClientRect().height";
        let ready: f64 = gate.ask(top).await;
        let above = "document.querySelector('#answer').getBoundingClientRect().top + scrollY";
        assert!(gate.ask::<f64>(above).await < 450.0, "the answer is on the first screen at {width}");
        for (change, typed, word) in [
            (
                "UPDATE events SET starts_at = '2031-06-19 01:00:00', ends_at = '2031-06-19 04:00:00'",
                &*codes[0],
                "Not today",
            ),
            (
                "UPDATE events SET starts_at = CURRENT_TIMESTAMP, ends_at = '2031-06-19 04:00:00'",
                &codes[0],
                "Admitted",
            ),
            (
                "UPDATE used_tickets SET gate = 'Another gate with a name of forty signs'",
                &codes[0],
                "Already used",
            ),
            ("UPDATE bookings SET status = status", "nobody of that name", "Try again"),
        ] {
            site.run_sql(change);
            let _: () = gate.run("document.querySelector('#code').value = '';").await;
            gate.press(format!("{typed}{ENTER}")).await;
            until_word(&gate, word).await;
            let height: f64 = gate.ask(top).await;
            assert!((height - ready).abs() < 0.5, "{word} at {width}: {height}, not {ready}");
            let fits = "[...document.querySelectorAll('#answer .answer, #answer .answer__words > *')].every((it) => \
                        it.getBoundingClientRect().bottom <= document.querySelector('#answer').getBoundingClientRect().bottom + 1)";
            assert!(gate.ask::<bool>(fits).await, "{word} at {width} is cut");
        }
    }
}

#[tokio::test]
async fn an_answer_is_heard_unless_the_sound_is_off() {
    let site = open_site();
    let codes = tickets(&site, 2).await;
    let gate = Visitor::new(&site).await;
    let count = "window.notes = 0; const make = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function () { window.notes += 1; return make.call(this); };";
    gate.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": count })).await;
    open_gate(&gate, &site, "North gate").await;
    gate.press(format!("{}{ENTER}", codes[0])).await;
    until_admitted(&gate, "1 of 2").await;
    gate.until("window.notes === 2").await;
    gate.click("[data-sound-toggle]").await;
    gate.visit("/admin/check-in").await;
    assert_eq!(gate.text("[data-sound-toggle]").await, "Sound: off");
    gate.press(format!("{}{ENTER}", codes[1])).await;
    until_admitted(&gate, "2 of 2").await;
    assert_eq!(gate.ask::<u32>("window.notes").await, 0);
}

/// Seen to fail when the answer of an old poll is shown: the list then forgets the admission.
#[tokio::test]
async fn a_poll_that_began_before_an_admission_does_not_take_it_back() {
    let site = open_site();
    let codes = tickets(&site, 1).await;
    site.open_doors();
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    // The answers of polls are kept until somebody lets them go.
    let hold_answers = "
        const send = window.fetch;
        window.held = [];
        window.fetch = async (url, options) => {
            const answer = await send(url, options);
            if (String(url).includes('turnout')) await new Promise((letGo) => window.held.push(letGo));
            return answer;
        };
        document.addEventListener('htmx:finally:request', () => { window.shown += 1; });
        htmx.trigger('#turnout', 'poll');";
    gate.run::<()>(hold_answers).await;
    gate.until("window.held.length === 1").await;
    gate.press(format!("{}{ENTER}", codes[0])).await;
    until_admitted(&gate, "1 of 1").await;
    gate.run::<()>("window.shown = 0; window.held.shift()();").await;
    gate.until("window.shown === 1").await;
    let counted = gate.ask::<String>("document.querySelector('#turnout-heading').innerText").await;
    assert_eq!(counted, "1 of 1 admitted");
}
