//! Somebody joins the team through the link in a mail, and sees only what their role allows; with JavaScript and
//! without.

use crate::open_site;
use crate::support::{Site, Visitor};

const OWN: &str = "seven ladders under water";
const INVITED: &str = "grace@example.org";

/// The owner sends an invitation, and the mail's link creates an account.
async fn join(site: &Site, owner: &Visitor, grace: &Visitor) {
    owner.sign_in(site).await;
    owner.click("header nav a[href='/admin/team']").await;
    owner.fill("#email", INVITED).await;
    owner.click("label[for=role-box_office]").await;
    owner.fill("#password", "not the password").await;
    owner.click("#main form[action='/admin/team'] button[type=submit]").await;
    owner.see("#password-error").await;
    assert_eq!(owner.ask::<String>("document.querySelector('#email').value").await, INVITED);
    owner.fill("#password", &site.password).await;
    owner.click("#main form[action='/admin/team'] button[type=submit]").await;
    owner.until(&format!("document.querySelector('#main')?.innerText.includes('{INVITED}')")).await;

    let mail = site.mail("Join the team on TechKraft Tickets").await;
    assert_eq!(mail.to, INVITED);
    grace.visit(&mail.link(&site.url("/invitations/")).replace(&site.url(""), "")).await;
    let link = grace.path().await;
    assert!(link.starts_with("/invitations/"), "{link}");
    assert!(grace.text("#main").await.contains("as Box office"));
    grace.fill("#username", "grace").await;
    grace.fill("#new-password", OWN).await;
    grace.fill("#repeated-password", "seven ladders").await;
    grace.click("#main button[type=submit]").await;
    grace.see("#repeated-password-error").await;
    grace.fill("#new-password", OWN).await;
    grace.fill("#repeated-password", OWN).await;
    grace.click("#main button[type=submit]").await;
    grace.until("location.pathname === '/admin/bookings'").await;
    assert!(grace.text("#toasts [data-toast]").await.contains("Welcome, grace."));
    // The link has been used, so it works no more.
    grace.visit(&link).await;
    assert!(!grace.is_seen("#new-password").await, "{}", grace.text("#main").await);
}

/// The role "box office" can find bookings, but cannot manage concerts or the team.
async fn see_the_role(site: &Site, owner: &Visitor, grace: &Visitor) {
    grace.visit("/admin").await;
    assert_eq!(grace.path().await, "/admin/bookings", "where its work begins");
    let menu = grace.text("header nav").await;
    assert!(menu.contains("Bookings") && menu.contains("Check-in"), "{menu}");
    assert!(!menu.contains("Concerts") && !menu.contains("Team"), "{menu}");
    grace.visit("/admin/team").await;
    let refused = grace.text("#main").await;
    for words in ["It’s for the role Owner", "Your role is Box office"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    owner.visit("/admin/team").await;
    let team = owner.text(".team").await.to_lowercase();
    assert!(team.contains("grace") && team.contains("box office"), "{team}");

    // Changing somebody's role ends their sessions.
    owner.click(".team__name[href]:not([href$='/1'])").await;
    owner.click("label[for=change-organizer]").await;
    owner.fill("#password", &site.password).await;
    owner.click("#main form button[type=submit]").await;
    owner.see("#toasts [data-toast]").await;
    grace.visit("/admin/events").await;
    assert_eq!(grace.path().await.split('?').next(), Some("/admin/sign-in"));
    grace.fill("#username", "grace").await;
    grace.fill("#password", OWN).await;
    grace.click("#main button[type=submit]").await;
    grace.until("location.pathname === '/admin/events'").await;
}

#[tokio::test]
async fn somebody_joins_by_a_mailed_link_and_sees_what_the_role_opens() {
    let site = open_site();
    let (owner, grace) = tokio::join!(Visitor::new(&site), Visitor::new(&site));
    join(&site, &owner, &grace).await;
    see_the_role(&site, &owner, &grace).await;
}

#[tokio::test]
async fn the_same_without_javascript() {
    let site = open_site();
    let owner = Visitor::without_javascript(&site).await;
    let grace = Visitor::without_javascript(&site).await;
    join(&site, &owner, &grace).await;
    see_the_role(&site, &owner, &grace).await;
}
