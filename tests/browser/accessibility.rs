//! axe-core checks every page, in the light and in the dark theme.

use std::time::Duration;

use serde::Deserialize;

use crate::open_site;
use crate::support::{CONFIRM, CONFIRMATION, EMAIL, NAME, Scheme, Site, Visitor};
use crate::tickets::open_tickets;

/// The server notices a direct change of the database later than a booking.
const NOTICED: Duration = Duration::from_secs(60);

const AXE: &str = include_str!("vendor/axe-core/axe.min.js");

/// Waits for running animations: an element that is still fading in has colors with too little contrast.
const WHEN_CALM: &str = "Promise.allSettled(document.getAnimations()
    .filter((it) => it.playState === 'running' && it.effect.getComputedTiming().endTime < 2000)
    .map((it) => it.finished))";

const RUN: &str = "axe.run(document, { resultTypes: ['violations'] }).then((results) =>
    results.violations.flatMap((rule) => rule.nodes.map((node) =>
      ({ rule: rule.id, help: rule.help, target: node.target.join(' '), summary: node.failureSummary }))))";

#[derive(Deserialize)]
struct Violation {
    rule: String,
    help: String,
    target: String,
    summary: String,
}

/// Checks pages one after the other, collects the violations, and reports them at the end.
pub struct Inspection<'a> {
    visitor: &'a Visitor,
    found: Vec<String>,
}

impl<'a> Inspection<'a> {
    pub fn by(visitor: &'a Visitor) -> Self {
        Self { visitor, found: Vec::new() }
    }

    pub async fn look_at(&mut self, page: &str) {
        let has_axe: bool = self.visitor.ask("typeof axe === 'object'").await;
        if !has_axe {
            let _: () = self.visitor.run(AXE).await;
        }
        for scheme in [Scheme::Light, Scheme::Dark] {
            self.visitor.prefer(scheme).await;
            let violations: Vec<Violation> =
                self.visitor.run(&format!("return {WHEN_CALM}.then(() => {RUN});")).await;
            self.found.extend(violations.into_iter().map(|it| {
                format!("{page}, {scheme:?}: {} ({})\n  {}\n  {}", it.rule, it.help, it.target, it.summary)
            }));
        }
    }

    pub fn end(self) {
        assert!(self.found.is_empty(), "{} violations\n{}", self.found.len(), self.found.join("\n"));
    }
}

#[tokio::test]
async fn the_visitors_pages_have_no_barriers() {
    let site = open_site();
    let (vip, front_row) = (site.tier("VIP"), site.tier("Front Row"));
    let visitor = Visitor::arrive(&site).await;
    let mut inspection = Inspection::by(&visitor);
    inspection.look_at("the concert").await;
    site.set_available(&vip, 39);
    site.set_available(&front_row, 0);
    visitor.visit("/").await;
    inspection.look_at("the concert, running out").await;
    visitor.visit("/nowhere").await;
    inspection.look_at("no such page").await;
    visitor.visit(&format!("/bookings/new?ticket_type={}&quantity=2", vip.id)).await;
    inspection.look_at("the checkout").await;
    visitor.click(CONFIRM).await;
    visitor.see("#checkout-name-error").await;
    inspection.look_at("the checkout with errors").await;
    visitor.visit(&format!("/bookings/new?ticket_type={}", front_row.id)).await;
    inspection.look_at("sold out").await;
    visitor.visit("/bookings/find").await;
    inspection.look_at("finding bookings").await;
    visitor.click("main form button[type=submit]").await;
    visitor.see("#lookup-email-error").await;
    inspection.look_at("finding bookings with errors").await;
    visitor.visit("/bookings/find?asked=1").await;
    inspection.look_at("finding bookings, asked").await;
    visitor.visit("/api/docs").await;
    inspection.look_at("the API's reference").await;
    inspection.end();
}

#[tokio::test]
async fn a_closed_sale_and_the_list_have_no_barriers() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let mut inspection = Inspection::by(&visitor);
    for (change, says) in [
        ("sales_start_at = '2027-01-15 16:00:00'", "On sale Friday, January 15, 2027"),
        ("paused = true", "Paused by the organizer"),
        ("sales_start_at = NULL, sales_end_at = '2026-01-15 16:00:00'", "Sales have ended"),
        ("state = 'canceled'", "Canceled"),
        ("state = 'archived'", "This concert is over"),
    ] {
        site.change_concert(change);
        let noticed = format!("document.body.innerText.includes('{says}') || (location.reload(), false)");
        visitor.visit("/events/midnight-parade").await;
        visitor.until_within(NOTICED, &noticed).await;
        inspection.look_at(says).await;
    }
    site.change_concert("state = 'published', paused = false, sales_start_at = NULL, sales_end_at = NULL");
    site.add_concerts(30);
    let is_open = format!("document.querySelector('{}') || (location.reload(), false)", vip.book_button());
    visitor.until_within(NOTICED, &is_open).await;
    visitor.visit("/?page=2").await;
    inspection.look_at("the list").await;
    visitor.open_more(&vip).await;
    inspection.look_at("the checkout with other tickets").await;
    inspection.end();
}

