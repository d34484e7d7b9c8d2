//! The camera at the gate. Chromium on Linux reads no QR codes by itself, so what it would read is put in
//! its place; the camera is Chromium's fake one, asked for under the site's real policy.

use serde_json::{Value, json};

use crate::open_site;
use crate::support::Visitor;
use crate::tickets::{open_gate, open_tickets};

/// `window.inView` is what lies before the camera.
const DETECTOR: &str = "
    window.inView = [];
    window.BarcodeDetector = class {
      static getSupportedFormats() { return Promise.resolve(['qr_code']); }
      constructor(options) { window.formats = options.formats; }
      async detect(source) {
        if (!(source instanceof HTMLVideoElement) || source.videoWidth === 0) throw new Error('no picture');
        return window.inView.map((rawValue) => ({ rawValue }));
      }
    };";

const TOGGLE: &str = "[data-camera-toggle]";

/// How often the gate has asked, whatever came of it.
const ASKED: &str =
    "performance.getEntriesByType('resource').filter((it) => it.name.endsWith('/admin/check-in')).length";

#[tokio::test]
async fn a_ticket_before_the_camera_is_checked_in_once() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    let codes = open_tickets(&buyer, &site, "VIP", 2).await;
    let gate = Visitor::new(&site).await;
    gate.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": DETECTOR })).await;
    gate.resize(390, 844).await;
    open_gate(&gate, &site, "North gate").await;
    gate.click(TOGGLE).await;
    gate.until("document.querySelector('[data-camera] video').videoWidth > 0").await;
    gate.until("document.querySelector('[data-camera-hint]').innerText.includes('Point')").await;
    assert_eq!(gate.ask::<Vec<String>>("window.formats").await, ["qr_code"]);

    let hold_up = |codes: Value| format!("window.inView = {codes};");
    let _: () = gate.run(&hold_up(json!([codes[0], codes[1]]))).await;
    gate.until("document.querySelector('[data-camera-hint]').innerText.includes('Show one at a time')").await;
    assert_eq!(gate.ask::<u32>(ASKED).await, 0, "nobody is let in by a ticket beside theirs");

    let _: () = gate.run(&hold_up(json!([codes[0]]))).await;
    gate.until("document.querySelector('#answer .answer__word').innerText === 'Admitted'").await;
    // It stays in the picture for a while, and is still the same ticket.
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    assert_eq!(gate.text("#answer .answer__word").await, "Admitted");
    assert_eq!(gate.ask::<u32>(ASKED).await, 1);
    assert!(gate.ask::<bool>("document.activeElement.id !== 'code'").await, "no keyboard over the picture");

    let _: () = gate.run(&hold_up(json!([codes[1]]))).await;
    gate.until("document.querySelector('#answer').innerText.includes('All 2 admitted')").await;

    let _: () = gate.run("window.stream = document.querySelector('[data-camera] video').srcObject;").await;
    gate.click(TOGGLE).await;
    gate.until("window.stream.getTracks().every((it) => it.readyState === 'ended')").await;
    assert!(!gate.is_seen("[data-camera]").await);
}

#[tokio::test]
async fn a_browser_that_reads_no_codes_offers_no_camera_and_no_other_page_may_use_it() {
    let site = open_site();
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    if !gate.ask::<bool>("'BarcodeDetector' in window").await {
        assert!(!gate.is_seen(TOGGLE).await);
    }
    let open =
        "return navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'open', (e) => e.name);";
    assert_eq!(gate.run::<String>(open).await, "open");
    gate.visit("/admin").await;
    assert_eq!(gate.run::<String>(open).await, "NotAllowedError");
}
