//! Signing in leads back to the page that was requested, and keeps a form that was filled in when the session ended.

use crate::open_site;
use crate::support::{Site, Visitor};

const TERMS: &str = "/admin/events/midnight-parade/terms";

fn end_sessions(site: &Site) {
    site.run_sql(
        "UPDATE admin_sessions SET last_seen_at = '2026-01-01 00:00:00', expires_at = '2026-01-01 00:00:00'",
    );
}

async fn sign_in_again(visitor: &Visitor, site: &Site) {
    visitor.fill("#password", "a guess").await;
    visitor.click("#main button[type=submit]").await;
    visitor.see("#sign-in-error").await;
    visitor.fill("#password", &site.password).await;
    visitor.click("#main button[type=submit]").await;
}

/// Fills in a form while the session ends, signs in again, and saves.
async fn type_into_an_ended_session(organizer: &Visitor, site: &Site, has_scripts: bool) {
    organizer.visit(TERMS).await;
    organizer.fill("#cancellation-deadline", "1,5").await;
    end_sessions(site);
    organizer.click("#main form button").await;
    let told = "Your session has ended. Sign in again: what you typed is kept.";
    organizer.until(&format!("document.querySelector('#main')?.innerText.includes('{told}')")).await;
    sign_in_again(organizer, site).await;
    if !has_scripts {
        organizer.click("#main form button").await;
    }
    organizer.until("document.querySelector('#cancellation-deadline')?.value === '1,5'").await;
    organizer.click("#main form button").await;
    organizer.see("#dashboard").await;
    assert!(organizer.text("#toasts").await.contains("Ticket rules saved"));
    organizer.visit(TERMS).await;
    organizer.until("document.querySelector('#cancellation-deadline').value === '1.5'").await;
}

#[tokio::test]
async fn what_was_typed_while_the_session_ended_is_there_again() {
    let site = open_site();
    let organizer = Visitor::new(&site).await;
    organizer.sign_in(&site).await;
    type_into_an_ended_session(&organizer, &site, true).await;
    assert_eq!(
        organizer
            .complaints()
            .await
            .into_iter()
            .filter(|it| !it.contains("401") && !it.contains("422"))
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn the_same_without_javascript() {
    let site = open_site();
    let organizer = Visitor::without_javascript(&site).await;
    organizer.sign_in(&site).await;
    type_into_an_ended_session(&organizer, &site, false).await;
}

/// Follows a link from another site's page, as from a webmail.
async fn follow_from_elsewhere(visitor: &Visitor, site: &Site, path: &str) {
    let elsewhere = site.url("/nowhere").replace("127.0.0.1", "localhost");
    visitor.driver().goto(&elsewhere).await.expect("another site");
    let link = format!(
        "const link = Object.assign(document.createElement('a'), {{ href: '{}', id: 'mailed' }});
         link.textContent = 'The booking'; document.querySelector('main').prepend(link);",
        site.url(path)
    );
    let _: () = visitor.run(&link).await;
    visitor.click("#mailed").await;
}

#[tokio::test]
async fn a_link_in_a_mail_leads_to_its_page() {
    let site = open_site();
    let organizer = Visitor::new(&site).await;
    let path = "/admin/audit-log?action=signed+in";
    follow_from_elsewhere(&organizer, &site, path).await;
    organizer.see("#password").await;
    sign_in_again(&organizer, &site).await;
    organizer.see(".log").await;
    assert_eq!(organizer.path().await, path);
    // The same when signed in: on a link from another site, the browser does not send the session's cookie with the
    // first request.
    follow_from_elsewhere(&organizer, &site, path).await;
    organizer.see(".log").await;
    assert_eq!(organizer.path().await, path);
}