#[tokio::test]
async fn the_dialog_has_no_barriers() {
    let site = open_site();
    let vip = site.tier("VIP");
    let visitor = Visitor::arrive(&site).await;
    let mut inspection = Inspection::by(&visitor);
    visitor.open_checkout(&vip).await;
    inspection.look_at("the dialog").await;
    visitor.fill(&vip.checkout_quantity(), "11").await;
    visitor.click(CONFIRM).await;
    visitor.see(&format!("{}-error", vip.checkout_quantity())).await;
    inspection.look_at("the dialog with errors").await;
    visitor.fill(&vip.checkout_quantity(), "2").await;
    visitor.fill_in(NAME, EMAIL).await;
    visitor.ask_to_be_remembered().await;
    visitor.click(CONFIRM).await;
    visitor.see(CONFIRMATION).await;
    inspection.look_at("the confirmation in the dialog").await;
    let booking = visitor.path().await;
    visitor.close_dialog().await;
    inspection.look_at("the concert for a returning buyer").await;
    visitor.visit(&booking).await;
    visitor.see(CONFIRMATION).await;
    inspection.look_at("the confirmation").await;
    visitor.visit(&format!("{booking}/cancellation")).await;
    inspection.look_at("canceling").await;
    visitor.click("main form button[type=submit]").await;
    visitor.see(".confirmation--canceled").await;
    inspection.look_at("the booking, canceled").await;
    inspection.end();
}

#[tokio::test]
async fn the_organizers_pages_have_no_barriers() {
    let site = open_site();
    let organizer = Visitor::arrive(&site).await;
    let code = open_tickets(&organizer, &site, "VIP", 2).await.remove(0);
    let mut inspection = Inspection::by(&organizer);
    organizer.visit("/admin/sign-in").await;
    inspection.look_at("the sign-in").await;
    organizer.fill("#password", "let-me-in").await;
    organizer.click("#main button[type=submit]").await;
    organizer.see("#sign-in-error").await;
    inspection.look_at("the sign-in, refused").await;
    organizer.sign_in(&site).await;
    inspection.look_at("the sale").await;
    organizer.visit("/admin/bookings?q=nothing").await;
    inspection.look_at("finding no booking").await;
    organizer.visit("/admin/events/midnight-parade/export").await;
    inspection.look_at("the export").await;
    organizer.visit("/admin").await;
    organizer.click("#sales a[href^='/admin/bookings/']").await;
    organizer.see("#booking-heading").await;
    inspection.look_at("a booking").await;
    organizer.click("a[href$='/cancellation']").await;
    organizer.see("#cancellation-heading").await;
    inspection.look_at("canceling a booking").await;
    look_at_the_gate(&mut inspection, &organizer, &site, &code).await;
    organizer.visit("/admin/reseed").await;
    inspection.look_at("reseeding").await;
    organizer.fill("#event-name", "something else").await;
    organizer.fill("#password", "something else").await;
    organizer.click("#main form button[type=submit]").await;
    organizer.see("#event-name-error").await;
    inspection.look_at("reseeding, with the wrong name").await;
    organizer.visit("/admin/events/midnight-parade/terms").await;
    inspection.look_at("the terms").await;
    organizer.fill("#cancellation-deadline", "a day").await;
    organizer.click("#main form button[type=submit]").await;
    organizer.see("#cancellation-deadline-error").await;
    inspection.look_at("the terms, with a wrong field").await;
    for path in [
        "",
        "/new",
        "/midnight-parade",
        "/midnight-parade/edit",
        "/midnight-parade/preview",
        "/midnight-parade/ticket-types/new",
        "/midnight-parade/postponement",
        "/midnight-parade/cancellation",
    ] {
        organizer.visit(&format!("/admin/events{path}")).await;
        organizer.see("h1").await;
        inspection.look_at(&format!("/admin/events{path}")).await;
    }
    organizer.visit("/admin/account").await;
    inspection.look_at("the account").await;
    for step in ["", "/box-office", "/mail", "/payment", "/first-concert"] {
        organizer.visit(&format!("/admin/setup{step}")).await;
        inspection.look_at(&format!("the setup{step}")).await;
    }
    organizer.visit("/admin/audit-log").await;
    inspection.look_at("the audit log").await;
    organizer.visit("/admin/audit-log?action=password+changed").await;
    inspection.look_at("the audit log, with nothing in it").await;
    organizer.visit("/admin/password").await;
    inspection.look_at("changing the password").await;
    organizer.change_password("not the password", "short", "short").await;
    organizer.see("#new-password-error").await;
    inspection.look_at("changing the password, refused").await;
    inspection.end();
}

async fn look_at_the_gate(inspection: &mut Inspection<'_>, organizer: &Visitor, site: &Site, code: &str) {
    organizer.visit("/admin/gates").await;
    organizer.fill("#gate-name", "South gate").await;
    organizer.fill("#password", &site.password).await;
    organizer.click(".gate-link__form button[type=submit]").await;
    organizer.see(".gate-link__qr").await;
    inspection.look_at("a new gate link").await;
    site.open_doors();
    organizer.visit("/admin/check-in").await;
    inspection.look_at("the question which gate it is").await;
    organizer.fill("#gate-name", "North gate").await;
    organizer.click("#main button[type=submit]").await;
    for (code, says) in [
        (code, "Admitted"),
        (code, "Already used"),
        ("nobody of that name", "Try again"),
        ("lovelace", "tickets found"),
    ] {
        organizer.fill("#code", code).await;
        organizer.click(".gate__form button[type=submit]").await;
        organizer
            .until(&format!("document.querySelector('.answer__word').innerText.endsWith('{says}')"))
            .await;
        inspection.look_at(says).await;
        // As if the ticket had been admitted at another gate.
        site.run_sql("UPDATE used_tickets SET gate = 'East gate'");
    }
}
