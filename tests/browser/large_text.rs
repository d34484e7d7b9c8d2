//! Every page reflows on a phone when the browser's font size is one and a half times or twice the usual one.

use serde_json::json;

use crate::open_site;
use crate::support::{CONFIRM, Site, Visitor};
use crate::tickets::open_gate;

/// The width of a phone, in CSS pixels.
const WIDTH: u32 = 390;
/// The font sizes that the browser's settings call "Large" and "Very large"; the usual one is 16.
const SIZES: [u32; 2] = [24, 32];

/// Finds words of up to 11 letters that are broken over two lines, and content outside of the screen.
const WRONG: &str = r"
  const wrong = [];
  const isHidden = (it) => !it.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    || it.closest('.sr-only, .skip-link, .honeypot, svg, script, style, template, [data-countdown]')
    || getComputedStyle(it).clipPath !== 'none';
  if (document.documentElement.scrollWidth > innerWidth) {
    const beside = [...document.querySelectorAll('body *')].filter((it) => !isHidden(it)
      && !it.closest('nav, .table-scroll') && it.getBoundingClientRect().right > innerWidth + 1);
    const culprits = beside.slice(0, 3).map((it) => it.outerHTML.slice(0, 90));
    wrong.push(`${document.documentElement.scrollWidth} px wide: ${culprits}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    // Addresses are not words, and wide code scrolls.
    if (isHidden(text.parentElement) || /@|:\/\//.test(text.data) || text.parentElement.closest('code')) continue;
    for (const { 0: word, index } of text.data.matchAll(/(?<![\p{L}\d])[\p{L}\d]{2,11}(?![\p{L}\d])/gu)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].map((it) => Math.round(it.top)));
      if (lines.size > 1) wrong.push(`${word} is broken in: ${text.parentElement.outerHTML.slice(0, 120)}`);
    }
  }
  for (const code of document.querySelectorAll('.ticket__qr')) {
    if (isHidden(code)) continue;
    const { width } = code.getBoundingClientRect();
    const ticket = code.closest('.ticket').getBoundingClientRect();
    if (width < 200 || ticket.width > innerWidth) wrong.push(`a code of ${width} px on a ticket of ${ticket.width}`);
  }
  return wrong;
";

async fn look_at(visitor: &Visitor, page: &str, wrong: &mut Vec<String>) {
    let found: Vec<String> = visitor.run(WRONG).await;
    wrong.extend(found.into_iter().map(|it| format!("{page}: {it}")));
}

async fn phone(site: &Site, size: u32) -> Visitor {
    let visitor = Visitor::new(site).await;
    visitor.resize(WIDTH, 844).await;
    // The font size is set in the process that renders the site, which exists only after a page is loaded.
    visitor.visit("/bookings/find").await;
    visitor.cdp("Page.enable", json!({})).await;
    visitor.cdp("Page.setFontSizes", json!({ "fontSizes": { "standard": size, "fixed": size } })).await;
    let is_set = format!("getComputedStyle(document.documentElement).fontSize === '{size}px'");
    visitor.until(&is_set).await;
    visitor.visit("/events/midnight-parade").await;
    let is_set: u32 = visitor.ask("parseInt(getComputedStyle(document.documentElement).fontSize)").await;
    assert_eq!(is_set, size);
    visitor
}

#[tokio::test]
async fn the_buyers_pages_reflow_with_large_text() {
    let site = open_site();
    site.add_odd_concerts();
    let vip = site.tier("VIP");
    site.set_available(&vip, 9);
    site.set_available(&site.tier("Front Row"), 0);
    let mut wrong = Vec::new();
    for size in SIZES {
        let visitor = phone(&site, size).await;
        visitor
            .until("/Selling fast|Almost gone/i.test(document.body.innerText) || (location.reload(), false)")
            .await;
        look_at(&visitor, &format!("{size} px, the concert"), &mut wrong).await;
        visitor.open_checkout(&vip).await;
        look_at(&visitor, &format!("{size} px, the dialog"), &mut wrong).await;
        visitor.click(CONFIRM).await;
        visitor.see("#checkout-name-error").await;
        look_at(&visitor, &format!("{size} px, the dialog with errors"), &mut wrong).await;
        visitor.fill_in("Ada Lovelace", &format!("ada{size}@example.org")).await;
        visitor.click(CONFIRM).await;
        visitor.see("[data-booked]").await;
        look_at(&visitor, &format!("{size} px, the confirmation"), &mut wrong).await;
        let booking = visitor.path().await;
        let cancellation = format!("{booking}/cancellation");
        let checkout = format!("/bookings/new?ticket_type={}&quantity=2", vip.id);
        let odd = ["twelve", "tokyo", "sao-paulo", "colombo", "gone", "paused", "canceled"];
        let odd = odd.map(|slug| format!("/events/{slug}"));
        let pages =
            ["/", "/nowhere", "/bookings/find", "/bookings/find?asked=1", "/api/docs"].map(str::to_owned);
        for path in [booking, cancellation, checkout].iter().chain(&odd).chain(&pages) {
            visitor.visit(path).await;
            look_at(&visitor, &format!("{size} px, {path}"), &mut wrong).await;
        }
    }
    assert!(wrong.is_empty(), "{} things\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_organizers_pages_reflow_with_large_text() {
    let site = open_site();
    let mut wrong = Vec::new();
    for size in SIZES {
        let visitor = phone(&site, size).await;
        visitor.book(&site.tier("VIP"), 2).await;
        visitor.visit("/admin/sign-in").await;
        look_at(&visitor, &format!("{size} px, signing in"), &mut wrong).await;
        open_gate(&visitor, &site, "North").await;
        for path in [
            "/admin",
            "/admin/bookings",
            "/admin/reseed",
            "/admin/account",
            "/admin/setup",
            "/admin/setup/mail",
            "/admin/password",
            "/admin/audit-log",
            "/admin/events/midnight-parade/terms",
            "/admin/check-in",
            "/admin/mails",
            "/admin/events",
            "/admin/events/new",
            "/admin/events/midnight-parade",
            "/admin/events/midnight-parade/ticket-types/new",
            "/admin/events/midnight-parade/postponement",
            "/admin/events/midnight-parade/cancellation",
            "/admin/events/midnight-parade/waiting-room",
            "/admin/events/midnight-parade/rehearsal",
            "/admin/events/midnight-parade/messages",
            "/admin/tokens",
            "/admin/team",
        ] {
            visitor.visit(path).await;
            look_at(&visitor, &format!("{size} px, {path}"), &mut wrong).await;
        }
    }
    assert!(wrong.is_empty(), "{} things\n{}", wrong.len(), wrong.join("\n"));
}
