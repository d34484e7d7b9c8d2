//! Quality that every visitor notices: small pages, no layout shifts, enough room on every screen, no messages in the
//! console.

use std::time::Duration;

use serde_json::Value;

use crate::open_site;
use crate::support::{CONFIRM, Site, Visitor};
use crate::tickets::open_gate;

const FIRST_VIEW_BYTES_MAX: f64 = 65.0 * 1024.0;
/// The uncompressed page of a concert with three ticket types.
const CONCERT_BYTES_MAX: usize = 12 * 1024;
/// The uncompressed list, with a full page of concerts.
const LIST_BYTES_MAX: usize = 30 * 1024;
/// A tenth of the layout shift that still counts as good.
const LAYOUT_SHIFT_MAX: f64 = 0.01;
/// The server notices a direct change of the database later than a booking.
const NOTICED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_first_view_weighs_less_than_65_kilobytes() {
    let site = open_site();
    let visitor = Visitor::arrive(&site).await;
    let loaded: Vec<(String, f64)> = visitor
        .run(
            "return document.fonts.ready.then(() =>
               ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
                 .map((it) => [new URL(it.name).pathname, it.transferSize]));",
        )
        .await;
    assert!(
        loaded.iter().any(|(path, bytes)| path.ends_with(".woff2") && *bytes > 0.0),
        "no font: {loaded:#?}"
    );
    assert!(
        loaded.iter().any(|(path, bytes)| path.ends_with(".css") && *bytes > 0.0),
        "no style: {loaded:#?}"
    );
    let bytes: f64 = loaded.iter().map(|(_, bytes)| bytes).sum();
    assert!(bytes < FIRST_VIEW_BYTES_MAX, "{bytes} bytes: {loaded:#?}");
    for path in ["/", "/events/midnight-parade"] {
        let html: String = visitor.run(&format!("return fetch('{path}').then((it) => it.text());")).await;
        assert!(html.len() <= CONCERT_BYTES_MAX, "{path}: {} bytes", html.len());
    }
}

#[tokio::test]
async fn nothing_shifts_while_the_counts_change() {
    let site = open_site();
    let vip = site.tier("VIP");
    let (desktop, phone) = tokio::join!(watch_shifts(&site, 1280, 900), watch_shifts(&site, 390, 844));
    for left in [60, 39] {
        site.set_available(&vip, left);
        tokio::join!(desktop.until_left(&vip, left, NOTICED), phone.until_left(&vip, left, NOTICED));
    }
    for (visitor, width) in [(desktop, 1280), (phone, 390)] {
        let shifts: Vec<Value> = visitor.ask("window.shifts").await;
        let total: f64 = shifts.iter().filter_map(|shift| shift["value"].as_f64()).sum();
        assert!(total < LAYOUT_SHIFT_MAX, "shifted by {total} at {width} px: {shifts:#?}");
    }
}

/// Records every layout shift since the page began to load.
async fn watch_shifts(site: &Site, width: u32, height: u32) -> Visitor {
    let visitor = Visitor::new(site).await;
    visitor.resize(width, height).await;
    visitor.visit("/").await;
    let _: () = visitor
        .run(
            "window.shifts = [];
             new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((it) => ({
               value: it.value, nodes: it.sources.map((source) => source.node?.outerHTML?.slice(0, 120)) }))))
               .observe({ type: 'layout-shift', buffered: true });",
        )
        .await;
    visitor
}

#[tokio::test]
async fn every_page_fits_from_320_pixels_to_4k() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    visitor.book(&vip, 2).await;
    let booking = visitor.path().await;
    open_gate(&visitor, &site, "The gate by the river, behind the stage").await;
    site.set_available(&site.tier("Front Row"), 0);
    let checkout = format!("/bookings/new?ticket_type={}&quantity=2", vip.id);
    let mut too_wide = Vec::new();
    for width in [320, 768, 3840] {
        visitor.resize(width, 800).await;
        for path in [
            "/",
            &checkout,
            &booking,
            "/nowhere",
            "/admin/sign-in",
            "/admin",
            "/admin/reseed",
            "/admin/account",
            "/admin/password",
            "/admin/audit-log",
            "/admin/events/midnight-parade/terms",
            "/admin/check-in",
            "/admin/gates",
            "/admin/mails",
            "/admin/bookings",
            "/admin/events",
            "/admin/events/new",
            "/admin/events/midnight-parade",
            "/admin/events/midnight-parade/edit",
            "/admin/events/midnight-parade/preview",
            "/admin/events/midnight-parade/ticket-types/new",
            "/admin/events/midnight-parade/postponement",
            "/admin/events/midnight-parade/cancellation",
        ] {
            visitor.visit(path).await;
            too_wide.extend(overflow(&visitor, width, path).await);
        }
        let newcomer = Visitor::new(&site).await;
        newcomer.resize(width, 800).await;
        newcomer.visit("/").await;
        newcomer.open_checkout(&vip).await;
        too_wide.extend(overflow(&newcomer, width, "the dialog").await);
        assert!(
            newcomer.ask::<bool>("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth").await,
            "the dialog scrolls sideways at {width} px"
        );
    }
    assert!(too_wide.is_empty(), "{too_wide:#?}");
}

/// Long names, all kinds of ticket types, and more concerts than fit on one page.
#[tokio::test]
async fn many_concerts_fit_and_their_list_is_light() {
    let site = open_site();
    let vip = site.tier("VIP");
    site.add_concerts(30);
    let visitor = Visitor::arrive(&site).await;
    visitor.until_within(NOTICED, "document.querySelector('.concert') || (location.reload(), false)").await;
    let html: String = visitor.run("return fetch('/').then((it) => it.text());").await;
    assert!(html.len() < LIST_BYTES_MAX, "{} bytes", html.len());
    let mut too_wide = Vec::new();
    for width in [320, 768, 3840] {
        visitor.resize(width, 800).await;
        for path in ["/", "/?page=2", "/events/later-7"] {
            visitor.visit(path).await;
            too_wide.extend(overflow(&visitor, width, path).await);
        }
        visitor.open_more(&vip).await;
        too_wide.extend(overflow(&visitor, width, "the checkout with other tickets").await);
    }
    assert!(too_wide.is_empty(), "{too_wide:#?}");
}

async fn overflow(visitor: &Visitor, width: u32, page: &str) -> Option<String> {
    let needed: u32 = visitor.ask("document.documentElement.scrollWidth").await;
    if needed <= width {
        return None;
    }
    let culprits: Vec<String> = visitor
        .ask(
            "[...document.querySelectorAll('body *')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1)
               .slice(0, 4).map((it) => it.outerHTML.slice(0, 80))",
        )
        .await;
    Some(format!("{page} needs {needed} of {width} px: {culprits:?}"))
}

#[tokio::test]
async fn the_console_stays_silent_and_the_policy_unbroken() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let _: () = visitor
        .run(
            "window.breaches = [];
             addEventListener('securitypolicyviolation', (e) => window.breaches.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));",
        )
        .await;
    visitor.book_and_be_remembered(&vip).await;
    visitor.close_dialog().await;
    site.set_available(&vip, 39);
    visitor.until_left(&vip, 39, NOTICED).await;
    visitor.click(&vip.book_now_button()).await;
    visitor.see("#checkout [data-booked]").await;
    assert_eq!(visitor.ask::<Vec<String>>("window.breaches").await, Vec::<String>::new());

    visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=2", vip.id)).await;
    visitor.see(CONFIRM).await;
    visitor.sign_in(&site).await;
    visitor.visit("/admin/reseed").await;
    visitor.see("#event-name").await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
}
