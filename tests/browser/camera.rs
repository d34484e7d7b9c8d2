//! The camera at the gate. Chromium on Linux has no QR code detector, so the tests replace it. The camera is
//! Chromium's fake one, under the site's real Permissions-Policy.

use serde_json::{Value, json};

use crate::open_site;
use crate::support::Visitor;
use crate::tickets::{open_gate, open_tickets};

/// `window.inView` holds the codes that the camera sees.
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

/// How many check-in requests the gate has sent, with any result.
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
    // The ticket stays in view for a while, and is not checked in again.
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    assert_eq!(gate.text("#answer .answer__word").await, "Admitted");
    assert_eq!(gate.ask::<u32>(ASKED).await, 1);
    assert!(gate.ask::<bool>("document.activeElement.id !== 'code'").await, "no keyboard over the picture");

    let _: () = gate.run(&hold_up(json!([codes[1]]))).await;
    gate.until("document.querySelector('#answer').innerText.includes('Both admitted')").await;

    let _: () = gate.run("window.stream = document.querySelector('[data-camera] video').srcObject;").await;
    gate.click(TOGGLE).await;
    gate.until("window.stream.getTracks().every((it) => it.readyState === 'ended')").await;
    assert!(!gate.is_seen("[data-camera]").await);
}

/// The camera sees what `window.shown` draws. The browser has no code detector, as on iPhones and in Firefox.
const BEFORE_THE_CAMERA: &str = "
    delete window.BarcodeDetector;
    const seen = document.createElement('canvas');
    seen.width = 640;
    seen.height = 480;
    navigator.mediaDevices.getUserMedia = async () => {
      const context = seen.getContext('2d');
      setInterval(() => {
        context.resetTransform();
        context.fillStyle = '#998';
        context.fillRect(0, 0, 640, 480);
        if (!window.shown) return;
        context.translate(150, 60);
        context.rotate(0.1);
        context.scale(10, 10);
        context.fillStyle = '#fff';
        context.fillRect(0, 0, 33, 33);
        context.fillStyle = '#000';
        context.fill(new Path2D(window.shown));
      }, 50);
      return seen.captureStream(15);
    };";

#[tokio::test]
async fn a_browser_that_reads_no_codes_has_our_decoder() {
    let site = open_site();
    let buyer = Visitor::arrive(&site).await;
    open_tickets(&buyer, &site, "VIP", 2).await;
    let modules =
        "[...document.querySelectorAll('.ticket__qr path:last-child')].map((it) => it.getAttribute('d'))";
    let modules: Vec<String> = buyer.ask(modules).await;
    let gate = Visitor::new(&site).await;
    gate.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": BEFORE_THE_CAMERA })).await;
    open_gate(&gate, &site, "North gate").await;
    let loaded = "performance.getEntriesByType('resource').some((it) => it.name.includes('jsQR'))";
    assert!(!gate.ask::<bool>(loaded).await, "only with the camera");
    gate.click(TOGGLE).await;
    for (modules, says) in modules.iter().zip(["1 of 2 admitted", "Both admitted"]) {
        let _: () = gate.run(&format!("window.shown = '{modules}';")).await;
        gate.until(&format!("document.querySelector('#answer').innerText.includes('{says}')")).await;
    }
    assert_eq!(gate.complaints().await, Vec::<String>::new(), "the policy stays strict");
}

#[tokio::test]
async fn what_keeps_the_camera_from_being_used_is_said() {
    let site = open_site();
    let gate = Visitor::new(&site).await;
    let refuse = |name: &str| {
        format!(
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{name}'));"
        )
    };
    open_gate(&gate, &site, "North gate").await;
    for (name, says) in [
        ("NotAllowedError", "Camera blocked"),
        ("NotFoundError", "No camera found"),
        ("NotReadableError", "Another app"),
    ] {
        let _: () = gate.run(&refuse(name)).await;
        gate.click(TOGGLE).await;
        gate.until(&format!("document.querySelector('[data-camera-hint]').innerText.includes('{says}')"))
            .await;
        assert!(!gate.is_seen("[data-camera]").await);
    }
    let none = "Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });";
    gate.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": none })).await;
    gate.visit("/admin/check-in").await;
    gate.until("document.querySelector('[data-camera-hint]').innerText.includes('support the camera')").await;
    assert!(!gate.is_seen(TOGGLE).await);
}

#[tokio::test]
async fn no_other_page_may_use_the_camera() {
    let site = open_site();
    let gate = Visitor::new(&site).await;
    open_gate(&gate, &site, "North gate").await;
    let open =
        "return navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'open', (e) => e.name);";
    assert_eq!(gate.run::<String>(open).await, "open");
    gate.visit("/admin").await;
    assert_eq!(gate.run::<String>(open).await, "NotAllowedError");
}
